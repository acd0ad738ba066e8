"""Calls: an organisation looks for partners, participants or research participants until a deadline."""

from __future__ import annotations

from types import MappingProxyType

from esnfed.i18n import N_, NP_
from esnfed.records.choices import Choice, Choices
from esnfed.records.composite import Struct
from esnfed.records.core_fields import ABOUT, CLOSES_REQUIRED, HEAD, OPENS, TAIL
from esnfed.records.definition import Definition, kind
from esnfed.records.fields import I18nText, Number

_PROFILE = Struct(
    name="profile",
    label=N_("Profile wanted"),
    fact=True,
    fields=(
        Choices(name="orgTypes", label=N_("Types of organisation"), scheme="organisation-types", fact=True),
        Choices(name="territories", label=N_("Territories"), scheme="territories", most=60, fact=True),
        Choices(name="languages", label=N_("Languages"), scheme="languages", fact=True),
        I18nText(name="contribution", label=N_("Contribution"), limit=500, lines=True, fact=True),
    ),
)


@kind("call")
class Call(Definition):
    """A call; `about` is the id of the project that it belongs to."""

    title = N_("Call")
    states = MappingProxyType({"open": NP_("call", "Open"), "closed": NP_("call", "Closed")})
    fields = (
        *HEAD,
        Choice(name="wanted", label=N_("Looks for"), scheme="call-subjects", required=True, fact=True),
        OPENS,
        CLOSES_REQUIRED,
        _PROFILE,
        Number(name="places", label=N_("Places"), least=1, most=1_000_000, fact=True),
        ABOUT,
        *TAIL,
    )
