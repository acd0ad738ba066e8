"""docs/install.md has a paragraph for every setting, with the default that holds."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from esnfed.cli.checks import ORGANISATION_TYPES
from esnfed.cli.config_file import toml_value
from esnfed.cli.settings import SETTINGS
from esnfed.config import Config
from tests.docs.pages import Page, page, words

DEFAULTS = {field.name: field.default for field in fields(Config)}
NEEDED = ("domain", "data_dir")
WRITTEN = [setting.name for setting in SETTINGS if setting.about]


@pytest.fixture(scope="module")
def install() -> Page:
    """The page."""
    return page("docs/install.md")


def test_the_settings_are_those_of_the_program_in_their_order(install: Page) -> None:
    assert install.section("Settings").headings() == WRITTEN


@pytest.mark.parametrize("name", WRITTEN)
def test_each_setting_is_explained_and_has_its_default(install: Page, name: str) -> None:
    text = install.section("Settings").section(name).text
    about, found, default = text.partition("Default: ")
    assert found
    assert len(about.split()) > 4
    assert default.strip() == ("none, it is needed." if name in NEEDED else f"`{toml_value(DEFAULTS[name])}`")


def test_the_settings_for_tests_are_named_apart(install: Page) -> None:
    named = words(install.section("Settings for tests").text.replace("\n", " "))
    assert [name for name in named if name != "test"] == [each.name for each in SETTINGS if not each.about]


def test_every_type_of_organisation_is_listed(install: Page) -> None:
    text = install.section("organisation_type").text
    assert set(ORGANISATION_TYPES) == set(re.findall(r"`([a-z-]+)`", text))
