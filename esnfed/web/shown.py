"""Posts of a page with what other rooms add to them, as everybody may see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping

from esnfed.context import Context
from esnfed.http import panels
from esnfed.http.panels import Insets
from esnfed.http.reader import Reader
from esnfed.services import views
from esnfed.services.views import StatusView
from esnfed.vocab.addressing import READABLE_BY_ALL


@dataclass(frozen=True, slots=True)
class Shown:
    """A post and its insets; of a boost, the insets of the original."""

    view: StatusView
    insets: Insets = ()

    @property
    def status(self) -> RowMapping:
        """The row that the text comes from."""
        return (self.view.boosted or self.view).status


def of_statuses(context: Context, rows: Sequence[RowMapping], reader: Reader) -> list[Shown]:
    """Return the posts of these rows in their order.

    Left out: boosts of what is gone, of what not everybody may read (authors boost their own), and of those
    who were suspended.
    """
    found = [view for view in views.of_statuses(context, rows) if _may_be_seen(view)]
    insets = panels.insets(context, {(view.boosted or view).status["id"] for view in found}, reader)
    return [Shown(view, insets.get((view.boosted or view).status["id"], ())) for view in found]


def _may_be_seen(view: StatusView) -> bool:
    shown = view.boosted or view
    author = shown.author
    hidden = author["suspended_at"] or author["deleted_at"]
    return shown.status["visibility"] in READABLE_BY_ALL and not hidden
