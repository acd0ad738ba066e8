"""What the pages show in these tests: two nodes with people, posts in five languages, and sheets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from esnfed.context import Context
from esnfed.models import insert, media_attachment, record, status
from esnfed.services import statuses
from esnfed.services.statuses import Draft
from tests.browser.places import Places, announce, close
from tests.doubles.clock import Clock
from tests.federation.network import LiveNode

MINUTE = 60_000
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"

PROJECT: dict[str, Any] = {
    "title": {
        "fr": "Respirer à l’école : mesurer l’air des salles de classe et agir avec les élèves",
        "en": "Breathing at school: measuring the air of classrooms and acting with pupils",
        "es": "Respirar en la escuela: medir el aire de las aulas y actuar con el alumnado",
    },
    "summary": {
        "fr": "Des capteurs faits en classe, un protocole commun et des décisions prises par les élèves.",
        "en": "Sensors built in class, one protocol for three countries, and decisions that pupils take.",
        "es": "Sensores construidos en clase, un protocolo común y decisiones que toma el alumnado.",
    },
    "body": {
        "en": "<p>Forty schools measure carbon dioxide and fine particles for one school year. The figures "
        "belong to the pupils: they choose what to change, from the timetable to the trees of the yard.</p>"
        "<ul><li>a sensor under €30, with <code>open</code> plans</li><li>one protocol, tested in Bobo-"
        "Dioulasso and Lyon</li><li>a meeting each term with the staff and the health mutual</li></ul>"
        "<blockquote><p>We open the window when the number is red, not when the teacher coughs.</p>"
        "</blockquote>",
        "fr": "<p>Quarante écoles mesurent le dioxyde de carbone pendant une année scolaire.</p>",
    },
    "languages": {"fr": "original", "en": "human", "es": "machine"},
    "territories": ["BF", "FR-ARA", "CO"],
    "themes": ["pupils-health", "research-action", "occupational-health"],
    "sdg": ["3", "4", "13"],
    "status": "implementation",
    "plannedStart": "2026-02-01",
    "plannedEnd": "2027-06-30",
    "actualStart": "2026-02-16",
    "objectives": [
        {"en": "Know the air of forty classrooms", "fr": "Connaître l’air de quarante salles"},
        {"en": "Let pupils propose and decide", "fr": "Laisser les élèves proposer et décider"},
        {"fr": "Publier les plans et les mesures sous licence libre"},
    ],
    "beneficiaries": [{"group": "pupils", "number": 11400}, {"group": "teachers", "number": 620}],
    "participants": [
        {"name": "Syndicat de l’air", "role": "lead", "state": "accepted"},
        {"name": "Mutuelle du Sahel", "actor": "https://sahel.example/ap/actors/7", "role": "implementing"},
        {"name": "Universidad de los Andes", "role": "researcher", "state": "requested"},
    ],
    "methods": ["research-action", "youth-led", "exchange"],
    "scope": "several-territories",
    "sector": "12261",
    "seeksPartners": True,
    "closes": "2026-12-15T16:00:00Z",
    "budget": {"band": "20k-100k"},
    "results": {"en": "Twelve schools changed ventilation.\n\nTwo planted trees.", "fr": "Douze écoles."},
    "indicators": [
        {"name": {"en": "Mean CO₂ in class"}, "value": 940.5, "unit": "ppm", "date": "2026-06-30"},
        {"name": {"en": "Schools taking part"}, "value": 40},
    ],
    "lessons": {"fr": "Commencer petit."},
    "audience": ["teacher", "student"],
    "authors": [{"name": "Awa Kaboré"}],
    "contacts": [
        {
            "role": "projects", "name": "Awa Kaboré", "email": "projets@air.example",
            "languages": ["fr", "en"], "topics": ["pupils-health"], "audience": "public",
        },
        {"role": "survey", "name": "Private Person", "email": "private@air.example", "languages": ["es"]},
    ],
    "license": "CC-BY-SA-4.0",
    "isBasedOn": "https://example.org/an/earlier/project",
}  # fmt: skip

CALL: dict[str, Any] = {
    "title": {"es": "Buscamos escuelas para un intercambio de coros", "en": "Schools wanted for choirs"},
    "summary": {"es": "Tres coros, tres lenguas.", "en": "Three choirs, three languages."},
    "territories": ["CO", "ES"],
    "themes": ["arts-and-music"],
    "wanted": "partner",
    "closes": "2026-03-01",
    "places": 12,
    "profile": {"orgTypes": ["education-union", "ngo"], "languages": ["es", "fr"]},
    "contacts": [{"role": "projects", "email": "coros@example.org", "audience": "public"}],
}

ARABIC: dict[str, Any] = {
    "title": {"ar": "مدرسة نظيفة: الماء والصحة للجميع"},
    "summary": {"ar": "مشروع مشترك بين نقابات التعليم في المغرب وتونس لتحسين المياه في المدارس الريفية."},
    "body": {
        "ar": "<p>نعمل مع <strong>ثلاثين</strong> مدرسة ريفية.</p><ol><li>الماء</li><li>الصحة</li></ol>"
    },
    "territories": ["MA", "TN"],
    "themes": ["health-in-schools"],
    "sdg": ["6"],
    "status": "pipeline",
    "contacts": [{"role": "general", "name": "ليلى", "languages": ["ar"], "audience": "public"}],
}

UNBROKEN: dict[str, Any] = {
    "title": {"de": f"{LONG_WORD} und eine sehr lange Überschrift"},
    "summary": {"de": f"Wörter ohne Ende: {LONG_WORD}{LONG_WORD}"},
    "territories": ["DE"],
    "themes": ["mutualism"],
    "status": "implementation",
    "contacts": [{"role": "general", "name": "x", "languages": ["de"]}],
}

OLD: dict[str, Any] = {
    "title": {"fr": "Retraites dignes", "en": "Dignified retirement"},
    "summary": {"fr": "Un guide pour les retraités.", "en": "A guide for retired staff."},
    "territories": ["BE"],
    "themes": ["retirement"],
    "status": "implementation",
    "actualStart": "2024-01-10",
    "actualEnd": "2025-12-20",
    "contacts": [{"role": "general", "name": "x", "languages": ["fr"]}],
}


@dataclass(slots=True)
class Scene:
    """Where the pages are; `paths` names one address for each template and state."""

    clock: Clock
    union: LiveNode
    hub: LiveNode
    empty: LiveNode
    paths: dict[str, str]


async def build(places: Places, clock: Clock) -> Scene:
    """Fill two nodes that follow each other; a third stays empty."""
    union = await places.node(
        "union", name="Union de l’air", description="A union of educators that measures and acts.",
        contact="team@union.example",
    )  # fmt: skip
    hub = await places.node("hub", name="Education and Solidarity Network")
    empty = await places.node("empty", name="A node of its own")
    scene = Scene(clock, union, hub, empty, {"home": "/", "about": "/about", "board": "/records"})
    sne = await union.actor(
        "sne", "Organization", name="Syndicat de l’air", discoverable=True, indexable=True,
        summary="<p>Nous mesurons l’air des écoles avec les élèves, au Burkina Faso, en Colombie et en "
        "France.</p><p>Membre du réseau depuis 2009.</p>",
        fields=[
            {"name": "Site", "value": '<a href="https://air.example">air.example</a>'},
            {"name": "Pays", "value": "Burkina Faso · Colombie · France"},
        ],
    )  # fmt: skip
    awa = await union.actor("awa", name="Awa Kaboré", discoverable=True, indexable=True)
    nameless = await union.actor("n", hides_network=True)
    layla = await hub.actor("layla", name="ليلى بنعلي", summary='<p lang="ar">معلمة ونقابية.</p>')
    ana = await hub.actor("ana", name="Ana Lucía Restrepo")
    for follower in (layla, ana):
        await hub.follow(follower, await hub.find(f"sne@{union.domain}"))
        await hub.follow(follower, await hub.find(f"awa@{union.domain}"))
    await union.follow(awa, await union.find(f"layla@{hub.domain}"))
    await union.follow(awa, await union.find(f"ana@{hub.domain}"))
    await places.settle()
    await _conversation(places, scene, sne, awa, ana)
    await _posts(places, scene, awa, nameless, layla)
    await _sheets(places, scene, sne, awa)
    return scene


async def _say(scene: Scene, live: LiveNode, actor_id: int, texts: dict[str, str], **settings: Any) -> int:
    scene.clock.advance(7 * MINUTE)
    return int(await live.write(statuses.post, Draft(actor_id, "public", texts, **settings)))


async def _conversation(places: Places, scene: Scene, sne: int, awa: int, ana: int) -> None:
    texts = {
        "fr": "<p>Qui a déjà mesuré l’air de sa classe ? Racontez-nous !</p>",
        "en": "<p>Who has measured the air of their classroom? Tell us!</p>",
        "es": "<p>¿Quién ha medido ya el aire de su aula? ¡Contadnos!</p>",
        "ar": "<p>من قاس هواء فصله من قبل؟ أخبرونا!</p>",
    }
    root = await _say(scene, scene.union, sne, texts)
    await places.settle()
    there = (await scene.hub.one(status, language="fr"))["id"]
    reply = {"es": "<p>En Medellín lo hicimos con cinco escuelas: <strong>980 ppm</strong> de media.</p>"}
    await _say(scene, scene.hub, ana, reply, in_reply_to_id=there)
    await places.settle()
    parent = (await scene.union.one(status, language="es"))["id"]
    await _say(scene, scene.union, awa, {"fr": "<p>Merci ! Avec quel capteur ?</p>"}, in_reply_to_id=parent)
    await scene.union.interact("like", awa, root)
    await scene.union.interact("boost", awa, root)
    await places.settle()
    scene.paths |= {
        "thread": f"/@sne/{root}", "organisation": "/o/sne", "person": "/@awa",
        "remote person": f"/@ana@{scene.hub.domain}", "nameless": "/@n",
    }  # fmt: skip


async def _posts(places: Places, scene: Scene, awa: int, nameless: int, layla: int) -> None:
    hub, union = scene.hub, scene.union
    await _say(
        scene, hub, layla, {"ar": "<p>صباح الخير من الرباط! درس اليوم عن الهواء والصحة في المدرسة.</p>"}
    )
    warned = await _say(
        scene, union, awa, {"fr": "<p>Les détails de l’accident, avec les noms des produits.</p>"},
        summary="Accident de laboratoire, sans victime",
    )  # fmt: skip
    long_code = f"<p>{LONG_WORD}{LONG_WORD}</p><pre><code>{'sensor --calibrate ' * 12}</code></pre>"
    code = await _say(scene, union, awa, {"en": f"{long_code}<p>Run <code>{LONG_WORD}</code>.</p>"})
    edited = await _say(scene, union, nameless, {"en": "<p>First words, with a mistake.</p>"})
    scene.clock.advance(MINUTE)
    changed = Draft(nameless, "public", {"en": "<p>First words, mended. <em>Hello.</em></p>"})
    await union.write(statuses.revise, edited, changed)
    files = await _say(scene, union, awa, {"fr": "<p>Le plan du capteur et une photo.</p>"})
    await union.write(_attach, files)
    for number in range(26):
        await _say(scene, union, awa, {"en": f"<p>Measure number {number}: {600 + number * 11} ppm.</p>"})
    gone = await _say(scene, union, awa, {"en": "<p>Gone soon.</p>"})
    await union.remove(awa, gone)
    await places.settle()
    scene.paths |= {
        "warned post": f"/@awa/{warned}", "long words": f"/@awa/{code}", "edited post": f"/@n/{edited}",
        "files": f"/@awa/{files}", "deleted post": f"/@awa/{gone}",
        "missing": "/nothing-here", "wrong filter": "/records?colour=red",
    }  # fmt: skip


def _attach(context: Context, status_id: int) -> None:
    files = [
        ("image/jpeg", "https://files.example/a.jpg", "A sensor in a lunch box"),
        ("application/pdf", "https://files.example/plan.pdf", ""),
    ]
    for position, (media_type, url, description) in enumerate(files):
        context.connection.execute(
            insert(media_attachment),
            {
                "id": context.new_id(), "status_id": status_id, "position": position, "as_type": "Document",
                "media_type": media_type, "url": url, "description": description,
            },
        )  # fmt: skip


async def _sheets(places: Places, scene: Scene, sne: int, awa: int) -> None:
    union, hub = scene.union, scene.hub
    choir = await hub.actor("coros", "Organization", name="Federación de coros escolares")
    await union.follow(awa, await union.find(f"coros@{hub.domain}"))
    await places.settle()
    found: dict[str, int] = {}
    for name, sheet in (("old", OLD), ("unbroken", UNBROKEN), ("arabic", ARABIC), ("project", PROJECT)):
        scene.clock.advance(9 * MINUTE)
        found[name] = await announce(union, sne, "project", sheet)
    await close(union, sne, found["old"])
    scene.clock.advance(9 * MINUTE)
    await announce(hub, choir, "call", CALL)
    await places.settle()
    comment = {"en": "<p>Our school would like to join.</p>"}
    await _say(scene, union, awa, comment, in_reply_to_id=found["project"])
    await places.settle()
    call = (await union.one(record, kind="call"))["status_id"]
    scene.paths |= {
        "project": f"/r/{found['project']}", "closed project": f"/r/{found['old']}",
        "arabic project": f"/r/{found['arabic']}", "unbroken project": f"/r/{found['unbroken']}",
        "call": f"/r/{call}", "record post": f"/@sne/{found['project']}",
    }  # fmt: skip
