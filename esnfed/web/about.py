"""What this node is, who runs it, and how to follow somebody here."""

from __future__ import annotations

from aiohttp import web
from sqlalchemy import RowMapping

from esnfed import registry
from esnfed.context import Context
from esnfed.http import pages
from esnfed.http.keys import CONFIG, DATABASE
from esnfed.i18n import N_
from esnfed.services import actors
from esnfed.web import presenters

routes = web.RouteTableDef()
registry.nav.add("90 about", ("/about", N_("About this server")))


def organisations(context: Context) -> list[RowMapping]:
    """Return the organisations that publish from this node; persons are never listed (decisions.md 6)."""
    return [row for row in actors.all_local(context) if row["as_type"] == "Organization"]


@routes.get("/about")
async def show(request: web.Request) -> web.Response:
    """The page about the node; its actor's document is at /relay."""
    rows = await request.config_dict[DATABASE].read(organisations)
    config = request.config_dict[CONFIG]
    return pages.render(
        request,
        "web/about.html",
        document=f"{config.origin}/relay",
        organisations=[presenters.actor(row) for row in rows],
        domain=config.domain,
        account_domain=config.account_domain,
    )
