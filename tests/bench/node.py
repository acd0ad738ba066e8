"""`esnfed` itself with one operation more, so that the bench can publish through the control socket."""

from __future__ import annotations

from esnfed import registry
from esnfed.cli import main
from esnfed.context import Context
from esnfed.services import actors, statuses
from esnfed.services.statuses import Draft


@registry.operations.register("bench-post")
def post(context: Context, handle: str, text: str) -> int:
    """Publish a post of one paragraph; return its id."""
    author = actors.local(context, handle)
    return statuses.post(context, Draft(author["id"], "public", {"fr": f"<p>{text}</p>"}))


if __name__ == "__main__":
    main()
