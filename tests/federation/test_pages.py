"""The pages of live nodes: what was announced on one is seen on the other, by people and by programs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession, TCPConnector
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import update

from esnfed.context import Context
from esnfed.models import record, status
from esnfed.records import service
from esnfed.services import statuses
from esnfed.services.statuses import Draft
from tests.conftest import MakeRuntime, Prepare
from tests.doubles.authority import Authority
from tests.federation.network import LiveNode, Network, open_network

SHEET: dict[str, Any] = {
    "title": {"fr": "Respirer à l’école", "en": "Breathing at school", "es": "Respirar en la escuela"},
    "summary": {
        "fr": "Mesurer l’air des classes et agir.",
        "en": "Measuring the air of classrooms, and acting.",
        "es": "Medir el aire de las aulas y actuar.",
    },
    "contacts": [{"role": "projects", "name": "Awa K.", "email": "awa@lyon.esn.test", "languages": ["fr"]}],
    "territories": ["BF", "FR"],
    "themes": ["pupils-health"],
    "sdg": ["3"],
    "status": "implementation",
}


@pytest.fixture
async def network(
    runtime: MakeRuntime, prepare_sqlite: Prepare, authority: Authority
) -> AsyncIterator[Network]:
    """Live nodes on SQLite: pages read through the same services on both back ends."""
    async with open_network(runtime, prepare_sqlite, authority) as found:
        yield found


class Browser:
    """Asks live nodes for pages."""

    def __init__(self, network: Network, session: ClientSession) -> None:
        self._network = network
        self._session = session

    async def get(
        self,
        live: LiveNode,
        path: str,
        *,
        accept: str = "text/html",
        language: str = "en",
        status: int = 200,
        **more: str,
    ) -> ClientResponse:
        """Ask for a path without following redirects; the status must be the expected one."""
        port = self._network.hosts[live.domain][1]
        headers = {"Host": live.domain, "Accept": accept, "Accept-Language": language} | more
        answer = await self._session.get(
            f"https://127.0.0.1:{port}{path}", headers=headers, allow_redirects=False
        )
        await answer.read()
        assert answer.status == status, await answer.text()
        return answer

    async def page(self, live: LiveNode, path: str, **settings: Any) -> LexborHTMLParser:
        """Ask for a page and parse it."""
        return LexborHTMLParser(await (await self.get(live, path, **settings)).text())


@pytest.fixture
async def browser(network: Network) -> AsyncIterator[Browser]:
    """A browser without a script."""
    async with ClientSession(connector=TCPConnector(ssl=False)) as session:
        yield Browser(network, session)


async def announce(live: LiveNode, owner: int, kind: str, sheet: dict[str, Any]) -> int:
    """Announce a record; return its id."""
    plan = await live.read(service.prepare_announcement, owner, kind, sheet)
    return int(await live.write(service.apply_announcement, plan))


async def scene(network: Network) -> tuple[LiveNode, int, LiveNode, int]:
    """Lyon with an organisation that Dakar's Paul follows."""
    lyon, dakar = await network.node("lyon"), await network.node("dakar")
    union = await lyon.actor(
        "sne", "Organization", name="Syndicat de l’air", discoverable=True, indexable=True
    )
    paul = await dakar.actor("paul")
    await dakar.follow(paul, await dakar.find("sne@lyon.esn.test"))
    await network.settle()
    return lyon, union, dakar, paul


def texts(page: LexborHTMLParser, selector: str) -> list[str]:
    """The texts of the elements that match."""
    return [node.text(strip=True) for node in page.css(selector)]


async def test_territories_are_in_the_order_of_the_alphabet(network: Network, browser: Browser) -> None:
    lyon, *_ = await scene(network)
    board = await browser.page(lyon, "/records", language="fr")
    names = texts(board, "#territory option")
    assert names.index("Espagne") > names.index("Émirats arabes unis") > names.index("Égypte")
    assert names.index("Égypte") > names.index("Djibouti")


async def test_a_project_announced_on_one_node_stands_on_the_board_of_the_other(
    network: Network, browser: Browser
) -> None:
    lyon, union, dakar, paul = await scene(network)
    record_id = await announce(lyon, union, "project", SHEET)
    await network.settle()
    board = await browser.page(dakar, "/records?territory=BF&theme=pupils-health&sdg=3")
    assert texts(board, ".record-title") == ["Breathing at school"]
    assert texts(await browser.page(dakar, "/records?territory=CO"), ".record-title") == []
    assert texts(await browser.page(dakar, "/", language="es"), ".record-title") == ["Respirar en la escuela"]
    address = board.css_first(".record-title a").attributes["href"]
    assert address is not None
    moved = await browser.get(dakar, address.rpartition("/")[0] + "?lang=fr", status=303)
    assert moved.headers["Location"] == f"{address}?lang=fr"
    sheet = await browser.page(dakar, address, language="fr")
    assert texts(sheet, "h1") == ["Respirer à l’école"]
    original = sheet.css_first("link[rel=canonical]").attributes["href"]
    assert original == f"https://lyon.esn.test/r/{record_id}/respirer-a-lecole"
    answer = await browser.get(dakar, "/api/esn/v1/records?kind=project", accept="application/json")
    entry = (await answer.json())[0]
    assert (entry["node"], entry["title"]["es"]) == ("lyon.esn.test", "Respirar en la escuela")
    assert "awa@lyon.esn.test" not in await answer.text()
    assert "Respirer à l’école" in (await dakar.home(paul))[0]["content"]


async def test_the_two_addresses_of_a_thing_redirect_to_one_another(
    network: Network, browser: Browser
) -> None:
    lyon, union, _, _ = await scene(network)
    post = await lyon.post(union, "Bonjour")
    pairs = [
        (f"/ap/actors/{union}", "/o/sne"),
        (f"/ap/objects/{post}", f"/@sne/{post}"),
    ]
    for document, page in pairs:
        to_page = await browser.get(lyon, document, accept="text/html", status=303)
        assert to_page.headers["Location"] == f"https://lyon.esn.test{page}"
        assert "Accept" in to_page.headers["Vary"]
        shown = await browser.get(lyon, page)
        assert "Accept" in shown.headers["Vary"]
        parsed = LexborHTMLParser(await shown.text())
        alternate = parsed.css_first('link[type="application/activity+json"]').attributes["href"]
        assert alternate == f"https://lyon.esn.test{document}"
        back = await browser.get(lyon, page, accept="application/activity+json", status=303)
        assert back.headers["Location"] == f"https://lyon.esn.test{document}"
    wrong = await browser.get(lyon, f"/@nobody/{post}", status=303)
    assert wrong.headers["Location"] == f"/@sne/{post}"
    other_page = await browser.get(lyon, "/@sne", status=303)
    assert other_page.headers["Location"] == "/o/sne"


async def test_a_thread_is_shown_in_the_order_of_reading(network: Network, browser: Browser) -> None:
    lyon, union, dakar, paul = await scene(network)
    root = await lyon.post(union, "Question")
    await network.settle()
    there = (await dakar.home(paul))[0]["id"]
    await dakar.post(paul, "Réponse", in_reply_to_id=there)
    await network.settle()
    page = await browser.page(lyon, f"/@sne/{root}")
    assert texts(page, ".e-content") == ["Question", "Réponse"]
    assert texts(page, ".numbers li") == ["1 reply", "0 shares", "0 favourites"]
    remote = await browser.page(dakar, f"/@sne@lyon.esn.test/{there}")
    assert texts(remote, ".e-content") == ["Question", "Réponse"]
    assert remote.css_first("meta[name=robots]").attributes["content"] == "noindex"


@pytest.mark.parametrize("visibility", ["followers", "direct"])
async def test_what_is_not_public_is_on_no_page(network: Network, browser: Browser, visibility: str) -> None:
    lyon, union, _, _ = await scene(network)
    hidden = await lyon.post(union, "Secret", visibility=visibility)  # type: ignore[arg-type]
    absent = await (await browser.get(lyon, "/@sne/1", status=404)).text()
    found = await (await browser.get(lyon, f"/@sne/{hidden}", status=404)).text()
    assert found.replace(str(hidden), "1") == absent
    for path in ("/", "/o/sne"):
        assert "Secret" not in await (await browser.get(lyon, path)).text()


async def test_what_was_deleted_answers_410(network: Network, browser: Browser) -> None:
    lyon, union, _, _ = await scene(network)
    post = await lyon.post(union, "Adieu")
    record_id = await announce(lyon, union, "project", SHEET)
    await lyon.remove(union, post)
    await lyon.write(service.delete, union, record_id)
    assert (await browser.get(lyon, f"/@sne/{post}", status=410)).content_type == "text/html"
    assert (await browser.get(lyon, f"/r/{record_id}", status=410)).content_type == "text/html"


@pytest.mark.parametrize("path", ["/records?colour=red", "/records?kind=castle", "/records?territory=XX"])
async def test_a_filter_that_does_not_exist_is_a_clear_refusal(
    network: Network, browser: Browser, path: str
) -> None:
    lyon = await network.node("lyon")
    page = await browser.page(lyon, path, status=422)
    assert any(word in page.html for word in ("colour", "castle", "XX"))


@pytest.mark.parametrize(
    ("language", "title"),
    [("fr", "Projets et appels"), ("en", "Projects and calls"), ("es", "Proyectos y convocatorias")],
)
async def test_pages_speak_three_languages_and_remember_the_choice(
    network: Network, browser: Browser, language: str, title: str
) -> None:
    lyon = await network.node("lyon")
    answer = await browser.get(lyon, f"/records?lang={language}", language="de")
    page = LexborHTMLParser(await answer.text())
    assert page.css_first("html").attributes["lang"] == language
    assert texts(page, "h1") == [title]
    assert answer.cookies["lang"].value == language


async def test_every_page_keeps_the_strict_policy_and_asks_nobody_else(
    network: Network, browser: Browser
) -> None:
    lyon, union, _, _ = await scene(network)
    post = await lyon.post(union, "Bonjour")
    record_id = await announce(lyon, union, "project", SHEET)
    slug = (await browser.get(lyon, f"/r/{record_id}", status=303)).headers["Location"]
    for path in ("/", "/about", "/records", "/o/sne", f"/@sne/{post}", slug):
        answer = await browser.get(lyon, path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "https:" not in policy
        page = LexborHTMLParser(await answer.text())
        assert page.css("[style], script, style, iframe") == []
        sources = [node.attributes.get("src") or "" for node in page.css("[src]")]
        assert all(source.startswith("/") for source in sources)
        assert len(page.css("h1")) == 1


async def test_a_page_that_did_not_change_is_not_sent_again(network: Network, browser: Browser) -> None:
    lyon, union, _, _ = await scene(network)
    post = await lyon.post(union, "Bonjour")
    for path in ("/", "/about", "/records", "/o/sne", f"/@sne/{post}"):
        first = await browser.get(lyon, path)
        mark = first.headers["ETag"]
        assert mark.startswith('W/"')
        again = await browser.get(lyon, path, status=304, **{"If-None-Match": f'"other", {mark}'})
        assert await again.read() == b""
        assert (again.headers["ETag"], again.headers["Cache-Control"]) == (mark, "no-cache")
        assert "Accept-Language" in again.headers["Vary"]
        await browser.get(lyon, path, language="fr", **{"If-None-Match": mark})
    mark = (await browser.get(lyon, "/o/sne")).headers["ETag"]
    await lyon.post(union, "Encore")
    await browser.get(lyon, "/o/sne", status=200, **{"If-None-Match": mark})


async def test_pages_and_documents_travel_compressed(network: Network, browser: Browser) -> None:
    lyon, union, _, _ = await scene(network)
    for path, accept in (
        ("/about", "text/html"),
        (f"/ap/actors/{union}", "application/activity+json"),
        ("/static/esnfed.css", "text/css"),
    ):
        small = await browser.get(lyon, path, accept=accept, **{"Accept-Encoding": "gzip"})
        plain = await browser.get(lyon, path, accept=accept, **{"Accept-Encoding": "identity"})
        assert small.headers["Content-Encoding"] == "gzip"
        assert "Content-Encoding" not in plain.headers
        assert await small.text() == await plain.text()
        assert "Accept-Encoding" in small.headers["Vary"]
        assert "Accept-Encoding" in plain.headers["Vary"]


@pytest.mark.parametrize("path", ["/", "/o/sne"])
async def test_lists_are_turned_both_ways(network: Network, browser: Browser, path: str) -> None:
    lyon, union, _, _ = await scene(network)
    for number in range(45):
        await lyon.post(union, f"Message {number}")
    seen, pages, here = [], [], path
    while here:
        page = await browser.page(lyon, here)
        pages.append(texts(page, ".e-content"))
        seen += pages[-1]
        link = page.css_first(".pager [rel=next]")
        last, here = here, link.attributes["href"] or "" if link else ""
    assert seen == [f"Message {number}" for number in range(44, -1, -1)]
    assert [len(page) for page in pages] == [20, 20, 5]
    newer = (await browser.page(lyon, last)).css_first(".pager [rel=prev]").attributes["href"]
    assert newer is not None
    middle = await browser.page(lyon, newer)
    assert texts(middle, ".e-content") == pages[1]
    first = middle.css_first(".pager [rel=prev]").attributes["href"]
    assert first is not None
    assert (await browser.get(lyon, first, status=303)).headers["Location"] == path


async def test_a_post_is_read_in_the_readers_language_with_links_to_the_others(
    network: Network, browser: Browser
) -> None:
    lyon, union, dakar, _ = await scene(network)
    content = {"fr": "<p>Bonjour</p>", "en": "<p>Hello</p>", "ar": "<p>مرحبا</p>"}
    post = await lyon.write(statuses.post, Draft(union, "public", content))
    await network.settle()
    path = f"/@sne/{post}"
    expected = [("en", "Hello"), ("ar, en;q=0.5", "مرحبا"), ("de", "Bonjour"), ("fr-CA", "Bonjour")]
    for language, text in expected:
        page = await browser.page(lyon, path, language=language)
        assert texts(page, ".e-content") == [text]
    page = await browser.page(lyon, f"{path}?lang=ar")
    assert page.css_first(".e-content").attributes["dir"] == "rtl"
    others = [node.attributes["href"] for node in page.css(".also-in a")]
    assert others == [f"{path}?lang=fr", f"{path}?lang=en"]
    there = (await dakar.one(status, language="fr"))["id"]
    remote = await browser.page(dakar, f"/@sne@lyon.esn.test/{there}")
    assert texts(remote, ".e-content") == ["Hello"]


async def test_a_post_and_its_sheet_lead_to_one_another_on_both_nodes(
    network: Network, browser: Browser
) -> None:
    lyon, union, dakar, paul = await scene(network)
    record_id = await announce(lyon, union, "project", SHEET)
    await network.settle()
    there = (await dakar.one(record))["status_id"]
    await dakar.post(paul, "Nous aussi !", in_reply_to_id=there)
    await network.settle()
    for live, post in ((lyon, f"/@sne/{record_id}"), (dakar, f"/@sne@lyon.esn.test/{there}")):
        shown = await browser.page(live, post)
        assert texts(shown, ".inset-title") == ["Breathing at school"]
        assert texts(shown, ".e-content") == ["Nous aussi !"], "the sheet stands for its text"
        address = shown.css_first(".inset-title a").attributes["href"]
        assert address is not None
        sheet = await browser.page(live, address)
        link = sheet.css_first(".sheet-talk a")
        assert (link.attributes["href"], link.text(strip=True)) == (post, "Read 1 reply")


async def test_a_sheet_shows_all_that_is_public_and_nothing_else(network: Network, browser: Browser) -> None:
    lyon, union, _, _ = await scene(network)
    public = {"role": "general", "name": "Bureau", "email": "bureau@lyon.esn.test", "audience": "public"}
    more = {
        "body": {"en": "<p>The <strong>whole</strong> story</p>"},
        "contacts": [*SHEET["contacts"], public],
        "license": "CC-BY-4.0",
        "budget": {"band": "20k-100k"},
        "closes": "2026-12-15T18:00:00+02:00",
    }
    record_id = await announce(lyon, union, "project", SHEET | more)
    address = (await browser.get(lyon, f"/r/{record_id}", status=303)).headers["Location"]
    page = await browser.page(lyon, address)
    shown = page.css_first("main").text(separator=" ")
    for text in ("CC BY 4.0", "December 15, 2026, 16:00 (UTC)", "Bureau", "Burkina Faso", "Under way"):
        assert text in shown
    assert page.css_first(".sheet .prose strong").text() == "whole"
    for secret in ("Awa K.", "awa@lyon.esn.test", "20,000"):
        assert secret not in (page.html or "")
    plan = await lyon.read(service.prepare_closing, union, record_id)
    await lyon.write(service.apply_revision, plan)
    closed = await browser.page(lyon, address)
    assert texts(closed, ".badge-closed") == ["Closed"]
    assert "This was closed on" in closed.css_first(".notice-warning").text()


async def test_a_boost_is_shown_with_who_shared_it_and_never_opens_what_is_private(
    network: Network, browser: Browser
) -> None:
    lyon, union, _, _ = await scene(network)
    awa = await lyon.actor("awa", name="Awa")
    open_post = await lyon.post(union, "Ouvert")
    private = await lyon.post(awa, "Secret", visibility="followers")
    await lyon.interact("boost", awa, open_post)
    boost = await lyon.interact("boost", awa, private)
    await lyon.write(_make_public, boost)
    page = await browser.page(lyon, "/@awa")
    assert texts(page, ".e-content") == ["Ouvert"]
    assert texts(page, ".post-context") == ["Shared by Awa"]
    assert "Secret" not in (page.html or "")


def _make_public(context: Context, boost_id: int) -> None:
    """What a remote server may claim: a public boost of its author's private post."""
    context.connection.execute(update(status).where(status.c.id == boost_id).values(visibility="public"))


async def test_pages_say_what_they_are_for_search_engines_and_previews(
    network: Network, browser: Browser
) -> None:
    lyon, union, _, _ = await scene(network)
    post = await lyon.post(union, "Bonjour à tous")
    warned = await lyon.post(union, "Détails", summary="Attention <3")
    page = await browser.page(lyon, f"/@sne/{post}")
    assert page.css_first("title").text() == "Syndicat de l’air: Bonjour à tous – lyon"
    for name in ('meta[name="description"]', 'meta[property="og:description"]'):
        assert page.css_first(name).attributes["content"] == "Bonjour à tous"
    canonical = f"https://lyon.esn.test/@sne/{post}"
    assert page.css_first('link[rel="canonical"]').attributes["href"] == canonical
    hidden = await browser.page(lyon, f"/@sne/{warned}")
    assert hidden.css_first("title").text() == "Syndicat de l’air: Attention <3 – lyon"
    assert "Détails" not in (hidden.css_first("head").html or "")
    missing = await browser.page(lyon, "/nothing", status=404)
    assert missing.css_first("meta[name=robots]").attributes["content"] == "noindex"
    assert missing.css("link[rel=canonical]") == []
    assert texts(missing, ".site-nav a") == ["Home", "Projects and calls", "About this server"]


async def test_an_organisation_shows_its_records_and_leads_to_all_of_them(
    network: Network, browser: Browser
) -> None:
    lyon, union, dakar, _ = await scene(network)
    await lyon.actor("autre", "Organization")
    await announce(lyon, union, "project", SHEET)
    other = SHEET | {"title": {"en": "Over"}, "summary": {"en": "Over."}}
    over = await announce(lyon, union, "project", other)
    await network.settle()
    await lyon.write(service.apply_revision, await lyon.read(service.prepare_closing, union, over))
    await network.settle()
    for live, path in ((lyon, "/o/sne"), (dakar, "/@sne@lyon.esn.test")):
        page = await browser.page(live, path)
        assert texts(page, ".board .record-title") == ["Breathing at school"]
        link = page.css_first(".section-head a").attributes["href"]
        assert link is not None
        board = await browser.page(live, link)
        assert sorted(texts(board, ".record-title")) == ["Breathing at school", "Over"]
        assert board.css_first("#organisation").attributes["value"] == "sne@lyon.esn.test"
    assert (await browser.page(lyon, "/o/autre")).css(".record-title") == []
