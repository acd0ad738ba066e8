"""Explains in words what became of a delivery, and why one waits or failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import bindparam, select

from esnfed.context import Context
from esnfed.errors import NotFound
from esnfed.federation import retry
from esnfed.i18n import N_, iso
from esnfed.models.delivery import delivery
from esnfed.models.peer import peer

EXCERPT: Final = 200

DELIVERED: Final = N_("%(host)s took it at %(done)s (response %(status)s, attempt %(attempts)s).")
DROPPED: Final = N_("It was not sent to %(host)s. %(error)s")
FAILED_REFUSED: Final = N_("%(host)s refused it with %(status)s after attempt %(attempts)s, at %(done)s.")
FAILED_MISSING: Final = N_("%(host)s says that this inbox does not exist (%(status)s); given up at %(done)s.")
FAILED_SILENT: Final = N_("Given up for %(host)s at %(done)s, after attempt %(attempts)s. %(error)s")
BLOCKED: Final = N_("%(host)s is blocked here, so nothing is sent to it. %(reason)s")
DORMANT: Final = N_(
    "%(host)s has not answered since %(since)s and is dormant; it is asked once a day, next at %(next)s."
)
SILENT: Final = N_(
    "%(host)s has not answered since %(since)s and is no longer asked; whatever it sends us wakes it."
)
FAILING: Final = N_(
    "%(host)s has not answered well since %(since)s (%(trouble)s); the next try is at %(next)s."
)
PAUSED: Final = N_("%(host)s asked us to wait; the next try is at %(next)s.")
LED_BACK: Final = N_("%(host)s has answered again and gets what waits at a measured pace.")
BEHIND: Final = N_("An earlier delivery about the same object to %(host)s comes first.")
KNOCKED: Final = N_(
    "%(host)s refused it with %(status)s on attempt %(attempts)s; the next try is at %(own)s."
)
CHOKED: Final = N_("%(host)s answered %(status)s on attempt %(attempts)s; the next try is at %(own)s.")
STOPPED: Final = N_("An attempt to send it to %(host)s failed here; the next try is at %(own)s. %(error)s")
WAITING: Final = N_("It waits for its turn and leaves for %(host)s at once.")
ANSWER_WAS: Final = N_("The response was: %(text)s")

_DELIVERY = (
    select(
        delivery,
        peer.c.standing,
        peer.c.standing_reason,
        peer.c.health,
        peer.c.failures,
        peer.c.failing_since,
        peer.c.next_at.label("host_next_at"),
        peer.c.last_error.label("trouble"),
    )
    .outerjoin(peer, peer.c.host == delivery.c.host)
    .where(delivery.c.id == bindparam("b_id"))
)
_EARLIER = select(
    select(delivery.c.id)
    .where(
        delivery.c.object_uri == bindparam("b_object_uri"),
        delivery.c.host == bindparam("b_host"),
        delivery.c.state == "queued",
        delivery.c.id < bindparam("b_id"),
    )
    .exists()
)


def explain(
    context: Context,
    delivery_id: int,
    translate: Callable[[str], str],
    show_time: Callable[[int], str] = iso,
) -> str:
    """Say in one or two sentences what became of a delivery, why it waits or why it failed.

    `translate` is gettext of the reader's language, `show_time` writes milliseconds for the reader. NotFound
    for an unknown delivery; delivered rows are removed after a week.
    """
    row = context.connection.execute(_DELIVERY, {"b_id": delivery_id}).one_or_none()
    if row is None:
        raise NotFound
    text = _waiting(context, row) if row.state == "queued" else _ended(row)
    words = translate(text) % _values(row, translate, show_time)
    if row.last_error and row.last_status is not None and text in _WITH_ANSWER:
        words += " " + translate(ANSWER_WAS) % {"text": _one_line(row.last_error)}
    return words.strip()


_WITH_ANSWER: Final = frozenset({FAILED_REFUSED, FAILED_MISSING, KNOCKED, CHOKED})


def _ended(row: Any) -> str:
    if row.state == "delivered":
        return DELIVERED
    if row.state == "dropped":
        return DROPPED
    if row.last_status in (404, 410):
        return FAILED_MISSING
    refused = row.last_status is not None and retry.judge(row.last_status) in _REFUSALS
    return FAILED_REFUSED if refused else FAILED_SILENT


_REFUSALS: Final = frozenset({retry.Outcome.FINAL, retry.Outcome.KNOCK})


def _waiting(context: Context, row: Any) -> str:
    """The first reason that holds: the server's standing, its health, then the delivery's own."""
    now = context.now()
    if row.standing == "blocked":
        return BLOCKED
    if row.failures:
        return _unwell(row)
    if row.next_at > now:
        return _own_delay(row)
    if (row.host_next_at or 0) > now:
        return LED_BACK
    values = {"b_object_uri": row.object_uri, "b_host": row.host, "b_id": row.id}
    return BEHIND if context.connection.execute(_EARLIER, values).scalar() else WAITING


def _unwell(row: Any) -> str:
    if row.health == "dormant":
        return SILENT if row.host_next_at >= retry.NEVER else DORMANT
    return FAILING if row.health == "failing" else PAUSED


def _own_delay(row: Any) -> str:
    if row.last_status is None:
        return STOPPED
    return KNOCKED if retry.judge(row.last_status) is retry.Outcome.KNOCK else CHOKED


def _values(row: Any, translate: Callable[[str], str], show_time: Callable[[int], str]) -> dict[str, Any]:
    def time(at: int | None) -> str:
        return "" if at is None or at >= retry.NEVER else show_time(at)

    def sentence(text: str | None) -> str:
        return translate(text) if text else ""  # gettext of an empty text is the catalogue's header

    return {
        "host": row.host,
        "status": row.last_status,
        "attempts": row.attempts,
        "done": time(row.done_at),
        "since": time(row.failing_since),
        "next": time(row.host_next_at),
        "own": time(row.next_at),
        "error": _one_line(sentence(row.last_error)),
        "trouble": _one_line(sentence(row.trouble)).rstrip("."),
        "reason": row.standing_reason or "",
    }


def _one_line(text: str) -> str:
    """The peer's text is hostile: one line, printable, short."""
    plain = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(plain.split())[:EXCERPT]
