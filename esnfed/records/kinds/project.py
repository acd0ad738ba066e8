"""Projects: the uniform sheet of what an organisation does with others (IATI activity)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from esnfed.i18n import N_, NP_
from esnfed.records.choices import Choice, Choices
from esnfed.records.composite import ListOf, Struct
from esnfed.records.core_fields import ABOUT, CLOSES, HEAD, OPENS, TAIL
from esnfed.records.definition import Definition, Sheet, kind
from esnfed.records.fields import ActorRef, Boolean, Date, I18nText, Number, Text

OVER = frozenset({"closed", "cancelled"})
"""Statuses with which a project is closed; IATI activity-status 4 and 5."""

_BENEFICIARY = Struct(
    name="beneficiary",
    label=N_("Beneficiaries"),
    fields=(
        Choice(name="group", label=N_("Group"), scheme="beneficiaries", required=True, fact=True),
        Number(name="number", label=N_("Number"), most=10_000_000_000, fact=True),
    ),
)

_PARTICIPANT = Struct(
    name="participant",
    label=N_("Participant"),
    fields=(
        Text(name="name", label=N_("Organisation"), limit=200, required=True, fact=True),
        ActorRef(name="actor", label=N_("Fediverse address")),
        Choice(name="role", label=N_("Role"), scheme="participant-roles", required=True, fact=True),
        Choice(name="state", label=N_("State"), scheme="participation-states"),
    ),
)

_INDICATOR = Struct(
    name="indicator",
    label=N_("Indicator"),
    fields=(
        I18nText(name="name", label=N_("Name"), limit=200, required=True, fact=True),
        Number(
            name="value", label=N_("Value"), least=-1_000_000_000_000, whole=False, required=True, fact=True
        ),
        Text(name="unit", label=N_("Unit"), limit=50, fact=True),
        Date(name="date", label=N_("Date"), fact=True),
    ),
)

_BUDGET = Struct(
    name="budget",
    label=N_("Budget"),
    audience="private",  # "network" in the model: stays on its node until that audience exists
    fields=(
        Choice(name="band", label=N_("Band"), scheme="budget-bands", fact=True),
        Number(name="amount", label=N_("Amount"), whole=False, fact=True),
        Text(name="currency", label=N_("Currency (ISO 4217)"), limit=3, fact=True),
    ),
)


@kind("project")
class Project(Definition):
    """A project of one organisation with others."""

    title = N_("Project")
    states = MappingProxyType({"open": NP_("project", "Open"), "closed": NP_("project", "Closed")})
    fields = (
        *HEAD,
        Choice(name="status", label=N_("Progress"), scheme="project-statuses", required=True, fact=True),
        Date(name="plannedStart", label=N_("Planned start"), fact=True),
        Date(name="plannedEnd", label=N_("Planned end"), fact=True),
        Date(name="actualStart", label=N_("Actual start")),
        Date(name="actualEnd", label=N_("Actual end")),
        ListOf(
            name="objectives",
            label=N_("Objectives"),
            item=I18nText(name="objective", label=N_("Objective"), limit=500),
            most=5,
        ),
        ListOf(name="beneficiaries", label=N_("Beneficiaries"), item=_BENEFICIARY, most=6, fact=True),
        ListOf(name="participants", label=N_("Participants"), item=_PARTICIPANT, most=50),
        Choices(name="methods", label=N_("Ways of working"), scheme="methods"),
        Choice(name="scope", label=N_("Scope"), scheme="scopes"),
        Choice(name="sector", label=N_("Sector"), scheme="sectors"),
        Boolean(name="seeksPartners", label=N_("Looks for partners"), fact=True),
        OPENS,
        CLOSES,
        ABOUT,
        _BUDGET,
        I18nText(name="results", label=N_("Results"), limit=5_000, lines=True),
        ListOf(name="indicators", label=N_("Indicators"), item=_INDICATOR, most=5),
        I18nText(name="lessons", label=N_("Lessons"), limit=5_000, lines=True),
        I18nText(name="transferability", label=N_("Transferability"), limit=5_000, lines=True),
        *TAIL,
    )
    deadline = None  # `closes` is the deadline for partners; the project itself goes on
    closes_by_sheet = True

    def is_over(self, sheet: Mapping[str, Any]) -> bool:
        """A project is closed by its status."""
        return sheet.get("status") in OVER

    def closed(self, sheet: Mapping[str, Any]) -> Sheet:
        """Set the status, unless the project was cancelled."""
        return dict(sheet) if self.is_over(sheet) else {**sheet, "status": "closed"}
