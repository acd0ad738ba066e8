"""One scene and one Chromium for all browser tests of a process; nothing in these tests changes the scene."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

from esnfed.config import Config
from esnfed.database import database_path, migrate
from tests.browser import tools
from tests.browser.places import open_places
from tests.browser.scene import Scene, build
from tests.doubles.clock import Clock
from tests.federation.network import LiveNode

WIDE = {"width": 1280, "height": 900}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """The live nodes with what they hold."""
    folder = tmp_path_factory.mktemp("places")
    config = Config(domain="template.localhost:1", data_dir=folder / "template", environment="demo")
    config.data_dir.mkdir()
    await migrate(config)
    clock = Clock()
    async with open_places(folder, database_path(config), clock) as places:
        yield await build(places, clock)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=tools.chromium(), args=list(tools.SETTINGS)
        )
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    return tools.axe()


@dataclass(slots=True)
class Visit:
    """A page in the browser, with all that it asked for and all that it complained about."""

    scene: Scene
    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    async def open(self, name: str, node: LiveNode | None = None) -> int:
        """Open a place of the scene by its name, or a path; return the status."""
        domain = (node or self.scene.union).domain
        answer = await self.page.goto(f"http://{domain}{self.scene.paths.get(name, name)}")
        assert answer is not None
        return answer.status

    def strangers(self) -> list[str]:
        """Addresses that were asked of anybody but the scene's nodes."""
        ours = {live.domain for live in (self.scene.union, self.scene.hub, self.scene.empty)}
        return [address for address in self.asked if urlsplit(address).netloc not in ours]

    async def run(self, script: str) -> Any:
        """Evaluate a script in the page."""
        return await self.page.evaluate(script)


Visits = Callable[..., Any]
"""`async with visits(**options of a browser context) as visit`."""


@pytest.fixture
def visits(scene: Scene, chromium: Browser) -> Visits:
    """Opens fresh browser contexts: English, 1280 pixels wide, unless told otherwise."""

    @asynccontextmanager
    async def open_visit(**options: Any) -> AsyncIterator[Visit]:
        context = await chromium.new_context(**({"locale": "en", "viewport": WIDE} | options))
        visit = Visit(scene, await context.new_page())
        visit.page.on("request", lambda request: visit.asked.append(request.url))
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        visit.page.on("console", lambda message: _note(visit, message))
        try:
            yield visit
        finally:
            await context.close()

    return open_visit


def _note(visit: Visit, message: ConsoleMessage) -> None:
    # Chromium itself reports the status of an error page; the page has no fault in it.
    if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
        visit.complaints.append(message.text)
