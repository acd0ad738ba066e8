"""Speaks for http-message-signatures 3: signs and verifies RFC 9421 requests, one JSON object a line."""

import datetime
import json
import sys
from types import SimpleNamespace

from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    InvalidSignature,
    MappingKeyResolver,
    algorithms,
)
from http_message_signatures.structures import CaseInsensitiveDict

ALGORITHMS = {"rsa": algorithms.RSA_V1_5_SHA256, "ed25519": algorithms.ED25519}


def message(question):
    """The request in the form the library wants."""
    return SimpleNamespace(
        method=question["method"], url=question["url"], headers=CaseInsensitiveDict(question["headers"])
    )


def content(question):
    """The body, or None for a request without one."""
    return None if question["body"] is None else question["body"].encode()


def sign(question):
    """Return all headers of the request after signing; the body's Content-Digest is made and covered."""
    keys = MappingKeyResolver(
        public_keys={}, private_keys={question["key_uri"]: question["private_pem"].encode()}
    )
    signer = HTTPMessageSigner(signature_algorithm=ALGORITHMS[question["kind"]], key_resolver=keys)
    request = message(question)
    signer.sign(
        request,
        key_id=question["key_uri"],
        created=datetime.datetime.fromtimestamp(question["created"], datetime.UTC),
        include_alg=question["include_alg"],
        covered_component_ids=question["names"],
        body=content(question),
    )
    return dict(request.headers.items())


def verify(question):
    """Say what the signature of a request covers, or None when the library does not believe it."""
    keys = MappingKeyResolver(
        public_keys={question["key_uri"]: question["public_pem"].encode()}, private_keys={}
    )
    verifier = HTTPMessageVerifier(signature_algorithm=ALGORITHMS[question["kind"]], key_resolver=keys)
    try:
        (result,) = verifier.verify(message(question), body=content(question))
    except InvalidSignature:
        return None
    return result.covered_components


def main():
    """Answer until the input ends."""
    verbs = {"sign": sign, "verify": verify}
    for line in sys.stdin:
        question = json.loads(line)
        try:
            reply = {"answer": verbs[question["verb"]](question)}
        except Exception as error:
            reply = {"failure": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)


main()
