"""Proofs: the vectors of W3C and of FEP-8b32, what we make, and every way in which one can be wrong."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from esnfed.errors import Unauthenticated
from esnfed.federation import multikey, proofs
from esnfed.federation.jcs import canonical
from esnfed.federation.keys import PublicKey, from_multibase, generate_rsa, load_public
from esnfed.vocab import parse
from esnfed.vocab.terms import AS_CONTEXT, PUBLIC

Document = dict[str, Any]

FIXTURES = Path(__file__).parents[2] / "fixtures" / "vc-di-eddsa"
W3C = json.loads((FIXTURES / "w3c.json").read_text("utf-8"))
FEP = json.loads((FIXTURES / "fep-8b32.json").read_text("utf-8"))
PRIVATE = Ed25519PrivateKey.from_private_bytes(multikey.unbase58(W3C["keys"]["privateKeyMultibase"][1:])[2:])
PUBLIC_KEY = load_public(from_multibase(W3C["keys"]["publicKeyMultibase"]))
KEY = "https://lyon.esn.test/ap/actors/1#ed25519-key"
NOW = 1_790_000_000_123
ACTIVITY = {
    "@context": [AS_CONTEXT, {"sensitive": "as:sensitive"}],
    "id": "https://lyon.esn.test/ap/activities/2",
    "type": "Create",
    "actor": "https://lyon.esn.test/ap/actors/1",
    "published": parse.iso(NOW),
    "to": [PUBLIC],
    "object": {"id": "https://lyon.esn.test/ap/objects/3", "type": "Note", "content": "<p>Été</p>"},
}


def made(document: Document = ACTIVITY) -> Document:
    """The document with our proof, as a peer would parse it."""
    return parse.load(parse.dump(proofs.add(document, KEY, PRIVATE, NOW)))


def judge(document: Document, key: PublicKey = PUBLIC_KEY, now: int = NOW) -> bool:
    """True for a right proof, False for one that is not looked at; Unauthenticated for a wrong one."""
    proof = proofs.find(document, now)
    if proof is None:
        return False
    proofs.verify(proof, document, key)
    return True


def resigned(change: Callable[[Document], None]) -> Document:
    """Our document with a proof that was changed, and whose signature is right for the change."""
    document = made()
    change(document["proof"])
    options = {name: value for name, value in document["proof"].items() if name != "proofValue"}
    bare = {name: value for name, value in document.items() if name != "proof"}
    digest = hashlib.sha256(canonical(options)).digest() + hashlib.sha256(canonical(bare)).digest()
    document["proof"]["proofValue"] = "z" + multikey.base58(PRIVATE.sign(digest))
    return document


@pytest.mark.parametrize("vectors", [W3C, FEP], ids=["w3c", "fep-8b32"])
def test_the_published_proofs_verify(vectors: Document) -> None:
    assert judge(vectors["signed"])


def test_the_parts_of_the_vector_are_what_is_published() -> None:
    proof = proofs.find(W3C["signed"], NOW)
    assert proof is not None
    assert proof.value.hex() == W3C["signature"]
    bare = {name: value for name, value in W3C["signed"].items() if name != "proof"}
    assert hashlib.sha256(canonical(bare)).hexdigest() == W3C["documentHash"]
    assert proof.created == parse.timestamp("2023-02-24T23:36:38Z")


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path to every text and number of a document."""
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in leaves(inner, (*path, key))]
    if isinstance(value, list):
        return [found for index, inner in enumerate(value) for found in leaves(inner, (*path, index))]
    return [path]


def at(document: Document, path: tuple[Any, ...]) -> Any:
    """What holds the last step of the path."""
    for step in path[:-1]:
        document = document[step]
    return document


@pytest.mark.parametrize(
    ("signed", "path"),
    [(each["signed"], path) for each in (W3C, FEP) for path in leaves(each["signed"])],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_no_value_can_be_changed(signed: Document, path: tuple[Any, ...]) -> None:
    document = copy.deepcopy(signed)
    holder = at(document, path)
    holder[path[-1]] = holder[path[-1]] + ("x" if isinstance(holder[path[-1]], str) else 1)
    try:
        assert not judge(document)
    except Unauthenticated:
        return
    assert path in {("proof", "type"), ("proof", "cryptosuite")}, "only another kind of proof is passed over"


@pytest.mark.parametrize("path", leaves(FEP["signed"]), ids=lambda path: ".".join(map(str, path)))
def test_no_value_can_be_left_out(path: tuple[Any, ...]) -> None:
    document = copy.deepcopy(FEP["signed"])
    del at(document, path)[path[-1]]
    try:
        assert not judge(document)
    except Unauthenticated:
        return
    assert path in {("proof", "type"), ("proof", "cryptosuite"), ("proof", "verificationMethod")}


@given(st.text(min_size=1).filter(lambda name: name not in ("proof", "signature")), st.integers())
def test_nothing_can_be_added(name: str, value: int) -> None:
    document = made()
    if name in document:
        name += "x"
    with pytest.raises(Unauthenticated):
        judge(document | {name: value})


def test_a_linked_data_signature_beside_it_is_not_covered() -> None:
    assert judge(made() | {"signature": {"type": "RsaSignature2017"}})


def test_the_order_of_keys_and_the_spelling_of_numbers_do_not_matter() -> None:
    document = made(ACTIVITY | {"latitude": 45.5, "zero": -0.0, "width": 100})
    text = json.dumps(dict(reversed(document.items())), indent=3).replace('"zero": 0.0', '"zero": -0')
    assert judge(parse.load(text.replace('"width": 100', '"width": 1e2').encode()))


def test_another_key_and_an_rsa_key_do_not_verify() -> None:
    other = Ed25519PrivateKey.generate().public_key()
    with pytest.raises(Unauthenticated, match="does not verify"):
        judge(made(), other)
    with pytest.raises(Unauthenticated, match="not an Ed25519 key"):
        judge(made(), load_public(generate_rsa().public_der))


def test_what_we_make_is_the_same_each_time_and_covers_all() -> None:
    assert made() == made()
    document = made()
    assert judge(document)
    assert {name: value for name, value in document.items() if name not in ("proof", "@context")} == {
        name: value for name, value in ACTIVITY.items() if name != "@context"
    }
    proof = dict(document["proof"])
    assert len(proof.pop("proofValue")) in (87, 88, 89)
    assert proof == {
        "@context": [AS_CONTEXT, proofs.DATA_INTEGRITY, {"sensitive": "as:sensitive"}],
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "verificationMethod": KEY,
        "proofPurpose": "assertionMethod",
        "created": ACTIVITY["published"].partition(".")[0] + "Z",  # type: ignore[attr-defined]  # a text
    }


@pytest.mark.parametrize(
    ("context", "secured"),
    [
        (AS_CONTEXT, [AS_CONTEXT, proofs.DATA_INTEGRITY]),
        ([AS_CONTEXT], [AS_CONTEXT, proofs.DATA_INTEGRITY]),
        ([AS_CONTEXT, {"a": "b"}], [AS_CONTEXT, proofs.DATA_INTEGRITY, {"a": "b"}]),
        ([AS_CONTEXT, "x", proofs.DATA_INTEGRITY], [AS_CONTEXT, "x", proofs.DATA_INTEGRITY]),
        (None, [AS_CONTEXT, proofs.DATA_INTEGRITY]),
    ],
)
def test_the_context_becomes_a_list_that_names_the_terms_of_a_proof(context: Any, secured: Any) -> None:
    document = proofs.add({"@context": context, "type": "Like"}, KEY, PRIVATE, NOW)
    assert document["@context"] == document["proof"]["@context"] == secured


def test_a_former_proof_is_replaced_not_covered() -> None:
    again = proofs.add(made(), KEY, PRIVATE, NOW)
    assert again == made()


@pytest.mark.parametrize(
    "change",
    [
        {"type": "Ed25519Signature2020"},
        {"cryptosuite": "eddsa-rdfc-2022"},
        {"cryptosuite": "mldsa44-jcs-2024"},
        {"verificationMethod": "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"},
        {"verificationMethod": 7},
        {"verificationMethod": "https://lyon.esn.test/\x00"},
        {"expires": parse.iso(NOW)},
        {"expires": "soon"},
    ],
    ids=str,
)
def test_a_proof_that_is_not_for_us_to_judge_is_as_none(change: Document) -> None:
    assert not judge(resigned(lambda proof: proof.update(change)))


@pytest.mark.parametrize("proof", [None, "yes", 7, [], {}, [{}, {}], [None]], ids=str)
def test_what_is_no_proof_is_none(proof: Any) -> None:
    assert proofs.find(ACTIVITY | {"proof": proof}, NOW) is None


def test_several_proofs_are_none_and_a_list_of_one_is_one() -> None:
    document = made()
    assert not judge(document | {"proof": [document["proof"]] * 2})
    assert judge(document | {"proof": [document["proof"]]})


def test_a_proof_is_good_until_it_expires() -> None:
    document = resigned(lambda proof: proof.update(expires=parse.iso(NOW + 1)))
    assert judge(document)
    assert not judge(document, now=NOW + 1)


@pytest.mark.parametrize("purpose", ["authentication", "", None, ["assertionMethod"]])
def test_a_proof_for_another_purpose_is_wrong(purpose: Any) -> None:
    with pytest.raises(Unauthenticated, match="purpose"):
        judge(resigned(lambda proof: proof.update(proofPurpose=purpose)))


@pytest.mark.parametrize(
    "context",
    [
        "https://example.org/other",
        [AS_CONTEXT, "https://example.org/other"],
        [proofs.DATA_INTEGRITY, AS_CONTEXT],
        [AS_CONTEXT, proofs.DATA_INTEGRITY, {"sensitive": "as:sensitive"}, "https://example.org/more"],
        {},
        7,
    ],
    ids=str,
)
def test_the_context_of_the_proof_must_be_the_beginning_of_the_documents(context: Any) -> None:
    with pytest.raises(Unauthenticated, match="context"):
        judge(resigned(lambda proof: proof.update({"@context": context})))


def test_contexts_that_were_added_behind_that_of_the_proof_change_nothing() -> None:
    document = made()
    document["@context"] = [*document["@context"], "https://example.org/added"]
    assert judge(document)


def test_a_proof_without_a_context_covers_that_of_the_document() -> None:
    document = resigned(lambda proof: proof.pop("@context") and None)
    assert judge(document)
    document["@context"] = [*document["@context"], "https://example.org/added"]
    with pytest.raises(Unauthenticated, match="does not verify"):
        judge(document)


GOOD = made()["proof"]["proofValue"]


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        "",
        "z",
        GOOD[1:],
        "u" + GOOD[1:],
        GOOD[:-1],
        GOOD + "1",
        "z" + "0" * 87,
        "z" + "2" * 5000,
        "z1" + GOOD[1:],
    ],
    ids=range(11),
)
def test_a_value_that_is_no_signature_is_wrong(value: Any) -> None:
    document = made()
    document["proof"]["proofValue"] = value
    with pytest.raises(Unauthenticated):
        judge(document)


def test_a_number_that_readers_would_read_differently_cannot_be_proven() -> None:
    document = made()
    with pytest.raises(Unauthenticated, match="does not verify"):
        judge(document | {"big": 1 << 60})
