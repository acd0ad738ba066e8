"""What every command that creates a person or an actor needs: fresh keys, and the words agreed to."""

from __future__ import annotations

from esnfed.cli.texts import language
from esnfed.federation.keys import generate_ed25519, generate_rsa
from esnfed.i18n import N_
from esnfed.services.actors import NewKeys
from esnfed.services.users import ConsentGiven

CONSENT_VERSION = "1"
"""Rises with every change of meaning of CONSENT."""

CONSENT = N_(
    "This account federates: its profile, its public posts and its follows are sent to other servers, which "
    "may keep them. On the node of a union or a mutual society the account itself tells of a membership."
)


def new_keys() -> NewKeys:
    """Make the two key pairs of a new actor; takes up to a second, so never inside a unit of work."""
    rsa, ed25519 = generate_rsa(), generate_ed25519()
    return NewKeys(rsa.public_der, rsa.private_der, ed25519.public_der, ed25519.private_der)


def federation_consent() -> ConsentGiven:
    """Return the receipt of consent to federation, in the language in which CONSENT was shown."""
    return ConsentGiven("federation", CONSENT_VERSION, language())
