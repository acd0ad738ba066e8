"""federation.md C1, first half: who signed a request, and that nothing happens before that is proven."""

from __future__ import annotations

import base64
import hmac

from aiohttp import ClientSession, TCPConnector

from esnfed.federation.keys import load_private
from esnfed.federation.signatures import Signer, sign
from esnfed.models import inbox_message, job, replay, status
from esnfed.vocab.terms import ACTIVITY_JSON
from tests.federation.peer import PEM, RSA, Document
from tests.hostile.scene import Scene, dumped

Headers = list[tuple[str, str]]


async def knock(scene: Scene, path: str, body: bytes, headers: Headers, method: str = "POST") -> int:
    """Send exactly these headers, each as often as it is named."""
    url = f"https://127.0.0.1:{scene.network.hosts[scene.dakar.domain][1]}{path}"
    pairs = [("Host", scene.dakar.domain), ("Content-Type", ACTIVITY_JSON), *headers]
    async with (
        ClientSession(connector=TCPConnector(ssl=False)) as session,
        session.request(method, url, data=body, headers=pairs) as answer,
    ):
        return answer.status


def signed(scene: Scene, body: bytes, path: str = "/inbox", scheme: str = "cavage") -> dict[str, str]:
    """The headers of an honest signature of Mallory's."""
    signer = Signer(scene.mallory["publicKey"]["id"], load_private(RSA.private_der))
    url = f"{scene.dakar.origin}{path}"
    found = sign(scheme, signer, "POST", url, body, scene.network.now())  # type: ignore[arg-type]  # its two words
    found.pop("Host", None)
    return found


async def test_cve_2025_54888_fedify_activities_processed_before_key_actor_check(scene: Scene) -> None:
    """Protection: `Inbox._authentic` compares the owner of the key with `activity.actor` before it stores."""
    victim = await scene.victim()
    before = await scene.snapshot()
    for as_type, content in (
        ("Create", scene.evil.note(scene.mallory, "x")),
        ("Like", victim),
        ("Delete", victim),
    ):
        forged = scene.evil.activity(scene.mallory, as_type, content)
        forged |= {"actor": victim, "id": f"{victim}#{as_type}"}
        await scene.send(forged, status=401)
        await scene.send(forged | {"actor": [victim, scene.mallory["id"]]}, status=401)
        await scene.send(
            forged | {"actor": {"id": victim, "publicKey": scene.mallory["publicKey"]}}, status=401
        )
    assert await scene.dakar.rows(job, kind="apply") == []
    assert await scene.snapshot() == before
    await scene.honest()


async def test_cve_2026_28432_misskey_signature_verification_bypass(scene: Scene) -> None:
    """Protection: all inbox routes lead to one door, and `signatures._find` wants exactly one signature."""
    body = dumped(scene.create("faux"))
    paths = [
        "/inbox",
        "/inbox/",
        "/relay/inbox",
        f"/ap/actors/{scene.paul}/inbox",
        f"/ap/actors/{scene.paul}/inbox/",
    ]
    good = signed(scene, body)
    bad = "Signature", f'keyId="{scene.mallory["id"]}#main-key",signature="AAAA"'
    rest = [(name, value) for name, value in good.items() if name != "Signature"]
    ways: dict[str, Headers] = {
        "none": [],
        "empty": [*rest, ("Signature", "")],
        "blank": [*rest, ("Signature", " ")],
        "two": [*good.items(), bad],
        "two, the other order": [bad, *good.items()],
        "one in each header": [*good.items(), ("Authorization", f"Signature {bad[1]}")],
        "bearer": [*rest, ("Authorization", "Bearer x")],
        "input without a signature": [*rest, ("Signature-Input", 'sig1=("@method");created=1;keyid="x"')],
        "other case": [*rest, ("sIGNATURE", bad[1])],
        "not covering the body": [*rest, ("Signature", good["Signature"].replace(" digest", ""))],
        "not covering anything": [
            *rest,
            ("Signature", good["Signature"].replace("(request-target) host date digest", "")),
        ],
    }
    for path in paths:
        for name, headers in ways.items():
            assert await knock(scene, path, body, headers) in (400, 401), (path, name)
    for path in (
        "//inbox",
        "/inbox//",
        "/INBOX",
        "/inbox/.",
        "/inbox;x",
        "/inbox%00",
        "/ap/actors/x/inbox",
        "/inbox/../inbox%2f",
    ):
        assert await knock(scene, path, body, []) in (400, 401, 404), path
    for method in ("PUT", "PATCH", "DELETE", "GET", "SEARCH"):
        assert await knock(scene, "/inbox", body, [*good.items()], method) in (404, 405), method
    assert await scene.dakar.rows(status) == []
    assert await knock(scene, "/inbox", body, [*good.items()]) == 202


async def test_cve_2023_49079_misskey_missing_signature_validation(scene: Scene) -> None:
    """Protection: `Authenticator.prove` verifies with the owner's key; a signature that is only there is none."""
    body = dumped(scene.create("faux"))
    assert await knock(scene, "/inbox", body, []) == 401
    good = signed(scene, body)
    for key, value in good.items():
        name, _, signature = value.rpartition('signature="')
        if not name:
            continue
        for fake in ("AAAA", base64.b64encode(b"\x00" * 256).decode(), signature[::-1].strip('"')):
            forged = good | {key: f'{name}signature="{fake}"'}
            assert await knock(scene, "/inbox", body, [*forged.items()]) in (400, 401), fake
    for scheme in ("cavage", "rfc9421"):
        other = signed(scene, body, "/relay/inbox", scheme)  # honest, but for another door
        assert await knock(scene, "/inbox", body, [*other.items()]) == 401
        assert (
            await knock(
                scene, "/inbox", body.replace(b"faux", b"vrai"), [*signed(scene, body, scheme=scheme).items()]
            )
            == 401
        )
    assert await scene.dakar.rows(inbox_message, as_type="Create") == []


async def test_pypi_httpsig_algorithm_confusion(scene: Scene) -> None:
    """Protection: `signatures._verifies` takes the algorithm from the key, `cavage._LABELS` knows no HMAC."""
    body = dumped(scene.create("faux"))
    good = signed(scene, body)
    text = "\n".join(
        [
            "(request-target): post /inbox",
            f"host: {scene.dakar.domain}",
            *(f"{name.lower()}: {good[name]}" for name in ("Date", "Digest")),
        ]
    )
    mac = base64.b64encode(hmac.digest(PEM.encode(), text.encode(), "sha256")).decode()
    for label in ("hmac-sha256", "hmac", "HMAC-SHA256", "hs2019", "rsa-sha256", "none", ""):
        named = f'keyId="{scene.mallory["id"]}#main-key",algorithm="{label}",signature="{mac}"'
        forged = good | {"Signature": f'{named},headers="(request-target) host date digest"'}
        assert await knock(scene, "/inbox", body, [*forged.items()]) in (400, 401), label
    assert await scene.dakar.rows(inbox_message, as_type="Create") == []


TWICE = (
    'keyId="{victim}#main-key",{honest}',
    '{honest},keyId="{victim}#main-key"',
    '{honest},KEYID="{victim}#main-key"',
    '{honest},signature="AAAA"',
    '{honest},headers="date"',
    "{honest},algorithm=rsa-sha256",
)


async def test_mastodon_37375_duplicate_signature_parameters(scene: Scene) -> None:
    """Protection: `cavage.tokenise` refuses a name it has seen."""
    body, victim = dumped(scene.create("faux")), await scene.victim()
    good = signed(scene, body)
    for form in TWICE:
        doubled = good | {"Signature": form.format(victim=victim, honest=good["Signature"])}
        assert await knock(scene, "/inbox", body, [*doubled.items()]) == 400, form
    await scene.honest()


async def test_replay_within_the_time_window(scene: Scene) -> None:
    """Protection: the unique (actor, id) of `inbox_message`, and `replay` written with the stored message."""
    remembered = len(await scene.dakar.rows(replay))
    create = scene.create("un")
    body = dumped(create)
    headers = [*signed(scene, body).items()]
    for _ in range(5):
        assert await knock(scene, "/inbox", body, headers) == 202
    await scene.network.settle()
    for _ in range(5):
        scene.network.advance(60_000)
        assert await knock(scene, "/inbox", body, headers) == 202
    await scene.network.settle()
    assert len(await scene.dakar.rows(inbox_message, uri=create["id"])) == 1
    assert len(await scene.dakar.rows(status)) == 1
    nameless = dumped({key: value for key, value in scene.create("deux").items() if key != "id"})
    repeated = [*signed(scene, nameless).items()]
    assert [await knock(scene, "/inbox", nameless, repeated) for _ in range(3)] == [202] * 3
    await scene.network.settle()
    assert len(await scene.dakar.rows(status)) == 2
    assert len(await scene.dakar.rows(replay)) == remembered + 2
    scene.network.advance(2 * 3600 * 1000)
    assert await knock(scene, "/inbox", body, headers) == 401  # the window is over


async def test_replay_of_an_undone_deed_does_not_bring_it_back(scene: Scene) -> None:
    """Protection: the message of the first arrival stays, so that its repeat changes nothing."""
    post = await scene.dakar.post(scene.paul, "Bonjour")
    await scene.network.settle()
    like: Document = scene.evil.activity(
        scene.mallory, "Like", (await scene.dakar.one(status, id=post))["uri"]
    )
    body = dumped(like)
    headers = [*signed(scene, body).items()]
    assert await knock(scene, "/inbox", body, headers) == 202
    await scene.send(scene.evil.activity(scene.mallory, "Undo", like))
    assert (await scene.dakar.one(status, id=post))["favourites_count"] == 0
    assert await knock(scene, "/inbox", body, headers) == 202
    await scene.network.settle()
    assert (await scene.dakar.one(status, id=post))["favourites_count"] == 0
