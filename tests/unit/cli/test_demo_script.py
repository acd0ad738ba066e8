"""The texts of the demonstration: everything they name exists, and everything they say can be published."""

from __future__ import annotations

from typing import Any

import pytest

from esnfed.cli.checks import ORGANISATION_TYPES
from esnfed.cli.demonstration.deeds import vary
from esnfed.cli.demonstration.script import Announcement, announcements, cast, repertoire, split, story
from esnfed.cli.demonstration.seeding import dates
from esnfed.records.definition import Definition, kind_named
from esnfed.services.actors import HANDLE, RESERVED
from esnfed.text.sanitise import sanitise
from tests.doubles.clock import START

LANGUAGES = {"fr", "en", "es"}
ORGANISATIONS = {f"{home.organisation.handle}@{home.key}" for home in cast().nodes}
PEOPLE = {f"{person.handle}@{home.key}" for home in cast().nodes for person in home.people}
EVERYBODY = ORGANISATIONS | PEOPLE


def _kind(name: str) -> Definition:
    found = kind_named(name)
    assert found is not None
    return found


def test_there_are_a_hub_a_union_and_a_mutual_with_people_of_every_language() -> None:
    assert [home.key for home in cast().nodes] == ["hub", "union", "mutual"]
    assert {home.organisation_type for home in cast().nodes} <= set(ORGANISATION_TYPES)
    assert {person.language for home in cast().nodes for person in home.people} == LANGUAGES
    handles = [split(each)[0] for each in EVERYBODY]
    assert all(HANDLE.fullmatch(handle) and handle not in RESERVED for handle in handles)
    assert len(set(handles)) == len(EVERYBODY)


def test_everybody_named_exists_and_follows_go_between_nodes() -> None:
    assert {name for pair in cast().follows for name in pair} <= EVERYBODY
    assert len(set(cast().follows)) == len(cast().follows)
    assert all(who != whom for who, whom in cast().follows)
    assert {post.author for post in story().posts} | {each.owner for each in announcements()} <= EVERYBODY
    assert {who for who, _what in story().likes + story().boosts} <= PEOPLE | ORGANISATIONS
    assert {each.owner for each in announcements()} <= ORGANISATIONS


def test_long_texts_are_the_html_that_their_field_takes() -> None:
    bodies = [each.sheet["body"] for each in announcements() if "body" in each.sheet]
    assert bodies
    for body in (text for each in bodies for text in each.values()):
        assert "<ul><li>" in sanitise(body)
        assert "#" not in body


def test_replies_and_reactions_point_at_something_written_before() -> None:
    known = {each.key for each in announcements()}
    for post in story().posts:
        assert post.reply_to is None or post.reply_to in known
        assert post.key not in known
        known.add(post.key)
    assert {what for _who, what in story().likes + story().boosts} <= known
    assert len({post.source for post in story().posts}) == len(story().posts)
    abouts = [each.about for each in announcements() if each.about]
    assert abouts
    assert set(abouts) <= known


def test_the_story_has_three_languages_and_posts_in_several() -> None:
    spoken = {language for post in story().posts for language in post.texts}
    assert spoken == LANGUAGES
    assert sum(len(post.texts) > 1 for post in story().posts) >= 3


@pytest.mark.parametrize("each", announcements(), ids=lambda each: each.key)
def test_every_record_of_the_story_is_valid(each: Announcement) -> None:
    definition = _kind(each.kind)
    checked = definition.validate(each.sheet | dates(each, START))
    assert set(checked["title"]) == LANGUAGES


@pytest.mark.parametrize("sheet", repertoire().calls, ids=lambda sheet: next(iter(sheet["title"].values())))
def test_every_small_call_is_valid_and_has_a_title_of_its_own(sheet: dict[str, Any]) -> None:
    definition = _kind("call")
    definition.validate(sheet | {"closes": "2026-06-30", "contacts": [{"role": "projects", "name": "Desk"}]})
    assert [each["title"] for each in repertoire().calls].count(sheet["title"]) == 1
    assert sheet["title"] not in [each.sheet["title"] for each in announcements()]


def test_the_repertoire_speaks_every_language_and_fills_in_every_blank() -> None:
    found = repertoire()
    for texts in (found.places, found.posts, found.replies, found.additions, found.mottos):
        assert set(texts) == LANGUAGES
        assert all(texts.values())
    for texts in (found.posts, found.replies):
        for text in (each for choices in texts.values() for each in choices):
            assert "{" not in vary(text, {"place": "Cali", "number": "7"})
    assert all(set(each) == LANGUAGES for each in found.results)


def test_profiles_are_html_as_it_is_stored() -> None:
    for home in cast().nodes:
        for text in [home.organisation.summary, *(person.summary for person in home.people)]:
            assert sanitise(text) == text
