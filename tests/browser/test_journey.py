"""The way from the home page to a post with nothing but a keyboard, and without any script."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Visit, Visits

pytestmark = pytest.mark.asyncio(loop_scope="session")

FOCUSED = """(() => {
  const part = document.activeElement, style = getComputedStyle(part), box = part.getBoundingClientRect();
  return {
    text: (part.id || part.innerText).replace(/\\s+/g, ' ').trim(),
    outline: style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth),
    shown: box.width > 0 && box.bottom > 0 && box.top < innerHeight,
  };
})()"""


async def tab_to(visit: Visit, text: str, most: int = 60) -> None:
    """Press Tab until the element that has this text is focused; every one on the way shows that it is."""
    passed = []
    for _ in range(most):
        await visit.page.keyboard.press("Tab")
        focused = await visit.run(FOCUSED)
        assert focused["outline"] >= 2, focused
        assert focused["shown"], focused
        if text in focused["text"]:
            return
        passed.append(focused["text"])
    raise AssertionError(f"{text!r} is not reached: {passed}")


async def enter(visit: Visit) -> None:
    """Follow what is focused."""
    async with visit.page.expect_navigation():
        await visit.page.keyboard.press("Enter")


async def test_home_board_filter_sheet_organisation_post_by_keyboard_without_scripts(visits: Visits) -> None:
    async with visits(java_script_enabled=False) as visit:
        await visit.open("home")
        await tab_to(visit, "Projects and calls")
        await enter(visit)
        assert visit.page.url.endswith("/records")
        await tab_to(visit, "kind")
        await visit.page.keyboard.press("p")  # chooses Project
        await tab_to(visit, "theme")
        await visit.page.keyboard.type("Research")
        await tab_to(visit, "Show")
        await enter(visit)
        assert "kind=project" in visit.page.url
        assert "theme=research-action" in visit.page.url
        assert await visit.page.locator(".record-title").count() == 1
        await tab_to(visit, "Breathing at school")
        await enter(visit)
        assert "/r/" in visit.page.url
        await tab_to(visit, "Syndicat de l’air")
        await enter(visit)
        assert visit.page.url.endswith("/o/sne")
        await tab_to(visit, "January")
        await enter(visit)
        assert "/@sne/" in visit.page.url
        assert await visit.page.locator(".post-main").count() == 1


async def test_the_skip_link_comes_first_is_seen_and_leads_to_the_content(visits: Visits) -> None:
    async with visits() as visit:
        await visit.open("board")
        await visit.page.keyboard.press("Tab")
        focused = await visit.run(FOCUSED)
        assert (focused["text"], focused["shown"]) == ("Skip to the content", True)
        await visit.page.keyboard.press("Enter")
        await tab_to(visit, "kind", most=1)


async def test_a_content_warning_opens_with_the_keyboard(visits: Visits) -> None:
    async with visits(java_script_enabled=False) as visit:
        await visit.open("warned post")
        body = visit.page.locator(".post-main .e-content")
        assert not await body.is_visible()
        await tab_to(visit, "Show the post")
        await visit.page.keyboard.press("Space")
        assert await body.is_visible()


async def test_a_sheet_and_the_post_that_announced_it_lead_to_one_another(visits: Visits) -> None:
    async with visits(java_script_enabled=False) as visit:
        await visit.open("project")
        sheet = visit.page.url
        await visit.page.get_by_role("link", name="Read 1 reply").click()
        assert await visit.page.get_by_text("Our school would like to join.").is_visible()
        await visit.page.get_by_role("link", name="Read the whole sheet").click()
        assert visit.page.url == sheet


async def test_another_language_of_a_post_is_one_link_away(visits: Visits) -> None:
    async with visits() as visit:
        await visit.open("thread")
        main = visit.page.locator(".post-main .e-content")
        assert await main.get_attribute("lang") == "en"
        await visit.page.locator(".post-main .also-in a[hreflang=ar]").click()
        assert (await main.get_attribute("lang"), await main.get_attribute("dir")) == ("ar", "rtl")


async def test_older_and_newer_pages_meet_at_the_same_posts(visits: Visits) -> None:
    async with visits(java_script_enabled=False) as visit:
        for start in ("home", "person"):
            await visit.open(start)
            first = await visit.page.locator(".stack time.dt-published").all_inner_texts()
            await visit.page.get_by_role("link", name="Older", exact=True).click()
            second = await visit.page.locator(".stack time.dt-published").all_inner_texts()
            assert set(first).isdisjoint(second)
            await visit.page.get_by_role("link", name="Newer", exact=True).click()
            assert await visit.page.locator(".stack time.dt-published").all_inner_texts() == first
            assert "min_id" not in visit.page.url
