"""Article: a longer text with a title, as WordPress, Ghost, WriteFreely and others send it (FEP-b2b8)."""

from __future__ import annotations

from esnfed.objects.note import arriving
from esnfed.objects.titled import Titled


@arriving("Article")
class Article(Titled):
    """Title, teaser, text."""
