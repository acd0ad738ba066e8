"""Languages: catalogues, negotiation, and numbers, dates and names in each language."""

from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hypothesis import given, settings
from hypothesis import strategies as st

from esnfed import i18n
from esnfed.errors import Invalid

MARCH = 1_772_354_400_000  # 2026-03-01T08:40:00Z


@pytest.mark.parametrize(("locale", "home"), [("fr", "Accueil"), ("es", "Inicio"), ("en", "Home")])
def test_a_text_is_translated_without_a_build_step(locale: str, home: str) -> None:
    assert i18n.translator(locale).gettext("Home") == home


@pytest.mark.parametrize(("tag", "expected"), [("fr-CA", "fr"), ("es_MX", "es"), ("de", "en"), ("", "en")])
def test_a_regional_or_unknown_language_gets_the_nearest_catalogue(tag: str, expected: str) -> None:
    assert i18n.translator(tag).locale == expected


@pytest.mark.parametrize(
    ("locale", "count", "text"),
    [
        ("fr", 0, "%(num)s réponse"),
        ("fr", 2, "%(num)s réponses"),
        ("es", 0, "%(num)s respuestas"),
        ("es", 1, "%(num)s respuesta"),
        ("en", 0, "%(num)s replies"),
        ("en", 1, "%(num)s reply"),
    ],
)
def test_plurals_follow_the_language(locale: str, count: int, text: str) -> None:
    assert i18n.translator(locale).ngettext("%(num)s reply", "%(num)s replies", count) == text


def test_nothing_is_translated_to_nothing_not_to_the_header_of_the_catalogue() -> None:
    assert i18n.translator("fr").gettext("") == ""


def test_a_marked_constant_is_itself() -> None:
    assert i18n.N_("Home") == "Home"


def catalogue(root: Path, language: str, translation: str) -> Path:
    path = root / language / "LC_MESSAGES" / "esnfed.po"
    path.parent.mkdir(parents=True)
    path.write_text(f'msgid ""\nmsgstr ""\n\nmsgid "Home"\nmsgstr "{translation}"\n', "utf-8")
    return path


def test_a_compiled_catalogue_serves_where_there_is_no_source(tmp_path: Path) -> None:
    source = catalogue(tmp_path, "pt", "Início")
    with source.open("rb") as text, source.with_suffix(".mo").open("wb") as binary:
        write_mo(binary, read_po(text))
    source.unlink()
    assert i18n.load(tmp_path, "pt").gettext("Home") == "Início"


def test_the_source_wins_over_a_stale_compiled_catalogue(tmp_path: Path) -> None:
    source = catalogue(tmp_path, "pt", "velho")
    with source.open("rb") as text, source.with_suffix(".mo").open("wb") as binary:
        write_mo(binary, read_po(text))
    source.write_text(source.read_text("utf-8").replace("velho", "Início"), "utf-8")
    assert i18n.load(tmp_path, "pt").gettext("Home") == "Início"


def test_a_language_without_a_file_keeps_the_source_texts(tmp_path: Path) -> None:
    assert i18n.load(tmp_path, "pt").gettext("Home") == "Home"


def test_the_supported_languages_all_have_a_catalogue() -> None:
    assert i18n.available()[:3] == i18n.SUPPORTED


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "fr"),
        ("", "fr"),
        ("*", "fr"),
        ("es", "es"),
        ("es-MX", "es"),
        ("ES-mx;q=0.4, en;q=0.9", "en"),
        ("de, it;q=0.9", "fr"),
        ("en;q=0, es;q=0.1", "es"),
        ("en;q=0", "fr"),
        ("en;q=1.5, es", "es"),
        (";;;,,q=1,en", "en"),
        ("x" * 999 + ",en", "fr"),
    ],
)
def test_the_language_is_negotiated_from_the_header(header: str | None, expected: str) -> None:
    assert i18n.negotiate(header, i18n.SUPPORTED) == expected


def test_a_language_matches_a_regional_variant_on_offer() -> None:
    assert i18n.negotiate("pt", ("fr", "pt-BR")) == "pt-BR"


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_header_gives_one_of_what_is_offered(header: str) -> None:
    assert i18n.negotiate(header, i18n.SUPPORTED) in i18n.SUPPORTED


@pytest.mark.parametrize(
    ("locale", "written"),
    [
        ("fr", "1 mars 2026, 09:40 (UTC+1)"),
        ("en", "March 1, 2026, 09:40 (UTC+1)"),
        ("es", "1 de marzo de 2026, 9:40 (UTC+1)"),
    ],
)
def test_an_instant_is_written_with_its_zone(locale: str, written: str) -> None:
    assert i18n.moment(MARCH, locale, "Europe/Paris") == written


@pytest.mark.parametrize(
    ("zone", "label"),
    [
        ("UTC", "UTC"),
        ("Asia/Kolkata", "UTC+5:30"),
        ("America/St_Johns", "UTC-3:30"),
        ("Europe/London", "UTC"),
    ],
)
def test_a_zone_is_labelled_the_same_in_every_language(zone: str, label: str) -> None:
    assert i18n.zone_label(MARCH, zone) == label


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "", "Europe/Paris\0", "x" * 5000])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        i18n.zone(name)


def test_a_day_is_written_from_a_date_or_from_the_instant_in_its_zone() -> None:
    assert i18n.day("2026-03-31", "fr") == "31 mars 2026"
    assert i18n.day(MARCH, "es", "short") == "1/3/26"
    late = 1_772_404_200_000  # 2026-03-01T22:30:00Z
    assert i18n.day(late, "fr", zone_name="Europe/Paris") == "1 mars 2026"
    assert i18n.day(late + 3_600_000, "fr", zone_name="Europe/Paris") == "2 mars 2026"


def test_what_is_no_date_is_refused() -> None:
    with pytest.raises(Invalid):
        i18n.day("soon", "fr")


def test_a_machine_date_ends_with_z() -> None:
    assert i18n.iso(MARCH) == "2026-03-01T08:40:00Z"
    assert i18n.iso(-1_000) == "1969-12-31T23:59:59Z"


def test_distances_of_time_are_words() -> None:
    assert i18n.ago(MARCH - 3 * 3_600_000, MARCH, "fr") == "il y a 3 heures"
    assert i18n.ago(MARCH + 2 * 86_400_000, MARCH, "es") == "dentro de 2 días"


def test_numbers_follow_the_language() -> None:
    assert i18n.number(1234567.5, "fr") == "1\u202f234\u202f567,5"
    assert i18n.number(1234567.5, "es") == "1.234.567,5"
    assert i18n.compact(12_345, "en") == "12.3K"
    assert i18n.percent(0.25, "fr") == "25\xa0%"


def test_languages_and_territories_have_names() -> None:
    assert i18n.language_name("es", "fr") == "espagnol"
    assert i18n.language_name("fr-BE", "en") == "French"
    assert i18n.language_name("qqq", "fr") == "qqq"
    assert [i18n.own_name(tag) for tag in i18n.SUPPORTED] == ["Français", "English", "Español"]
    assert i18n.territory_name("be", "fr") == "Belgique"
    assert i18n.territory_name("XQ", "fr") == "XQ"


def test_an_unknown_locale_formats_as_the_source_language() -> None:
    assert str(i18n.babel_locale("xx-YY")) == "en"
    assert str(i18n.babel_locale("fr_CA")) == "fr_CA"
