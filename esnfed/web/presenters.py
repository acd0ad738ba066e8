"""Rows and views as the macros of the pages take them: plain mappings with addresses on this node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping

from esnfed.services.views import StatusView


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
        "name": row["name"] or row["handle"],
        "handle": f"{row['handle']}@{row['domain']}",
        "url": actor_path(row),
        "avatar": None,
        "as_type": row["as_type"],
        "language": None,
        "note_html": row["summary"],
        "fields": [{"name": field["name"], "value_html": field["value"]} for field in row["fields"] or []],
    }


def _attachments(rows: Sequence[RowMapping]) -> list[dict[str, Any]]:
    # Without a media type the gallery shows a link with the description: files elsewhere are not embedded.
    return [
        {
            "url": row["url"],
            "media_type": "",
            "description": row["description"] or row["media_type"],
            "width": row["width"],
            "height": row["height"],
        }
        for row in rows
    ]


def post(view: StatusView) -> dict[str, Any]:
    """Return what the post macros take; of a boost, the original with its booster."""
    shown = view.boosted or view
    row = shown.status
    return {
        "url": post_path(shown.author, row),
        "author": actor(shown.author),
        "published": row["published_at"],
        "edited": row["edited_at"],
        "language": row["language"],
        "html": row["content"],
        "summary": row["summary"] or None,
        "attachments": _attachments(shown.media),
        "record": None,
        "parent": _parent(shown),
        "booster": actor(view.author) if view.boosted else None,
    }


def _parent(view: StatusView) -> dict[str, str] | None:
    """Return a link to what the post answers, when its author is among those it names."""
    row = view.status
    known = next((other for other in view.mentions if other["id"] == row["in_reply_to_actor_id"]), None)
    if known is None or not row["in_reply_to_id"]:
        return None
    domain = "" if known["local"] else f"@{known['domain']}"
    handle = f"{known['handle']}@{known['domain']}"
    return {"url": f"/@{known['handle']}{domain}/{row['in_reply_to_id']}", "handle": handle}
