"""One post as the answers of `esnfed post` give it: plain JSON."""

from __future__ import annotations

from esnfed.cli.shown import Json, account, time
from esnfed.objects.titled import TITLED
from esnfed.services import views
from esnfed.text.sanitise import plain


def entry(view: views.StatusView) -> Json:
    """Return one post; a boost shows the boosted post with `boosted_by` and the id of the boost."""
    if view.boosted is not None:
        boost = {"boost_id": str(view.status["id"]), "boosted_by": account(view.author)}
        return entry(view.boosted) | boost
    row = view.status
    content_map = row["content_map"] or ({row["language"]: row["content"]} if row["language"] else {})
    return {
        "id": str(row["id"]),
        "uri": row["uri"],
        "url": row["url"] or row["uri"],
        "author": account(view.author),
        "local": row["local"],
        "visibility": row["visibility"],
        "language": row["language"],
        "type": row["as_type"],
        "warning": "" if row["as_type"] in TITLED else row["summary"],
        "title": row["title"],
        "teaser": row["summary"] if row["as_type"] in TITLED else "",
        "facts": row["facts"],
        "poll": _poll(view.poll) if view.poll else None,
        "content": row["content"],
        "content_map": content_map,
        "text": plain(row["content"]),
        "tags": list(view.tags),
        "mentions": [f"{each['handle']}@{each['domain']}" for each in view.mentions],
        "reply_to": row["in_reply_to_uri"],
        "replies": row["replies_count"],
        "boosts": row["boosts_count"],
        "favourites": row["favourites_count"],
        "published": time(row["published_at"]),
        "edited": time(row["edited_at"]),
        "boost_id": None,
        "boosted_by": None,
    }


def _poll(found: views.PollView) -> Json:
    return {
        "options": [{"title": title, "votes": votes} for title, votes in found.options],
        "multiple": found.multiple,
        "voters": found.voters,
        "expires": time(found.expires_at),
        "closed": found.closed,
    }
