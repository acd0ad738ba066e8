"""Rows and views as the macros of the pages take them: plain mappings with addresses on this node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import RowMapping

from esnfed.http.panels import Insets
from esnfed.http.reader import Reader
from esnfed.objects.titled import TITLED
from esnfed.services.views import StatusView
from esnfed.text.sanitise import teaser

TITLE = 80
TEASER = 300


def actor_path(row: RowMapping) -> str:
    """Return the path of an actor's page here: /o/handle, /@handle, or /@handle@domain for one elsewhere."""
    if not row["local"]:
        return f"/@{row['handle']}@{row['domain']}"
    return f"/o/{row['handle']}" if row["as_type"] == "Organization" else f"/@{row['handle']}"


def post_path(author: RowMapping, status: RowMapping) -> str:
    """Return the path of a post's page here."""
    domain = "" if author["local"] else f"@{author['domain']}"
    return f"/@{author['handle']}{domain}/{status['id']}"


def actor(row: RowMapping) -> dict[str, Any]:
    """Return what the actor macros take. Pictures from elsewhere are not loaded: a page asks nobody else."""
    return {
        "name": row["name"].strip() or row["handle"],
        "handle": f"{row['handle']}@{row['domain']}",
        "url": actor_path(row),
        "avatar": None,
        "as_type": row["as_type"],
        "language": None,
        "note_html": row["summary"],
        "fields": [{"name": field["name"], "value_html": field["value"]} for field in row["fields"] or []],
    }


def languages_of(status: RowMapping) -> list[str]:
    """Return the languages in which a post exists, the original first; [] when its author named none."""
    return list(status["content_map"] or {}) or ([status["language"]] if status["language"] else [])


def language_of(status: RowMapping, reader: Reader) -> str | None:
    """Return the language in which a reader gets a post, None when its author named none."""
    languages = languages_of(status)
    return reader.choose(languages) if languages else None


def content_of(status: RowMapping, language: str | None) -> str:
    """Return the sanitised HTML of a post in one of its languages."""
    return str((status["content_map"] or {}).get(language, status["content"]))


def _attachments(rows: Sequence[RowMapping]) -> list[dict[str, Any]]:
    # Without a media type the gallery shows a link with the description: files elsewhere are not embedded.
    return [
        {
            "url": row["url"],
            "media_type": "",
            "description": row["description"] or row["url"].rsplit("/", 1)[-1],
            "width": row["width"],
            "height": row["height"],
        }
        for row in rows
    ]


def post(view: StatusView, language: str | None, insets: Insets = ()) -> dict[str, Any]:
    """Return what the post macros take, in one of its languages; of a boost, the original with its booster.

    `insets` is what other rooms add: a record stands for the post's text, which only repeats it.
    """
    shown = view.boosted or view
    row, url = shown.status, post_path(shown.author, shown.status)
    return {
        "url": url,
        "author": actor(shown.author),
        "published": row["published_at"],
        "edited": row["edited_at"],
        "language": language,
        "others": [{"tag": tag, "href": f"{url}?lang={tag}"} for tag in languages_of(row) if tag != language],
        "html": content_of(row, language),
        "summary": None if row["as_type"] in TITLED else row["summary"] or None,
        **_titled(row, content_of(row, language)),
        "poll": shown.poll,
        "attachments": _attachments(shown.media),
        "record": None,
        "parent": _parent(shown),
        "booster": actor(view.author) if view.boosted else None,
        **dict(insets),
    }


def _titled(row: RowMapping, content: str) -> dict[str, Any]:
    """Return title, teaser, facts and address of an Article, an Event and their like; of a Note, nothing.

    In a list these stand for the text, as through the client API; the post's own page adds the text.
    """
    if row["as_type"] not in TITLED:
        return {"title": None, "teaser": "", "facts": {}, "link": None}
    page = row["url"] or row["uri"]
    return {
        "title": row["title"] or teaser(content, TITLE) or urlsplit(page).netloc,
        "teaser": row["summary"] or teaser(content, TEASER),
        "facts": _facts(row["facts"] or {}),
        "link": None if row["local"] else page,
    }


def _facts(facts: dict[str, Any]) -> dict[str, Any]:
    """Return every fact that a page may show, with None for what is not known."""
    if not facts:
        return {}
    names = ("cancelled", "starts_at", "ends_at", "timezone", "about")
    places = [
        {key: place.get(key) for key in ("name", "address", "url")} for place in facts.get("places", ())
    ]
    return {name: facts.get(name) for name in names} | {"places": places}


def _parent(view: StatusView) -> dict[str, str] | None:
    """Return a link to what the post answers, when its author is among those it names."""
    row = view.status
    known = next((other for other in view.mentions if other["id"] == row["in_reply_to_actor_id"]), None)
    if known is None or not row["in_reply_to_id"]:
        return None
    domain = "" if known["local"] else f"@{known['domain']}"
    handle = f"{known['handle']}@{known['domain']}"
    return {"url": f"/@{known['handle']}{domain}/{row['in_reply_to_id']}", "handle": handle}
