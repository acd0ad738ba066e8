"""What the fuzzers start from: documents of real programs, honest requests, and words that have hurt others."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import orjson

from esnfed.federation.keys import KeyPair, generate_rsa, load_private
from esnfed.federation.signatures import Signer, sign
from esnfed.vocab.terms import PUBLIC

FIXTURES = Path(__file__).parents[1] / "fixtures"
PROGRAMS = ("akkoma", "gotosocial", "lemmy", "mastodon", "misskey", "peertube", "wordpress", "golden")
NOW = 1_767_225_600_000
NODE = "node.esn.test"
KEY_URI = "https://peer.esn.test/users/a#main-key"
ACTOR_WORDS = ("actor", "community", "channel", "person", "organization", "application", "key")

WORDS = (
    "", " ", "\x00", "\ud800", "\udfff", "\u2028", "\u202e", "\ufeff", "ß", "İ", "ｅ", "💥", "e\u0301" * 40,
    "@graph", "@included", "@reverse", "@context", "\\u0040graph", "\\ud800", "null", "[", "{", '"', "\\", ",",
    "[" * 70, '{"a":' * 70, "<", "<p>", "</p>", "<!--", "-->", "<![CDATA[", "<svg><math><mtext>", "<table><a>",
    "<script>alert(1)</script>", "<a href='javascript:alert(1)'>", "<h1 ", "<plaintext>", "<noscript><p title='",
    "&#0;", "&#xD800;", "&lt;", "&" * 50, "<b" * 60, "<!DOCTYPE a [<!ENTITY b 'c'>]>", "&b;", "{uri}",
    "https://", "https://peer.esn.test/users/a", "https://node.esn.test/ap/actors/1", "https://[::1]/",
    "https://[v1.x]/", "https://a@b/", "https://peer.esn.test:99999/", "https://xn--a/", "https://xn--/", "//", "#",
    "https://peer.esn.test:" + "9" * 30 + "/", "javascript:alert(1)", "data:text/html,x", "acct:a@peer.esn.test",
    "acct:@", PUBLIC, "as:Public", "Note", "Person", "Question", "Event", "Video", "Tombstone", "Create",
    "2026-13-45T99:99:99Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999-23:59", "PT99999999H", "1e999",
    "fr", "xx-" * 20, "zh-Hant-TW", "keyId=", 'headers="', "(request-target)", "(created)", "sig1=(", ";alg=", ":=:",
    ":" * 9, "=?utf-8?q?", "%00", "%u0000", "%2e%2e", "..", "application/ld+json", "profile*=utf-8''%ff",
    "-----BEGIN PUBLIC KEY-----", "z6Mk", "z" * 90, "eddsa-jcs-2022", "DataIntegrityProof",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**53, 2**63 - 1, 2**64 - 1, 0.5, -0.0, 1e308, "", [], {}, [None], [[]],
    [{}], {"id": None}, {"type": ["Note", "Person"]}, {"@id": "x"}, ["a"] * 300, [{"a": "b"}] * 300, "x" * 3000,
    {"": {"": {"": ""}}}, {f"k{number}": "v" for number in range(50)}, {"type": "Link", "href": [{"href": 1}]},
)  # fmt: skip


@cache
def pair() -> KeyPair:
    """The RSA key of the peer."""
    return generate_rsa()


@cache
def documents(*words: str) -> tuple[bytes, ...]:
    """JSON of real programs whose file name holds one of the words; all without."""
    files = (path for program in PROGRAMS for path in sorted((FIXTURES / program).glob("*.json")))
    chosen = (path for path in files if not words or any(word in path.stem for word in words))
    return tuple(orjson.dumps(orjson.loads(path.read_bytes())) for path in chosen)


@cache
def objects() -> tuple[bytes, ...]:
    """The posts and other things that activities embed."""
    whole = (orjson.loads(data) for data in documents())
    inner = (document.get("object") for document in whole if isinstance(document, dict))
    found = [orjson.dumps(one) for one in inner if isinstance(one, dict)]
    more = (
        {
            "id": "https://peer.esn.test/e/1", "type": "Event", "name": "Atelier", "startTime": "2026-02-01T10:00:00Z",
            "endTime": "2026-02-01T12:00:00Z", "timezone": "Europe/Paris", "status": "CONFIRMED",
            "location": {"type": "Place", "name": "Lyon", "address": {"streetAddress": "1 rue X"}},
        },
        {
            "id": "https://peer.esn.test/q/1", "type": "Question", "content": "<p>?</p>",
            "endTime": "2026-02-01T10:00:00Z",
            "oneOf": [{"type": "Note", "name": "oui", "replies": {"totalItems": 3}}, {"type": "Note", "name": "non"}],
            "votersCount": 3, "closed": "2026-02-01T10:00:00Z",
        },
        {
            "id": "https://peer.esn.test/v/1", "type": "Video", "name": "Film", "duration": "PT1H2M3S",
            "mediaType": "text/markdown", "content": "**gras** [x](https://x.example)", "image": [{"url": "https://p/x"}],
            "url": [{"type": "Link", "mediaType": "video/mp4", "href": "https://peer.esn.test/v.mp4", "tag": []}],
        },
        {
            "id": "https://peer.esn.test/p/1", "type": "Page", "name": "Lien", "audience": "https://peer.esn.test/c/1",
            "attachment": [{"type": "Link", "href": "https://x.example/"}], "image": {"url": "https://peer.esn.test/i"},
        },
    )  # fmt: skip
    return (*found, *(orjson.dumps(one) for one in more))


@cache
def requests() -> tuple[bytes, ...]:
    """Honest signed requests, one header a line: `Name: value`."""
    signer = Signer(KEY_URI, load_private(pair().private_der))
    found = []
    for scheme in ("cavage", "rfc9421"):
        for method, body in (("POST", b"{}"), ("GET", None)):
            headers = sign(scheme, signer, method, f"https://{NODE}/inbox?a=b", body, NOW)  # type: ignore[arg-type]  # its two words
            found.append("\n".join(f"{name}: {value}" for name, value in headers.items()).encode())
    return tuple(found)


FINGERS = (
    b'{"subject":"acct:a@peer.esn.test","aliases":["https://peer.esn.test/users/a"],"links":[{"rel":"self",'
    b'"type":"application/activity+json","href":"https://peer.esn.test/users/a"}]}',
    b'{"subject":"acct:a@other.esn.test","links":[{"rel":"self","type":"application/ld+json; profile=\\"'
    b'https://www.w3.org/ns/activitystreams\\"","href":"https://peer.esn.test/users/a"}]}',
)
HOST_META = (
    b'<?xml version="1.0" encoding="UTF-8"?><XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">'
    b'<Link rel="lrdd" template="https://peer.esn.test/.well-known/webfinger?resource={uri}"/></XRD>',
)
NODE_INFO = (
    b'{"links":[{"rel":"http://nodeinfo.diaspora.software/ns/schema/2.1","href":"https://peer.esn.test/ni"}],'
    b'"software":{"name":"x","version":"1"},"protocols":["activitypub"],"openRegistrations":false}',
)
HEADERS = (
    b'application/ld+json; profile="https://www.w3.org/ns/activitystreams"\n120\npeer.esn.test:443',
    b"application/activity+json; charset=utf-8\nWed, 21 Oct 2026 07:28:00 GMT\n[2001:db8::1]:8443",
)
HTML = (
    b'<p>Bonjour <span class="h-card"><a href="https://x.example/@a" class="u-url mention">@<span>a</span></a></span>'
    b"</p><ul><li>un</li></ul><h2>Titre</h2><pre><code>x &lt; y</code></pre>",
    b"<div><ruby>a<rt>b</rt></ruby><ol start=3 reversed><li value=2>x</ol><blockquote><p lang=fr>y</blockquote>",
    b"<svg><math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
)
