"""Structured fields (RFC 8941, RFC 9651) read strictly, over http-sf."""

from __future__ import annotations

from typing import NoReturn, TypeVar, cast

import http_sf
from http_sf.types import DictionaryType, InnerListType, ItemType, ParamsType

from esnfed.errors import Malformed

Value = TypeVar("Value")


def _refuse_duplicate(key: str, where: str) -> NoReturn:
    raise Malformed(f"A {where} key appears twice in a structured header.")


def parse_dictionary(text: str) -> DictionaryType:
    """Parse a dictionary field; every member is a pair of value and parameters.

    Malformed for anything else than the grammar, and for a repeated key of a dictionary or of parameters: the
    RFC keeps the last one, and two readers that disagree are how signatures get bypassed.
    """
    try:
        return cast(
            DictionaryType,
            http_sf.parse(text.encode("ascii"), tltype="dictionary", on_duplicate_key=_refuse_duplicate),
        )
    except (ValueError, ArithmeticError):
        raise Malformed("A structured header is malformed.") from None


def serialise(value: ItemType | InnerListType) -> str:
    """Write an item or an inner list as `@signature-params` needs it; Malformed if that cannot be done."""
    try:
        return http_sf.ser({"x": value}).removeprefix("x=")
    except (ValueError, ArithmeticError):
        raise Malformed("A structured header holds a value that cannot be written again.") from None


def parameter(params: ParamsType, name: str, kind: type[Value]) -> Value | None:
    """Return a parameter that must be of exactly this type (a boolean is no integer), None when absent."""
    value = params.get(name)
    if value is None:
        return None
    if type(value) is not kind:
        raise Malformed(f"The parameter {name} of a signature has the wrong type.")
    return value
