"""No answer to any input is a 5xx, except the two that decisions.md names: a full queue, a key not to be had."""

from __future__ import annotations

import json
import logging
from random import Random

import pytest

from esnfed.errors import Busy
from esnfed.federation.keys import load_private
from esnfed.federation.signatures import Signer, sign
from esnfed.models import inbox_message
from tests.federation.peer import RSA
from tests.fuzz import corpus
from tests.fuzz.mutation import Mutator
from tests.hostile.scene import Scene, dumped
from tests.hostile.wire import Headers, Wire

INPUTS = 2_000
SEED = 20260102
NO_LINES = bytes.maketrans(b"\r\n\x00", b"   ")


class Generator:
    """Inbox requests: an honest one with its body, its headers, its target or its signature spoilt."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self._scene = scene
        self._random = Random(seed)
        self._mutator = Mutator(self._random, corpus.WORDS, corpus.VALUES)
        self._signer = Signer(scene.mallory["publicKey"]["id"], load_private(RSA.private_der))
        self._bodies = [self._adopt(body) for body in corpus.documents()] + [dumped(scene.create("x"))]
        self._number = 0

    def _adopt(self, body: bytes) -> bytes:
        """Let an activity of another program be one of Mallory's."""
        document = json.loads(body)
        if isinstance(document.get("object"), dict):
            document["object"]["attributedTo"] = self._scene.mallory["id"]
        return dumped(document | {"actor": self._scene.mallory["id"], "id": f"{self._scene.evil.origin}/a/1"})

    def next(self) -> tuple[bytes, bytes, Headers, bytes]:
        """Method, target, headers, body; in one of thirty the key that is named cannot be had just now."""
        random, self._number = self._random, self._number + 1
        body = random.choice(self._bodies).replace(b"/a/1", b"/a/%d" % self._number)
        if random.random() < 0.8:
            body = self._mutator.mutate(body, random.choice(self._bodies))
        target = random.choice(
            ("/inbox", "/inbox", "/inbox/", "/relay/inbox", f"/ap/actors/{self._scene.paul}/inbox")
        )
        headers = {"Host": self._scene.dakar.domain, "Content-Type": "application/activity+json"}
        scheme = random.choice(("cavage", "rfc9421"))
        url = f"{self._scene.dakar.origin}{target}"
        headers |= sign(scheme, self._signer, "POST", url, body, self._scene.network.now())  # type: ignore[arg-type]  # its two words
        if random.random() < 0.03:
            headers = {
                name: value.replace("/users/mallory#", f"/failing/{self._number}#")
                for name, value in headers.items()
            }
        pairs = [(name, value.encode()) for name, value in headers.items()]
        if random.random() < 0.5:
            place = random.randrange(len(pairs))
            name, value = pairs[place]
            spoilt = self._mutator.mutate(value, random.choice(pairs)[1]).translate(NO_LINES)[:7_000]
            pairs[place] = (name, spoilt)
            if random.random() < 0.1:
                pairs.append((name, value))
        if random.random() < 0.05:
            target += (
                self._mutator.mutate(b"?a=b", b"/x")
                .translate(NO_LINES)
                .decode("latin-1")
                .replace(" ", "%20")[:500]
            )
        method = random.choice((b"PUT", b"GET", b"OPTIONS")) if random.random() < 0.02 else b"POST"
        return method, target.encode("latin-1"), pairs, body


async def test_no_answer_of_the_inbox_is_a_5xx(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.evil.misbehave("failing", "/failing/")
    generator = Generator(scene, SEED)
    counted: dict[int, int] = {}
    async with Wire(scene.network.hosts[scene.dakar.domain][1]) as wire:
        for number in range(INPUTS):
            method, target, headers, body = generator.next()
            found, answer = await wire.ask(method, target, headers, body)
            counted[found] = counted.get(found, 0) + 1
            scene.network.advance(200)
            if found == 503:
                assert b"The key of the signature could not be fetched just now." in answer, (headers, answer)
                assert b"retry-after:" in answer.lower()
            assert 0 < found < 500 or found == 503, (number, found, method, target, headers, body[:2_000])
            if number % 100 == 0:
                await scene.network.settle()
    for _ in range(10):  # what could not be fetched is tried again until it is over
        scene.network.advance(13 * 3600 * 1000)
        await scene.network.settle()
    unexpected = [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.ERROR and record.name.startswith("esnfed")
    ]
    assert unexpected == [], unexpected[:3]
    assert await scene.stuck() == []
    assert set(counted) >= {202, 400, 401, 503}, counted
    assert len(await scene.dakar.rows(inbox_message)) > 100


async def test_a_full_queue_is_the_other_503(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise Busy(retry_after=10)

    monkeypatch.setattr(scene.dakar.node.database, "admit", full)
    generator = Generator(scene, SEED + 1)
    async with Wire(scene.network.hosts[scene.dakar.domain][1]) as wire:
        for _ in range(50):
            _, _, _, body = generator.next()
            found, answer = await wire.ask(b"POST", b"/inbox", [("Host", scene.dakar.domain.encode())], body)
            assert found == 503
            assert b"retry-after: 10" in answer.lower()


DOORS = (
    b"/.well-known/webfinger?resource=acct:paul@dakar.esn.test", b"/.well-known/webfinger", b"/.well-known/host-meta",
    b"/.well-known/nodeinfo", b"/nodeinfo/2.1", b"/ap/actors/1", b"/ap/actors/1/outbox/5", b"/ap/objects/1", b"/relay",
    b"/ap/activities/1", b"/@paul", b"/@paul/1", b"/", b"/ap/actors/1/followers?page=2", b"/tags/x", b"/r/1/x",
)  # fmt: skip


async def test_no_answer_to_a_stranger_who_asks_is_a_5xx(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """A Host of five thousand digits after the colon was one, when the fuzzer found it."""
    random = Random(SEED)
    mutator = Mutator(random, corpus.WORDS, corpus.VALUES)
    signer = Signer(scene.mallory["publicKey"]["id"], load_private(RSA.private_der))
    async with Wire(scene.network.hosts[scene.dakar.domain][1]) as wire:
        found, _ = await wire.ask(b"GET", b"/relay", [("Host", b"dakar.esn.test:" + b"1" * 5_000)], b"")
        assert found == 400
        for number in range(1_200):
            target = random.choice(DOORS)
            signed = sign(
                "cavage", signer, "GET", f"{scene.dakar.origin}{target.decode()}", None, scene.network.now()
            )
            headers = {
                "Accept": "application/activity+json",
                "Accept-Language": "fr",
                "If-None-Match": '"x"',
            } | signed
            pairs = [(name, value.encode()) for name, value in headers.items()]
            place = random.randrange(len(pairs))
            pairs[place] = (
                pairs[place][0],
                mutator.mutate(pairs[place][1], b"x").translate(NO_LINES)[:7_000],
            )
            if random.random() < 0.7:
                target = (
                    mutator.mutate(target, random.choice(DOORS))
                    .translate(NO_LINES)
                    .replace(b" ", b"%20")[:4_000]
                )
            # A target that begins otherwise is aiohttp's to judge, before anything of ours runs.
            found, _ = await wire.ask(b"GET", b"/" + target.lstrip(b"/"), pairs, b"")
            scene.network.advance(200)
            assert 0 < found < 500, (number, found, target, pairs)
    assert [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.ERROR and record.name.startswith("esnfed")
    ] == []
