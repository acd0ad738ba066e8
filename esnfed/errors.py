"""The exception tree: each class carries the HTTP status and the text that is safe to show.

EsnfedError                     500
├── Invalid                     422  what a person or program typed is not acceptable; may name the field
├── Malformed                   400  wire input that is not what it says it is
├── Unauthenticated             401  nobody proved who is asking
├── Refused                     403  known, and not allowed
├── NotFound                    404  absent, or hidden from this viewer: the two look the same
├── Gone                        410  was here and was deleted
├── Conflict                    409  the state changed meanwhile
├── TooLarge                    413
├── UnsupportedType             415  a body of a media type that is not taken here
├── TooMany                     429  with retry_after seconds
├── Busy                        503  with retry_after seconds
├── Ignored                     202  understood, and without effect here by our own rules
├── ConfigError                 -    one sentence for the operator; a command ends with it
└── RemoteError                 502  another server's trouble
    ├── RemoteGone              410 there: deleted for good
    ├── RemoteMissing           404 there: may come back
    ├── RemoteRefused           401, 403, or forbidden by our own rules (address, size, type)
    ├── RemoteUnreachable       no answer, or an answer that asks to come back later
    └── RemoteNonsense          an answer that cannot be believed
"""

from __future__ import annotations

from collections.abc import Callable


class EsnfedError(Exception):
    """Root of all our errors. `str(error)` is safe to show; the cause chain is for the log.

    `values` fill the named places of the text, as in `"There is no %(name)s."`: they are kept apart, so that
    the text can be translated first (`told`).
    """

    status = 500
    default = "Something went wrong on this server."

    def __init__(self, message: str = "", **values: object) -> None:
        self.text = message or self.default
        self.values = values
        super().__init__(self.text % values if values else self.text)

    def told(self, translate: Callable[[str], str]) -> str:
        """Return the text translated by `translate` (a gettext), with its values."""
        return translate(self.text) % self.values if self.values else translate(self.text)


class Invalid(EsnfedError):
    """Input that a person or a client can correct; `field` names what is wrong, when one thing is."""

    status = 422
    default = "The input is not valid."

    def __init__(self, message: str = "", field: str | None = None, **values: object) -> None:
        super().__init__(message, **values)
        self.field = field


class Malformed(EsnfedError):
    """Wire input that does not have the shape it claims."""

    status = 400
    default = "The document is malformed."


class Unauthenticated(EsnfedError):
    """Nobody proved who is asking."""

    status = 401
    default = "Authentication is required."


class Refused(EsnfedError):
    """The asker is known and may not do this."""

    status = 403
    default = "This is not allowed."


class NotFound(EsnfedError):
    """Absent, or hidden from this viewer."""

    status = 404
    default = "Not found."


class Gone(EsnfedError):
    """Deleted for good; `former_type` and `deleted_at` (milliseconds) describe the tombstone when known."""

    status = 410
    default = "This has been deleted."

    def __init__(
        self, message: str = "", *, uri: str = "", former_type: str = "", deleted_at: int | None = None
    ) -> None:
        super().__init__(message)
        self.uri = uri
        self.former_type = former_type
        self.deleted_at = deleted_at


class Conflict(EsnfedError):
    """The state changed between the decision and the deed."""

    status = 409
    default = "This was changed meanwhile."


class TooLarge(EsnfedError):
    """A body over the limit."""

    status = 413
    default = "The request is too large."


class UnsupportedType(EsnfedError):
    """A body of a media type that is not taken here."""

    status = 415
    default = "This media type is not accepted here."


class _Later(EsnfedError):
    def __init__(self, message: str = "", retry_after: int = 30, **values: object) -> None:
        super().__init__(message, **values)
        self.retry_after = retry_after


class TooMany(_Later):
    """A rate limit; `retry_after` is in seconds."""

    status = 429
    default = "Too many requests."


class Busy(_Later):
    """The node is overloaded or cannot decide just now; `retry_after` is in seconds."""

    status = 503
    default = "The server is busy; please try again shortly."


class Ignored(EsnfedError):
    """Received, understood, and without effect here; the text says why and is kept with the message.

    `counter` and `key` say under which name the node counts it, so that nothing is dropped unseen.
    """

    status = 202
    default = "Ignored."

    def __init__(
        self, message: str = "", *, counter: str = "ignored", key: str = "", **values: object
    ) -> None:
        super().__init__(message, **values)
        self.counter = counter
        self.key = key


class ConfigError(EsnfedError):
    """A bad or missing setting; the text is one sentence that names it."""

    default = "The configuration is not valid."


class RemoteError(EsnfedError):
    """Another server's trouble."""

    status = 502
    default = "The other server did not answer as expected."


class RemoteGone(RemoteError):
    """The other server says 410."""

    default = "The other server says this was deleted."


class RemoteMissing(RemoteError):
    """The other server says 404."""

    default = "The other server does not know this address."


class RemoteRefused(RemoteError):
    """The other server refuses us, or our own rules refuse the fetch."""

    default = "The other server refused."


class RemoteUnreachable(RemoteError):
    """No answer, or a temporary failure; `retry_after` in seconds when the peer named it."""

    default = "The other server could not be reached."

    def __init__(self, message: str = "", retry_after: int | None = None, **values: object) -> None:
        super().__init__(message, **values)
        self.retry_after = retry_after


class RemoteNonsense(RemoteError):
    """The answer cannot be believed: wrong type, wrong id, wrong origin, not JSON."""

    default = "The other server's response made no sense."
