"""Names of the ActivityStreams vocabulary and of the media types it travels in."""

from __future__ import annotations

AS_CONTEXT = "https://www.w3.org/ns/activitystreams"
PUBLIC = f"{AS_CONTEXT}#Public"
PUBLIC_SPELLINGS = frozenset({PUBLIC, "as:Public", "Public"})

ACTIVITY_JSON = "application/activity+json"
LD_JSON = f'application/ld+json; profile="{AS_CONTEXT}"'
ACCEPT = f"{LD_JSON}, {ACTIVITY_JSON}"

ACTOR_TYPES = frozenset({"Person", "Group", "Organization", "Service", "Application"})
"""The five that Mastodon, GoToSocial, Akkoma and Misskey accept (federation.md A1)."""

FORBIDDEN_KEYWORDS = frozenset({"@graph", "@included", "@reverse"})
"""JSON-LD keywords that restructure a document: the source of the 2026 signature bypasses."""
