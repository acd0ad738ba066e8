"""HTTP message signatures of RFC 9421, the part of it that federation uses."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Final

from http_sf.types import ItemType, ParamsType

from esnfed.errors import Malformed, Unauthenticated
from esnfed.federation.digests import content_digest_header
from esnfed.federation.parsed_signature import (
    MAX_COMPONENTS,
    MAX_HEADER_LENGTH,
    KeyKind,
    ParsedSignature,
    SignedRequest,
    milliseconds,
    signature_bytes,
)
from esnfed.federation.structured import parameter, parse_dictionary, serialise

LABEL = "sig1"

ALGORITHMS: Final[dict[str, KeyKind]] = {"rsa-v1_5-sha256": "rsa", "ed25519": "ed25519"}
"""What an `alg` parameter claims of the key. It chooses no algorithm; one that is not here is refused."""

_FIELD = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
_PRINTABLE = re.compile(r"[\t\x20-\x7e]*")


def parse(request: SignedRequest, signature_input: str, signature: str) -> ParsedSignature:
    """Read the one signature of a request and build the base it must have signed.

    Malformed (400) for broken fields and for several signatures, which Mastodon refuses as well;
    Unauthenticated (401) for components we do not have, parameters of components, and foreign algorithms.
    """
    components, params, raw = _one_signature(signature_input, signature)
    names = _names(components)
    created = parameter(params, "created", int)
    expires = parameter(params, "expires", int)
    alg = parameter(params, "alg", str)
    key_uri = parameter(params, "keyid", str)
    if not key_uri:
        raise Malformed("The signature names no key.")
    if created is None:
        raise Unauthenticated("The signature does not say when it was made.")
    if alg is not None and alg not in ALGORITHMS:
        raise Unauthenticated("The signature names an algorithm that is not accepted.")
    return ParsedSignature(
        kind="rfc9421",
        key_uri=key_uri,
        signature=signature_bytes(raw),
        method=request.method.upper(),
        covered=frozenset(names),
        created=milliseconds(created),
        expires=None if expires is None else milliseconds(expires),
        bases=(signature_base(request, names, serialise((components, params))),),
        digest=_component(request, "content-digest") if "content-digest" in names else None,
        key_kind=None if alg is None else ALGORITHMS[alg],
    )


def signature_base(request: SignedRequest, names: list[str], params: str) -> bytes:
    """Build the signature base of section 2.5; `params` is the serialised `@signature-params`.

    Unauthenticated when a component is missing or unknown, Malformed when one is not printable ASCII.
    """
    return _base({name: _component(request, name) for name in names}, params)


def outgoing(
    method: str,
    target_uri: str,
    sha256: str | None,
    key_uri: str,
    algorithm: str,
    now_ms: int,
    also: Mapping[str, str] | None = None,
) -> tuple[dict[str, str], str, bytes]:
    """Return the headers a request of ours needs, its `@signature-params`, and the base to sign.

    `("@method" "@target-uri")`, and `content-digest` with a body: what Mastodon sends and asks for. `alg` is
    written because Fedify and WordPress do so themselves, Mastodon takes it, and WordPress would guess
    another hash for long RSA keys without it.
    """
    added: dict[str, str] = {}
    values = {"@method": method.upper(), "@target-uri": target_uri}
    if sha256 is not None:
        added["Content-Digest"] = values["content-digest"] = content_digest_header(sha256)
    for name, value in (also or {}).items():
        added[name] = values[name.lower()] = value
    described: ParamsType = {"created": now_ms // 1000, "keyid": key_uri, "alg": algorithm}
    components: list[ItemType] = [(name, {}) for name in values]
    params = serialise((components, described))
    return added, params, _base(values, params)


def headers(params: str, signature: bytes) -> dict[str, str]:
    """Write the two headers of a signature."""
    encoded = b64encode(signature).decode("ascii")
    return {"Signature-Input": f"{LABEL}={params}", "Signature": f"{LABEL}=:{encoded}:"}


def _base(values: dict[str, str], params: str) -> bytes:
    lines = [f'"{name}": {value}' for name, value in values.items()]
    lines.append(f'"@signature-params": {params}')
    return "\n".join(lines).encode("ascii")


def _one_signature(signature_input: str, signature: str) -> tuple[list[ItemType], ParamsType, bytes]:
    """The components, the parameters and the bytes of the one signature, under one label in both headers."""
    if len(signature_input) > MAX_HEADER_LENGTH or len(signature) > MAX_HEADER_LENGTH:
        raise Malformed("A signature header is too long.")
    inputs, signatures = parse_dictionary(signature_input), parse_dictionary(signature)
    if len(inputs) != 1 or inputs.keys() != signatures.keys():
        raise Malformed("The request must carry exactly one signature.")
    (label,) = inputs
    match inputs[label], signatures[label]:
        case (list(components), dict(params)), (bytes(raw), dict()):
            return components, params, raw
    raise Malformed("The signature headers are malformed.")


def _names(components: list[ItemType]) -> list[str]:
    names = []
    for component in components:
        match component:
            case (str(name), dict(params)) if name != "@signature-params" and name == name.lower():
                if params:
                    raise Unauthenticated(
                        "The signature covers a part of a header, which is not understood here."
                    )
                names.append(name)
            case _:
                raise Malformed("The signature covers something that is no component.")
    if len(names) > MAX_COMPONENTS or len(set(names)) != len(names):
        raise Malformed("The signature covers too many components, or one twice.")
    return names


def _component(request: SignedRequest, name: str) -> str:
    value = _derived(request, name) if name.startswith("@") else _header(request, name)
    if value is None:
        raise Unauthenticated(f"The signature covers {name}, which the request does not have.")
    if _PRINTABLE.fullmatch(value) is None:
        raise Malformed("A signed part of the request is not printable.")
    return value


def _header(request: SignedRequest, name: str) -> str | None:
    if _FIELD.fullmatch(name) is None:
        raise Malformed("The signature covers something that is no component.")
    return request.field(name)


def _derived(request: SignedRequest, name: str) -> str | None:
    """The derived components of section 2.2 that a request has; None for any other."""
    match name:
        case "@method":
            return request.method.upper()
        case "@target-uri":
            return f"{request.scheme}://{request.authority}{request.target}"
        case "@authority":
            return request.authority
        case "@scheme":
            return request.scheme
        case "@request-target":
            return request.target
        case "@path":
            return request.path or "/"
        case "@query":
            return "?" + request.target.partition("?")[2]
    return None
