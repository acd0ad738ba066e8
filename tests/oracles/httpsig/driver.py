"""Speaks for httpsig 1.3.0: signs and verifies draft-cavage requests, one JSON object a line."""

import json
import sys

from httpsig import HeaderSigner, HeaderVerifier


def sign(question):
    """Return the Signature header that httpsig makes."""
    signer = HeaderSigner(
        question["key_uri"],
        question["secret"],
        algorithm=question["algorithm"],
        headers=question["names"],
        sign_header="signature",
    )
    signed = signer.sign(question["headers"], method=question["method"], path=question["target"])
    return signed["signature"]


def verify(question):
    """Say whether httpsig believes a request; `secret` is what it is given as the actor's public key."""
    verifier = HeaderVerifier(
        question["headers"],
        question["secret"],
        required_headers=question["names"],
        method=question["method"],
        path=question["target"],
        sign_header="signature",
    )
    return verifier.verify()


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
