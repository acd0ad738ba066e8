"""The fields that every kind of record begins with (names after schema.org, IATI and LRMI)."""

from __future__ import annotations

from esnfed.i18n import N_
from esnfed.records.choices import Choice, Choices
from esnfed.records.composite import Contact, ListOf, Struct, TextOrigins
from esnfed.records.fields import ActorRef, DateTime, Field, I18nText, Link, Text
from esnfed.records.rich_text import I18nRichText

TITLE_LIMIT = 120
SUMMARY_LIMIT = 500
BODY_LIMIT = 20_000

HEAD: tuple[Field, ...] = (
    I18nText(name="title", label=N_("Title"), limit=TITLE_LIMIT, required=True),
    I18nText(name="summary", label=N_("Summary"), limit=SUMMARY_LIMIT, lines=True, required=True),
    I18nRichText(name="body", label=N_("Description"), limit=BODY_LIMIT),
    TextOrigins(name="languages", label=N_("Languages of the text"), facet="language"),
    Choices(
        name="territories", label=N_("Territories"), scheme="territories", most=60, required=True,
        facet="territory", fact=True,
    ),
    Choices(
        name="themes", label=N_("Themes"), scheme="themes", most=5, required=True, facet="theme", fact=True
    ),
    Choices(name="sdg", label=N_("Goals"), scheme="sdg", most=17, facet="sdg", fact=True),
)  # fmt: skip

TAIL: tuple[Field, ...] = (
    Choices(name="audience", label=N_("Meant for"), scheme="audiences"),
    ListOf(
        name="authors",
        label=N_("Authors"),
        item=Struct(
            name="author",
            label=N_("Author"),
            fields=(
                Text(name="name", label=N_("Name"), limit=100, fact=True, required=True),
                ActorRef(name="actor", label=N_("Fediverse address")),
            ),
        ),
    ),
    ListOf(
        name="contacts",
        label=N_("Contact"),
        item=Contact(name="contact", label=N_("Contact")),
        most=10,
        required=True,
        fact=True,
    ),
    Choice(name="license", label=N_("Licence"), scheme="licences"),
    Link(name="isBasedOn", label=N_("Based on")),
    Link(name="isPartOf", label=N_("Part of")),
    Link(name="translationOf", label=N_("Translation of")),
)

OPENS = DateTime(name="opens", label=N_("Opens"), fact=True)
CLOSES = DateTime(name="closes", label=N_("Deadline"), fact=True)
CLOSES_REQUIRED = DateTime(name="closes", label=N_("Deadline"), fact=True, required=True)
ABOUT = Link(name="about", label=N_("Belongs to the project"))
