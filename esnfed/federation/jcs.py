"""JSON Canonicalization Scheme (RFC 8785): the one spelling of a document that is hashed for a proof."""

from __future__ import annotations

from typing import Any, Final

import orjson
import rfc8785

from esnfed.errors import Malformed

MAX_INTEGER: Final = (1 << 53) - 1
"""Beyond it JSON numbers lose digits (RFC 7493): two readers would hash two documents."""


def canonical(value: Any) -> bytes:
    """Return the canonical bytes of a parsed JSON value.

    Raises Malformed for what has none: integers over 2^53 - 1, NaN and infinities, lone surrogates, keys
    that are no text. Where both give the same, a sorted dump by orjson stands in for rfc8785, which takes
    seventy times as long; documents with a float never take that road.
    """
    try:
        if _is_plain(value):
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        return rfc8785.dumps(value)
    except (ValueError, TypeError):  # their errors for numbers, texts and keys that have no canonical form
        raise Malformed("The document has no canonical form.") from None


def _is_plain(value: Any) -> bool:
    """Say whether a sorted dump is exact: ASCII keys, no floats, safe integers, and only JSON's own types.

    RFC 8785 orders keys by UTF-16 units and writes numbers as ECMAScript does; orjson orders by bytes, and
    writes floats and the types of Python's library in its own way. Texts are escaped alike by both.
    """
    waiting = [value]
    while waiting:
        one = waiting.pop()
        kind = type(one)
        if kind is str or kind is bool or one is None:
            continue
        if kind is dict:
            if not all(type(key) is str and key.isascii() for key in one):
                return False
            waiting.extend(one.values())
        elif kind is list:
            waiting.extend(one)
        elif kind is not int or not -MAX_INTEGER <= one <= MAX_INTEGER:
            return False
    return True
