"""Actors: rows to documents with every property that peers need (federation.md A1), and documents to rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import RowMapping, and_, bindparam, select, update

from esnfed.bus import ActorChanged, PeerChanged
from esnfed.context import Context
from esnfed.errors import Malformed
from esnfed.federation import peers
from esnfed.federation.handling import receives
from esnfed.federation.keys import from_multibase, kind_of, multibase, public_der, public_pem
from esnfed.i18n import N_
from esnfed.models import actor, actor_key, insert
from esnfed.text.sanitise import sanitise
from esnfed.vocab import contexts, parse, paths
from esnfed.vocab.authority import authority_of, origin_of
from esnfed.vocab.parse import Document
from esnfed.vocab.terms import ACTOR_TYPES

MAX_KEYS = 10
RFC_9421 = "https://datatracker.ietf.org/doc/html/rfc9421"
IMPLEMENTS = [{"href": RFC_9421, "name": "RFC-9421: HTTP Message Signatures"}]
MAX_FIELDS = 50
MAX_ALIASES = 256

_KEYS = (
    select(actor_key)
    .where(actor_key.c.actor_id == bindparam("actor_id"), actor_key.c.retired_at.is_(None))
    .order_by(actor_key.c.id.desc())
)


def to_document(context: Context, row: RowMapping) -> Document:
    """Return the whole document of a local actor, as served and as sent in an Update."""
    uri, origin = row["uri"], context.config.origin
    document: Document = {
        "@context": contexts.ACTOR,
        "id": uri,
        "type": row["as_type"],
        "preferredUsername": row["handle"],
        "webfinger": f"{row['handle']}@{context.config.account_domain}",
        "name": row["name"] or row["handle"],
        "summary": row["summary"],
        "url": row["url"],
        "inbox": row["inbox"],
        "outbox": row["outbox"],
        "followers": row["followers_uri"],
        "following": row["following_uri"],
        "featured": row["featured_uri"],
        "endpoints": {"sharedInbox": paths.shared_inbox(origin)},
        "manuallyApprovesFollowers": row["locked"],
        "discoverable": row["discoverable"],
        "indexable": row["indexable"],
        "memorial": row["memorial"],
        "published": parse.iso(row["created_at"]),
        "updated": parse.iso(row["updated_at"]),
        "attachment": [
            {"type": "PropertyValue", "name": field["name"], "value": field["value"]}
            for field in row["fields"] or []
        ],
        "tag": [],
        "alsoKnownAs": row["also_known_as"] or [],
    }
    document |= _keys_of(context, row)
    document |= _pictures_of(row)
    if row["moved_to_uri"]:
        document["movedTo"] = row["moved_to_uri"]
    if row["attribution_domains"]:
        document["attributionDomains"] = row["attribution_domains"]
    # FEP-844e: what this server understands; of the node actor on itself, of others on their generator.
    if row["as_type"] == "Application":
        document["implements"] = IMPLEMENTS
    else:
        node = paths.node_actor(origin)
        document["generator"] = {"type": "Application", "id": node, "implements": IMPLEMENTS}
    return document


def _keys_of(context: Context, row: RowMapping) -> Document:
    keys = context.connection.execute(_KEYS, {"actor_id": row["id"]}).mappings().all()
    found: Document = {
        "assertionMethod": [
            {
                "id": key["uri"],
                "type": "Multikey",
                "controller": row["uri"],
                "publicKeyMultibase": multibase(key["public_der"]),
            }
            for key in keys
            if key["kind"] == "ed25519"
        ]
    }
    rsa = next((key for key in keys if key["kind"] == "rsa"), None)
    if rsa:
        # Peers read one key only: the newest.
        pem = public_pem(rsa["public_der"])
        found["publicKey"] = {"id": rsa["uri"], "owner": row["uri"], "publicKeyPem": pem}
    return found


def _pictures_of(row: RowMapping) -> Document:
    found: Document = {}
    for key, column in (("icon", "icon"), ("image", "image")):
        url = row[f"{column}_url"]
        if url:
            description = row[f"{column}_description"]
            found[key] = {"type": "Image", "url": url, "name": description, "summary": description}
    return found


def _reference(document: Document, key: str) -> str | None:
    """A collection or inbox of the actor: it must live where the actor lives."""
    uri = parse.web_address(document.get(key))
    return uri if uri and origin_of(uri) == origin_of(document["id"]) else None


def _shared_inbox(document: Document) -> str | None:
    endpoints = document.get("endpoints")
    inner = endpoints.get("sharedInbox") if isinstance(endpoints, dict) else None
    uri = parse.web_address(inner) or parse.web_address(document.get("sharedInbox"))
    return uri if uri and origin_of(uri) == origin_of(document["id"]) else None


def _picture(document: Document, key: str) -> tuple[str | None, str]:
    picture = parse.embedded(document.get(key)) or {}
    return parse.web_address(picture.get("url")), (
        parse.text(picture, "summary", 1500) or parse.text(picture, "name", 1500)
    )


def _fields(document: Document) -> list[dict[str, str]]:
    return [
        {"name": parse.text(item, "name", 2047), "value": sanitise(parse.text(item, "value", 2047))}
        for item in parse.items(document.get("attachment"), MAX_FIELDS)
        if isinstance(item, dict) and parse.type_of(item) == "PropertyValue"
    ]


def emojis_of(document: Document) -> list[dict[str, str]]:
    """Return [{"shortcode", "url"}] of the Emoji tags of a document, 64 at most."""
    found = []
    for item in parse.items(document.get("tag")):
        if isinstance(item, dict) and parse.type_of(item) == "Emoji":
            icon = parse.embedded(item.get("icon")) or {}
            url, shortcode = parse.web_address(icon.get("url")), parse.text(item, "name", 100).strip(":")
            if url and shortcode:
                found.append({"shortcode": shortcode, "url": url})
    return found[:64]


def read(document: Document, domain: str) -> dict[str, Any]:
    """Return the column values of a remote actor; raises Malformed when a server would reject it.

    `domain` is the verified account domain; "" takes the host of the id, which nobody else can claim.
    """
    uri = parse.identifier(document)
    as_type = parse.type_of(document)
    inbox = _reference(document, "inbox")
    handle = parse.text(document, "preferredUsername", 2049)
    if as_type not in ACTOR_TYPES or inbox is None or not 0 < len(handle) <= 2048:
        raise Malformed(N_("The actor has no known type, no inbox, or no user name."))
    host = authority_of(uri)
    page = parse.html_address(document.get("url"))
    icon_url, icon_description = _picture(document, "icon")
    image_url, image_description = _picture(document, "image")
    return {
        "as_type": as_type,
        "local": False,
        "handle": handle,
        "domain": domain or host,
        "host": host,
        "uri": uri,
        "url": page if page and authority_of(page) == host else uri,
        "inbox": inbox,
        "shared_inbox": _shared_inbox(document),
        "outbox": _reference(document, "outbox"),
        "followers_uri": _reference(document, "followers"),
        "following_uri": _reference(document, "following"),
        "featured_uri": _reference(document, "featured"),
        "name": parse.text(document, "name", 2048),
        "summary": sanitise(parse.text(document, "summary", 20_000)),
        "icon_url": icon_url,
        "icon_description": icon_description,
        "image_url": image_url,
        "image_description": image_description,
        "fields": _fields(document),
        "emojis": emojis_of(document),
        "also_known_as": parse.references(document.get("alsoKnownAs"), MAX_ALIASES),
        "moved_to_uri": parse.web_address(document.get("movedTo")),
        "attribution_domains": [
            item
            for item in parse.references(document.get("attributionDomains"), MAX_ALIASES)
            if len(item) <= 253
        ],
        "locked": parse.boolean(document, "manuallyApprovesFollowers"),
        "discoverable": parse.boolean(document, "discoverable"),
        "indexable": parse.boolean(document, "indexable"),
        "memorial": parse.boolean(document, "memorial"),
    }


def _listed_keys(document: Document) -> Iterator[tuple[str | None, Callable[[str], bytes], str]]:
    """Yield (key id, reader, text) of every key that the actor lists as its own."""
    uri = document["id"]
    for item in parse.items(document.get("publicKey"), MAX_KEYS):
        pem = parse.text(item, "publicKeyPem", 20_000) if isinstance(item, dict) else ""
        if pem and item.get("owner", uri) == uri:
            yield parse.reference(item), public_der, pem
    for item in parse.items(document.get("assertionMethod"), MAX_KEYS):
        multikey = parse.text(item, "publicKeyMultibase", 2000) if isinstance(item, dict) else ""
        if multikey and item.get("controller") == uri:
            yield parse.reference(item), from_multibase, multikey


def read_keys(document: Document) -> list[dict[str, Any]]:
    """Return [{"uri", "kind", "public_der"}] of the keys that the actor itself lists and owns."""
    owner = authority_of(parse.identifier(document))
    found: dict[str, dict[str, Any]] = {}
    for key_uri, reader, text in _listed_keys(document):
        if key_uri is None or key_uri in found or authority_of(key_uri) != owner:
            continue
        try:
            der = reader(text)
        except Malformed:
            continue  # a kind or size that is not used here; the actor's other keys still count
        found[key_uri] = {"uri": key_uri, "kind": kind_of(der), "public_der": der}
    return list(found.values())


_REFRESHED = (
    *("as_type", "handle", "domain", "host", "url", "inbox", "shared_inbox", "outbox"),
    *("followers_uri", "following_uri", "featured_uri", "name", "summary"),
    *("icon_url", "icon_description", "image_url", "image_description", "fields", "emojis"),
    *("also_known_as", "moved_to_uri", "attribution_domains"),
    *("locked", "discoverable", "indexable", "memorial", "updated_at", "fetched_at"),
)
_UPSERT = insert(actor)
_STORE = _UPSERT.on_conflict_do_update(
    index_elements=["uri"],
    set_={name: getattr(_UPSERT.excluded, name) for name in _REFRESHED},
    # A document never turns one of our own actors, or a deleted one, into something else.
    where=and_(actor.c.local.is_(False), actor.c.deleted_at.is_(None)),
).returning(actor.c.id)
_KEY_UPSERT = insert(actor_key)
_STORE_KEY = _KEY_UPSERT.on_conflict_do_update(
    index_elements=["uri"],
    set_={
        "public_der": _KEY_UPSERT.excluded.public_der,
        "kind": _KEY_UPSERT.excluded.kind,
        "retired_at": None,
    },
    # A key address belongs to the actor that listed it first (Akkoma 2025.03: mapping poisoning).
    where=and_(actor_key.c.actor_id == _KEY_UPSERT.excluded.actor_id),
)
_RETIRE_KEYS = (
    update(actor_key)
    .where(
        actor_key.c.actor_id == bindparam("owner_id"),
        actor_key.c.retired_at.is_(None),
        actor_key.c.uri.not_in(bindparam("kept", expanding=True)),
    )
    .values(retired_at=bindparam("now"))
)


@receives(*ACTOR_TYPES)
def store(context: Context, document: Document, domain: str = "") -> int:
    """Insert or update a remote actor and its keys; return its id. Raises Malformed, also for our own ids.

    The document must come from its origin: from a fetch of its id, or from the actor's own signed Update.
    """
    values = read(document, domain)
    if values["host"] == context.config.domain:
        raise Malformed(N_("A local address does not come from another server."))
    now = context.now()
    published = parse.timestamp(document.get("published"))
    values |= {
        "id": context.new_id(),
        "created_at": min(published or now, now),
        "updated_at": min(parse.timestamp(document.get("updated")) or now, now),
        "fetched_at": now,
    }
    actor_id = context.connection.execute(_STORE, values).scalar()
    if actor_id is None:
        raise Malformed(N_("This actor was deleted, and does not come back."))
    keys = read_keys(document)
    for key in keys:
        context.connection.execute(
            _STORE_KEY, key | {"id": context.new_id(), "actor_id": actor_id, "created_at": now}
        )
    if keys:
        kept = [key["uri"] for key in keys]
        context.connection.execute(_RETIRE_KEYS, {"owner_id": actor_id, "kept": kept, "now": now})
    if _takes_rfc_9421(document):
        peers.learned_scheme(context, values["host"], "rfc9421")
        context.after_commit(PeerChanged(values["host"]))
    context.after_commit(ActorChanged(actor_id))
    return int(actor_id)


def _takes_rfc_9421(document: Document) -> bool:
    """FEP-844e: a server says on the actor's generator, or on its own actor, what it understands."""
    said = parse.embedded(document.get("generator")) or document
    links = [link for link in parse.items(said.get("implements"), 64) if isinstance(link, dict)]
    return any(link.get("href") == RFC_9421 for link in links)
