"""Reading posts of other servers, alike for all types: whose they are, who may see them, what they say."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import RowMapping

from esnfed.errors import Ignored, Malformed
from esnfed.i18n import N_
from esnfed.objects.actor import emojis_of
from esnfed.objects.form import form_of
from esnfed.text.language import normalise
from esnfed.text.markdown import render
from esnfed.text.sanitise import plain, sanitise
from esnfed.vocab import parse
from esnfed.vocab.addressing import visibility
from esnfed.vocab.authority import same_origin
from esnfed.vocab.authorship import authors_of
from esnfed.vocab.parse import Document

MAX_CONTENT = 100_000
MAX_SUMMARY = 5_000

_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>|&(?:[A-Za-z]{2,8}|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});")
"""A whole tag or an entity: `a < b & c` is plain text."""


def are_authors(document: Document, *actors: RowMapping) -> bool:
    """Say whether the post, as its origin serves it, names all of these actors as its authors."""
    return {actor["uri"] for actor in actors} <= set(authors_of(document))


def read(document: Document, author: RowMapping, now: int) -> dict[str, Any]:
    """Return the column values of a remote post by `author`; raises Malformed or Ignored.

    The id, the author and the sender share one origin (FEP-fe34); `published` in the future is clamped.
    """
    uri = parse.identifier(document)
    if not same_origin(uri, author["uri"]) or author["uri"] not in authors_of(document):
        raise Malformed(N_("The post does not belong to the actor who sent it."))
    content = parse.text(document, "content", MAX_CONTENT)
    as_type = parse.type_of(document)
    if as_type == "Note" and parse.text(document, "name", 10) and not content:
        raise Ignored(N_("A poll vote for a poll that is not here."))
    clean = _clean(document, content)
    content_map = {
        tag: clean if value == content else sanitise(value)
        for key, value in parse.language_map(document.get("contentMap"), MAX_CONTENT).items()
        if (tag := normalise(key))
    }
    language = _language(document, content_map)
    published = min(parse.timestamp(document.get("published")) or now, now)
    updated = parse.timestamp(document.get("updated"))
    page = parse.html_address(document.get("url"))
    warning = _warning(document)
    return {
        "local": False,
        "uri": uri,
        "url": page if page and same_origin(page, uri) else uri,
        "actor_id": author["id"],
        "as_type": as_type,
        "in_reply_to_uri": parse.web_address(document.get("inReplyTo")),
        "context_uri": parse.web_address(document.get("context")) or _conversation(document),
        "visibility": visibility(
            parse.references(document.get("to")),
            parse.references(document.get("cc")),
            author["followers_uri"],
        ),
        "title": "",
        "summary": warning,
        "facts": None,
        "sensitive": _is_sensitive(document),
        "content": clean if content else content_map.get(language or "", ""),
        "content_map": _primary_first(content_map, language) if len(content_map) > 1 else None,
        "language": language,
        "emojis": emojis_of(document) or None,
        "published_at": published,
        "edited_at": min(updated, now) if updated and updated > published else None,
    } | form_of(as_type).read(document)


def _warning(document: Document) -> str:
    """Mastodon, Misskey and Akkoma write it as plain text, others as HTML; here it is text."""
    summary = parse.text(document, "summary", MAX_SUMMARY)
    return " ".join(plain(summary).split()) if _MARKUP.search(summary) else summary


def _is_sensitive(document: Document) -> bool:
    """A warning says it too, even one of which no text is left; others say it of one file only."""
    parts = [document, *parse.items(document.get("attachment"), 64)]
    return bool(parse.text(document, "summary", 1)) or any(
        isinstance(part, dict) and parse.boolean(part, "sensitive") for part in parts
    )


def _clean(document: Document, content: str) -> str:
    """PeerTube writes Markdown and says so; everybody else HTML."""
    return render(content) if document.get("mediaType") == "text/markdown" else sanitise(content)


def _conversation(document: Document) -> str | None:
    """OStatus conversations are tag: addresses; kept as opaque text to keep a thread together."""
    return parse.text(document, "conversation", 500) or None


def _language(document: Document, content_map: dict[str, str]) -> str | None:
    """Mastodon takes the first key of contentMap, GoToSocial the key whose text equals `content`."""
    raw = parse.language_map(document.get("contentMap"), MAX_CONTENT)
    content = document.get("content")
    equal = next((key for key, value in raw.items() if value == content), None)
    chosen = equal or next(iter(raw), None)
    return normalise(chosen) if chosen and content_map else None


def _primary_first(content_map: dict[str, str], language: str | None) -> dict[str, str]:
    first = {language: content_map[language]} if language in content_map else {}
    return first | content_map
