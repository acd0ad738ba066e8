"""In which language a reader gets a text that exists in several."""

from __future__ import annotations

import pytest

from esnfed.http.reader import Reader

FRENCH = ("fr", "en", "es", "ar")


@pytest.mark.parametrize(
    ("reader", "available", "language"),
    [
        (Reader("fr"), FRENCH, "fr"),
        (Reader("en"), FRENCH, "en"),
        (Reader("fr", accepts="ar, fr;q=0.5"), FRENCH, "ar"),
        (Reader("fr", accepts="ar-MA"), FRENCH, "ar"),
        (Reader("en", wanted="ar", kept="fr", accepts="es"), FRENCH, "ar"),
        (Reader("fr", kept="fr", accepts="es"), FRENCH, "fr"),
        (Reader("en", kept="de", accepts="it"), FRENCH, "en"),
        (Reader("en"), ("de", "fr"), "de"),
        (Reader("en", wanted="<script>", kept="", accepts="*"), ("de", "fr"), "de"),
        (Reader("es"), ("es-MX",), "es-MX"),
    ],
)
def test_asked_chosen_preferred_interface_original(
    reader: Reader, available: tuple[str, ...], language: str
) -> None:
    assert reader.choose(available) == language
