"""Why a delivery was not made, in our own words: kept in the row in English, translated when shown."""

from __future__ import annotations

from typing import Final

from esnfed.i18n import N_

ANNIHILATED: Final = N_("It was deleted before it was ever sent there.")
SUPERSEDED: Final = N_("A newer version replaced it before it was sent.")
EXPIRED: Final = N_("It could not be delivered in time and was given up.")
NO_KEY: Final = N_("The sender has no key to sign with any more.")
BY_HAND: Final = N_("An administrator dropped it.")
INTERNAL: Final = N_("An error on this server stopped it; the log says more.")
