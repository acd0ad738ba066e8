"""JSON-LD contexts of what we send: well-known addresses that libraries carry with them, and inline terms.

Nobody ever has to fetch a context from one of our nodes (federation.md, finding 3; decisions.md 8).
"""

from __future__ import annotations

from typing import Any

from esnfed.vocab.terms import AS_CONTEXT

ESN = "https://educationsolidarite.org/ns/esnfed#"

_TOOT = "http://joinmastodon.org/ns#"
_SECURITY = "https://w3id.org/security#"

ACTOR: list[Any] = [
    AS_CONTEXT,
    "https://w3id.org/security/v1",
    "https://w3id.org/security/multikey/v1",
    {
        "toot": _TOOT,
        "schema": "http://schema.org#",
        "assertionMethod": {"@id": f"{_SECURITY}assertionMethod", "@type": "@id", "@container": "@set"},
        "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
        "alsoKnownAs": {"@id": "as:alsoKnownAs", "@type": "@id"},
        "movedTo": {"@id": "as:movedTo", "@type": "@id"},
        "featured": {"@id": "toot:featured", "@type": "@id"},
        "discoverable": "toot:discoverable",
        "indexable": "toot:indexable",
        "memorial": "toot:memorial",
        "attributionDomains": {"@id": "toot:attributionDomains", "@type": "@id"},
        "PropertyValue": "schema:PropertyValue",
        "value": "schema:value",
        "webfinger": {"@id": "https://purl.archive.org/socialweb/webfinger#webfinger", "@type": "xsd:string"},
        "implements": {"@id": "https://w3id.org/fep/844e#implements", "@type": "@id", "@container": "@set"},
        "xsd": "http://www.w3.org/2001/XMLSchema#",
    },
]

OBJECT_TERMS: dict[str, Any] = {
    "toot": _TOOT,
    "ostatus": "http://ostatus.org#",
    "sensitive": "as:sensitive",
    "Hashtag": "as:Hashtag",
    "Emoji": "toot:Emoji",
    "blurhash": "toot:blurhash",
    "focalPoint": {"@container": "@list", "@id": "toot:focalPoint"},
    "conversation": "ostatus:conversation",
    "votersCount": "toot:votersCount",
}


def of_object(extra_terms: dict[str, Any] | None = None) -> list[Any]:
    """Return the context of a Note and its kin, with the terms of the extensions that it carries."""
    return [AS_CONTEXT, OBJECT_TERMS | (extra_terms or {})]
