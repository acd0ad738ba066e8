"""Why a request to another server failed: the closed list of sentences for operators, translated when shown.

An error of the transport carries one of these as its message, so that `gettext(str(error))` translates it
and code may compare it.
"""

from __future__ import annotations

from esnfed.i18n import N_

# Our own rules.
ADDRESS = N_("The address is not a web address that may be fetched.")
SCHEME = N_("The address is not encrypted: only https addresses are accepted.")
NOT_ROUTABLE = N_("The address leads into a private or reserved network.")
UNKNOWN_HERE = N_("Only local test names are asked in the demo and in tests.")
OWN_ADDRESS = N_("The address belongs to this server, which never fetches from itself.")
BUDGET = N_("One message asked for too many fetches.")
DISCOVERIES = N_("One message led to too many unknown servers.")
SUBDOMAINS = N_("Too many new subdomains of one domain appeared within a minute.")
TOO_LARGE = N_("The response of the other server is too large.")
CONTENT_TYPE = N_("The response of the other server has a content type that is not accepted.")
TOO_MANY_HOPS = N_("The other server redirects too often.")
LOOP = N_("The other server redirects in a circle.")
DOWNGRADE = N_("The other server redirects to an address that is not encrypted.")

# What the other server did.
UNKNOWN_NAME = N_("The name of the other server is not known to the name service.")
NO_CONNECTION = N_("The other server could not be reached.")
CERTIFICATE = N_("The certificate of the other server is not valid.")
TOO_SLOW = N_("The other server took too long to answer.")
BROKEN_OFF = N_("The other server broke off the connection.")
LATER = N_("The other server asks to come back later.")
PAUSED = N_("The other server asked for a pause, which is not over.")
CROWDED = N_("Too many requests are waiting for the other server.")
FAILING = N_("The other server answered with an error of its own.")
REFUSED = N_("The other server refused the request.")
MISSING = N_("The other server does not know this address.")
GONE = N_("The other server says this was deleted.")
UNEXPECTED = N_("The other server answered with a status that makes no sense here.")
NOT_HTTP = N_("The response of the other server is not proper HTTP.")
NOT_JSON = N_("The response of the other server is not an acceptable JSON document.")
NOT_XML = N_("The response of the other server is not an acceptable XML document.")

# Who says what about whom.
ANONYMOUS = N_("The document has no id.")
OTHER_ID = N_("The document has another id than the address it was fetched from.")
OTHER_ORIGIN = N_("The document was served by another server than its id names.")
KEY_OWNER = N_("The key does not belong to the actor that it names.")
NO_KEY = N_("The document holds no such key.")
HANDLE = N_("This is not a handle of the form name@domain.")
NO_SELF_LINK = N_("The other server names no actor for this handle.")
OTHER_SUBJECT = N_("The other server gives this handle another name, which it does not confirm.")
OTHER_ACTOR = N_("The handle and the actor do not name one another.")
NO_NODEINFO = N_("The other server publishes no NodeInfo.")
FOREIGN_NODEINFO = N_("The NodeInfo of the other server lies on a third server.")

BLOCKED = N_("This server is blocked here.")

PASSING = frozenset({BUDGET, DISCOVERIES, SUBDOMAINS, PAUSED, CROWDED, BLOCKED})
"""Failures that concern the moment or the asker and not the address: never remembered for the address."""
