"""Records and vocabularies as this node's own JSON: public fields only, ids as text."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import RowMapping

from esnfed.errors import Invalid, NotFound
from esnfed.i18n import N_, SUPPORTED, iso
from esnfed.records.definition import languages_of
from esnfed.records.vocabularies import SCHEMES

Json = dict[str, Any]


def entry(row: RowMapping) -> Json:
    """Return one record as the board lists it; `row` is one of query.py."""
    sheet = row["sheet"]
    return {
        "id": str(row["status_id"]),
        "uri": row["uri"],
        "url": row["page"] or row["uri"],
        "kind": row["kind"],
        "version": row["version"],
        "title": sheet["title"],
        "summary": sheet.get("summary", {}),
        "language": languages_of(sheet)[0],
        "languages": sheet["languages"],
        "territories": sheet.get("territories", []),
        "themes": sheet.get("themes", []),
        "sdg": sheet.get("sdg", []),
        "closes": sheet.get("closes"),
        "state": row["state"],
        "closed": None if row["closed_at"] is None else iso(row["closed_at"]),
        "owner": {
            "id": str(row["owner_id"]),
            "name": row["owner_name"] or row["owner_handle"],
            "handle": f"{row['owner_handle']}@{row['owner_domain']}",
            "uri": row["owner_uri"],
            "url": row["owner_url"] or row["owner_uri"],
        },
        "node": row["owner_host"],
        "published": iso(row["published_at"]),
        "updated": iso(row["updated_at"]),
    }


def whole(row: RowMapping) -> Json:
    """Return one record with its whole public sheet."""
    return {**entry(row), "schema": row["schema"], "sheet": row["sheet"]}


@lru_cache(maxsize=64)
def vocabulary(name: str, broader: str | None = None) -> Json:
    """Return a concept scheme with labels in the interface languages; never change what is returned.

    With `broader` only what lies directly below it: the regions of a country, the targets of a goal. Raises
    NotFound for an unknown scheme, Invalid for a concept that it does not have.
    """
    scheme = SCHEMES.get(name)
    if scheme is None:
        raise NotFound
    if broader is not None and not scheme.is_valid(broader):
        raise Invalid(N_("The vocabulary has no such concept in “broader”."), "broader")
    return {
        "scheme": scheme.name,
        "version": scheme.version,
        "labels": dict(scheme.labels),
        "concepts": [scheme.describe(concept, SUPPORTED) for concept in scheme.members(broader)],
    }
