"""Pure work on text: sanitised HTML, Markdown, mentions and tags, languages. No I/O, no templates."""
