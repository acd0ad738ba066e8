"""The style sheet is readable in both themes, small, self-contained, and ready for right-to-left."""

import re

import pytest

from esnfed.rendering import TINTS
from esnfed.resources import folder

SHEET = (folder("static") / "esnfed.css").read_text("utf-8")
TEXT_PAIRS = [
    *[
        (ink, ground)
        for ink in ("ink", "quiet", "link", "link-hover")
        for ground in ("paper", "surface", "sunken")
    ],
    *(
        ("on-strong", "strong"),
        ("good", "good-soft"),
        ("warn", "warn-soft"),
        ("bad", "surface"),
        ("bad", "paper"),
    ),
    *(("ink", "good-soft"), ("ink", "warn-soft")),
]
SHAPE_PAIRS = [
    ("edge", "surface"),
    ("focus", "paper"),
    ("focus", "surface"),
    ("focus", "sunken"),
    ("strong", "paper"),
]


def tokens(theme: str) -> dict[str, str]:
    """The colours of a theme, by name."""
    light, _, rest = SHEET.partition("@media (prefers-color-scheme: dark)")
    found = dict(re.findall(r"--([a-z-]+):(#[0-9a-f]{6})", light))
    return (
        found
        if theme == "light"
        else {**found, **dict(re.findall(r"--([a-z-]+):(#[0-9a-f]{6})", rest[:1200]))}
    )


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2, 1 to 21."""

    def luminance(colour: str) -> float:
        parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_the_contrast_of_black_on_white_is_21() -> None:
    assert round(contrast("#000000", "#ffffff"), 6) == 21


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_texts_have_the_contrast_of_level_aa(theme: str) -> None:
    colours = tokens(theme)
    weak = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in TEXT_PAIRS}
    assert {pair: ratio for pair, ratio in weak.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_edges_of_fields_and_focus_are_seen(theme: str) -> None:
    colours = tokens(theme)
    weak = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in SHAPE_PAIRS}
    assert {pair: ratio for pair, ratio in weak.items() if ratio < 3} == {}


def test_initials_are_readable_on_every_tint() -> None:
    grounds = re.findall(r"--avatar(?:, |:)(#[0-9a-f]{6})", SHEET)
    assert len(grounds) == TINTS
    assert min(contrast("#ffffff", ground) for ground in grounds) >= 4.5


def test_the_style_sheet_is_small_and_asks_nobody_else() -> None:
    assert len(SHEET.encode()) < 16 * 1024
    assert "url(" not in SHEET
    assert "@import" not in SHEET
    assert "@font-face" not in SHEET


def test_the_style_sheet_has_no_left_and_no_right() -> None:
    sides = r"(?<![-\w])(?:margin-|padding-|border-|inset-)?(?:left|right)\s*:"
    sizes = r"(?<![-\w])(?:width|height|top|bottom)\s*:"
    assert re.findall(sides, SHEET) + re.findall(sizes, SHEET) == []
    assert "float:" not in SHEET


def test_reduced_motion_print_and_dark_are_provided_for() -> None:
    for query in ("prefers-color-scheme: dark", "prefers-reduced-motion: no-preference", "@media print"):
        assert query in SHEET
    assert "animation" not in SHEET
    assert SHEET.count("transition:") == 1


def test_no_rule_hides_what_peers_write_behind_our_class_names() -> None:
    ours = set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"\{[^}]*\}", "", SHEET)))
    microformats = {name for name in ours if re.match(r"(?:h|u|dt|e)-", name)}
    assert microformats == set()
