"""Page: a post in a community, as Lemmy, PieFed and Mbin send it (FEP-1b12); often about some address."""

from __future__ import annotations

from esnfed.objects.note import arriving
from esnfed.objects.titled import Titled


@arriving("Page")
class Page(Titled):
    """Title, text, and the address that it is about."""
