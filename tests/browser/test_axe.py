"""axe-core finds nothing to complain about: every template, in light and in dark."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Visits

pytestmark = pytest.mark.asyncio(loop_scope="session")

TEMPLATES = (
    "home",
    "board",
    "project",
    "arabic project",
    "closed project",
    "organisation",
    "remote person",
    "thread",
    "record post",
    "warned post",
    "files",
    "about",
    "missing",
    "wrong filter",
)
RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}"


@pytest.mark.parametrize("name", TEMPLATES)
async def test_axe_reports_no_violation_in_light_and_dark(visits: Visits, axe: str, name: str) -> None:
    async with visits() as visit:
        await visit.open(name)
        # An open warning is what a reader sees after it; its text must hold too.
        await visit.run("document.querySelectorAll('details').forEach(part => part.open = true)")
        await visit.run(axe)
        for scheme in ("light", "dark"):
            await visit.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            report = await visit.run(f"axe.run(document, {RULES})")
            wrong = {
                found["id"]: [node["html"][:200] for node in found["nodes"]] for found in report["violations"]
            }
            assert wrong == {}, scheme
            assert len(report["passes"]) > 15


async def test_axe_would_notice_a_fault(visits: Visits, axe: str) -> None:
    async with visits() as visit:
        await visit.open("about")
        await visit.run("document.querySelector('main').innerHTML = '<img src=x><a href=/></a>'")
        await visit.run(axe)
        report = await visit.run(f"axe.run(document, {RULES})")
    assert {"image-alt", "link-name"} <= {found["id"] for found in report["violations"]}
