"""Language tags have one spelling, texts a direction."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esnfed.text.language import direction, guess, normalise


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("FR", "fr"),
        ("fr_be", "fr-BE"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("ca-ES-Valencia", "ca-ES-valencia"),
        ("fra", "fr"),
        ("iw", "he"),
        (" en ", "en"),
        ("und", None),
        ("mul", None),
        ("", None),
        ("x", None),
        ("français", None),
        ("en-", None),
        ("en--US", None),
        ("fr\n", "fr"),
        ('fr" onload="x', None),
        ("a" * 10_000, None),
    ],
)
def test_a_tag_is_normalised_or_refused(tag: str, expected: str | None) -> None:
    assert normalise(tag) == expected


@settings(deadline=None)
@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing(tag: str) -> None:
    once = normalise(tag)
    assert once is None or normalise(once) == once


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        *(
            ("ar", "rtl"),
            ("ar-MA", "rtl"),
            ("fa", "rtl"),
            ("he", "rtl"),
            ("az-Arab", "rtl"),
            ("ks_Arab", "rtl"),
        ),
        *(
            ("fr", "ltr"),
            ("ar-Latn", "ltr"),
            ("zh-Hant", "ltr"),
            (None, "auto"),
            ("und", "auto"),
            ("!", "auto"),
        ),
    ],
)
def test_a_language_has_a_direction(tag: str | None, expected: str) -> None:
    assert direction(tag) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("مرحبا بكم في الشبكة", "ar"),
        ("教育の連帯ネットワーク", "ja"),
        ("教育团结网络", "zh"),
        ("교육 연대", "ko"),
        ("Εκπαίδευση", "el"),
        ("שלום #2026", "he"),
        ("Bonjour à toutes et tous", None),
        ("Привет", None),
        ("GitHub и ещё: ok مرحبا", None),
        ("", None),
        ("123 !", None),
    ],
)
def test_a_language_is_guessed_only_from_a_script_of_its_own(text: str, expected: str | None) -> None:
    assert guess(text) == expected
