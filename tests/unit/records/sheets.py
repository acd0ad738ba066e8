"""Sheets as people would write them, with private parts that must never be seen elsewhere."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

SECRETS = ("awa.secret@sne.example", "Awa Traoré", "48750", "XOF", "5k-20k")
"""What stands in PROJECT and must not leave its node."""

PROJECT: dict[str, Any] = {
    "title": {"fr": "Santé des enseignants au Burkina Faso", "en": "Teachers' health in Burkina Faso"},
    "summary": {"fr": "Prévenir la souffrance au travail.", "en": "Preventing distress at work."},
    "languages": {"fr": "original", "en": "human"},
    "territories": ["BF", "CA-QC"],
    "themes": ["occupational-health"],
    "sdg": ["3.4", "4"],
    "status": "implementation",
    "plannedStart": "2026-01-01",
    "plannedEnd": "2027-12-31",
    "beneficiaries": [{"group": "teachers", "number": 1200}],
    "participants": [{"name": "SNE", "role": "lead"}, {"name": "Mutuelle B", "role": "funder"}],
    "budget": {"amount": 48750, "currency": "XOF", "band": "5k-20k"},
    "contacts": [
        {"role": "projects", "name": "Awa Traoré", "email": "awa.secret@sne.example", "languages": ["fr"]},
        {"role": "general", "name": "Secretariat", "email": "office@sne.example", "audience": "public"},
    ],
    "license": "CC-BY-4.0",
}

CALL: dict[str, Any] = {
    "title": {"fr": "Cherche partenaires", "es": "Buscamos socios"},
    "summary": {"fr": "Un syndicat et une mutuelle.", "es": "Un sindicato y una mutual."},
    "territories": ["BE-x-francophone"],
    "themes": ["mutualism", "youth-engagement"],
    "sdg": [3],
    "wanted": "partner",
    "closes": "2026-06-30",
    "profile": {"orgTypes": ["education-union"], "languages": ["fr"], "contribution": {"fr": "Du temps"}},
    "contacts": [{"role": "projects", "name": "Luc"}],
}


def project(**changes: Any) -> dict[str, Any]:
    """A fresh copy of PROJECT with changes; None takes a field out."""
    return _changed(PROJECT, changes)


def call(**changes: Any) -> dict[str, Any]:
    """A fresh copy of CALL with changes; None takes a field out."""
    return _changed(CALL, changes)


def _changed(sheet: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    made = deepcopy(sheet) | changes
    return {name: value for name, value in made.items() if value is not None}
