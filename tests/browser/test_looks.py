"""What a page must hold on any screen: no sideways scrolling, no stranger asked, light, printable, still."""

from __future__ import annotations

import re

import pytest
from aiohttp import ClientSession
from selectolax.lexbor import LexborHTMLParser

from esnfed.errors import Busy
from tests.browser import tools
from tests.browser.conftest import Visits
from tests.browser.scene import Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")

KIB = 1024
BUDGETS = {"home": 40, "board": 30, "project": 25, "call": 25, "thread": 50, "organisation": 40, "about": 40}
"""KiB of HTML and CSS, compressed, on a first visit (interface.md 4)."""

PHONE = {"viewport": {"width": 360, "height": 740}}
ZOOMED = {"viewport": {"width": 640, "height": 450}, "device_scale_factor": 2}
"""A window of 1280 pixels at 200 %."""

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CUT = """[...document.querySelectorAll('main *')].filter(part => !part.closest('pre, .visually-hidden') &&
  part.getBoundingClientRect().right > document.body.clientWidth + 1).map(part => part.outerHTML)"""


async def fetch(scene: Scene, path: str, **headers: str) -> tuple[dict[str, str], bytes]:
    """Fetch bytes as they travel, redirects followed."""
    port = scene.union.domain.partition(":")[2]
    headers = {"Host": scene.union.domain, "Accept": "text/html", "Accept-Encoding": "gzip"} | headers
    async with ClientSession(auto_decompress=False) as session:
        address = f"http://127.0.0.1:{port}{path}"
        async with session.get(address, headers=headers, allow_redirects=False) as answer:
            if answer.status in {301, 302, 303}:
                return await fetch(scene, answer.headers["Location"], **headers)
            return dict(answer.headers), await answer.read()


@pytest.mark.parametrize("name", BUDGETS)
async def test_a_first_visit_is_light(scene: Scene, visits: Visits, name: str) -> None:
    headers, html = await fetch(scene, scene.paths[name])
    assert headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in headers["Vary"]
    async with visits() as visit:
        await visit.open(name)
        files = {re.sub(r"^https?://[^/]+", "", address) for address in visit.asked[1:]} - {scene.paths[name]}
    files = {file for file in files if file.startswith("/static/")}
    assert len([file for file in files if ".css" in file]) == 1
    sizes = {file: len((await fetch(scene, file))[1]) for file in files}
    style = sum(size for file, size in sizes.items() if ".css" in file)
    assert len(html) + style < BUDGETS[name] * KIB
    assert len(html) + sum(sizes.values()) < 60 * KIB


async def test_every_page_is_well_formed(scene: Scene, visits: Visits) -> None:
    pages: dict[str, str] = {}
    async with visits() as visit:
        for name in scene.paths:
            answer = await visit.page.goto(f"http://{scene.union.domain}{scene.paths[name]}")
            assert answer is not None
            pages[name] = await answer.text()
    assert tools.html_errors(pages) == {}
    for name, html in pages.items():
        tree = LexborHTMLParser(html)
        identifiers = [node.attributes["id"] for node in tree.css("[id]")]
        assert len(identifiers) == len(set(identifiers)), name
        assert len(tree.css("h1")) == len(tree.css("main")) == 1, name
        assert tree.css("ul > :not(li), ol > :not(li), dl > :not(div), p > div, a a, [style], script") == []


@pytest.mark.parametrize("screen", [PHONE, ZOOMED], ids=["360 pixels", "200 %"])
async def test_nothing_scrolls_sideways(scene: Scene, visits: Visits, screen: dict[str, object]) -> None:
    async with visits(**screen) as visit:
        for name in scene.paths:
            await visit.open(name)
            assert await visit.run(OVERFLOW) <= 0, name
            assert await visit.run(CUT) == [], name


async def test_no_page_asks_anybody_else_or_complains(scene: Scene, visits: Visits) -> None:
    async with visits() as visit:
        for name in scene.paths:
            await visit.open(name)
        assert visit.strangers() == []
        assert visit.complaints == []
        assert len(visit.asked) > len(scene.paths)


async def test_a_busy_node_says_so_in_words(
    scene: Scene, visits: Visits, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: object, **__: object) -> None:
        raise Busy(retry_after=3)

    async with visits() as visit:
        monkeypatch.setattr(type(scene.empty.node.database), "read", busy)
        status = await visit.open("home", scene.empty)
        assert status == 503
        assert await visit.page.get_by_role("heading", level=1).inner_text() == "Please try again in a moment"
        assert await visit.run(OVERFLOW) <= 0


async def test_an_empty_node_says_what_will_stand_there(scene: Scene, visits: Visits) -> None:
    async with visits(**PHONE) as visit:
        for path, places in (("/", 2), ("/records", 1), ("/about", 1)):
            await visit.open(path, scene.empty)
            assert await visit.page.locator(".empty").count() == places
            assert await visit.run(OVERFLOW) <= 0


async def test_nothing_moves_for_those_who_asked_for_stillness(visits: Visits) -> None:
    moving = "getComputedStyle(document.querySelector('.card')).transitionDuration"
    for preference, is_still in (("reduce", True), ("no-preference", False)):
        async with visits(reduced_motion=preference) as visit:
            await visit.open("home")
            duration = await visit.run(moving)
            assert (set(duration.split(", ")) == {"0s"}) is is_still


async def test_a_printed_sheet_is_black_on_white_at_12_points_with_its_facts(visits: Visits) -> None:
    async with visits(color_scheme="dark") as visit:
        await visit.open("project")
        await visit.page.emulate_media(media="print")
        for hidden in (".site-nav", ".site-footer", ".skip", ".breadcrumb", ".sheet-talk"):
            assert not await visit.page.locator(hidden).is_visible(), hidden
        style = "getComputedStyle(document.documentElement)"
        assert await visit.run(f"{style}.color") == "rgb(0, 0, 0)"
        assert await visit.run(f"{style}.backgroundColor") == "rgb(255, 255, 255)"
        assert await visit.run(f"{style}.fontSize") == "16px"  # 12 points
        assert await visit.page.get_by_text("CC BY-SA 4.0").is_visible()


@pytest.mark.parametrize(("name", "shown"), [("arabic project", "ar"), ("unbroken project", "de")])
async def test_texts_carry_their_language_and_direction(visits: Visits, name: str, shown: str) -> None:
    async with visits(locale="fr") as visit:
        await visit.open(name)
        title = visit.page.locator("h1")
        assert await title.get_attribute("lang") == shown
        assert await title.get_attribute("dir") == ("rtl" if shown == "ar" else "ltr")
        assert await visit.run("document.documentElement.lang") == "fr"
