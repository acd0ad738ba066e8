"""Addresses of our own things, in one place: they never change. `origin` is scheme and authority."""

from __future__ import annotations

from urllib.parse import quote

NODE_ACTOR = "/relay"
SHARED_INBOX = "/inbox"
FOLLOWERS_SYNC = "followers_synchronization"
"""Under an actor: its followers on the server that asks (FEP-8fcf)."""


def actor(origin: str, actor_id: int) -> str:
    """Id of a local actor (not of the node actor, which is `node_actor`)."""
    return f"{origin}/ap/actors/{actor_id}"


def followers(actor_uri: str) -> str:
    """Id of the followers collection of a local actor."""
    return f"{actor_uri}/followers"


def node_actor(origin: str) -> str:
    """Id of the node's Application actor; it ends in /relay for LitePub servers (FEP-ae0c)."""
    return f"{origin}{NODE_ACTOR}"


def object_(origin: str, status_id: int) -> str:
    """Id of a local object."""
    return f"{origin}/ap/objects/{status_id}"


def context(origin: str, status_id: int) -> str:
    """Id of the conversation that begins with a local status (FEP-7888)."""
    return f"{object_(origin, status_id)}/context"


def replies(origin: str, status_id: int) -> str:
    """Id of the replies collection of a local status."""
    return f"{object_(origin, status_id)}/replies"


def activity(origin: str, activity_id: int) -> str:
    """Id of a local activity."""
    return f"{origin}/ap/activities/{activity_id}"


def shared_inbox(origin: str) -> str:
    """Address of the node's shared inbox."""
    return f"{origin}{SHARED_INBOX}"


def profile_page(origin: str, handle: str, *, organisation: bool = False) -> str:
    """HTML page of a local actor: /o/handle for organisations, /@handle for everybody else."""
    return f"{origin}/o/{handle}" if organisation else f"{origin}/@{handle}"


def status_page(origin: str, handle: str, status_id: int) -> str:
    """HTML page of a local status."""
    return f"{origin}/@{handle}/{status_id}"


def record_page(origin: str, status_id: int, slug: str = "") -> str:
    """HTML page of a local record; the slug is decoration, the id alone finds it."""
    return f"{origin}/r/{status_id}/{slug}" if slug else f"{origin}/r/{status_id}"


def tag_page(origin: str, name: str) -> str:
    """HTML page of a hashtag, named without #; one address whatever the case in which it was typed."""
    return f"{origin}/tags/{quote(name.casefold())}"
