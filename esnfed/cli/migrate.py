"""`esnfed migrate`: bring the database to this program's schema, after a backup."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from esnfed import maintenance
from esnfed.cli.frame import pass_config
from esnfed.cli.lock import sole_use
from esnfed.cli.output import answer, progress_line, reporter
from esnfed.cli.settings import prepare_data_dir
from esnfed.cli.texts import _
from esnfed.cli.usage import command, json_option, option
from esnfed.config import Config
from esnfed.database import database_path, schema_state
from esnfed.database import migrate as upgrade
from esnfed.database.schema import known_revisions
from esnfed.i18n import N_
from esnfed.registry import commands


@commands.register("migrate")
@command(
    "migrate",
    help=N_(
        "Bring the database to the schema of this program. A backup is made before, in the folder “backups” "
        "of the data folder; on PostgreSQL make one yourself. The node must not run."
    ),
)
@option("--no-backup", is_flag=True, help=N_("Make no backup before."))
@json_option
@pass_config
def migrate(config: Config, no_backup: bool, as_json: bool) -> None:
    """Check that no node runs, back up, migrate, say what was done."""
    prepare_data_dir(config)
    refusal = _("The data folder %(folder)s is in use: stop the node, then migrate.") % {
        "folder": config.data_dir
    }
    with sole_use(config, refusal), progress_line():
        answer(asyncio.run(bring_to_head(config, backup=not no_backup)), as_json, _told)


async def bring_to_head(config: Config, *, backup: bool = True) -> dict[str, Any]:
    """Migrate; return the revision before and after, and the backup's path, None when there was no need."""
    before, head = await schema_state(config)
    saved = None
    if before == head:
        return {"before": before, "after": head, "backup": None}
    if backup and before is not None and not config.database:
        saved = await _save(config, before)
    steps = [each for each in known_revisions() if before is None or each > before]
    tell = reporter(N_("Migrating"))
    await upgrade(config, progress=lambda revision: tell(steps.index(revision) + 1, len(steps)))
    return {"before": before, "after": head, "backup": str(saved) if saved else None}


async def _save(config: Config, revision: str) -> Path:
    folder = config.data_dir / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    target = folder / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{revision}.sqlite"
    await maintenance.backup(database_path(config), target, progress=reporter(N_("Backing up")))
    return target


def _told(done: dict[str, Any]) -> list[str]:
    if done["before"] == done["after"]:
        return [_("The database is up to date (%(revision)s).") % {"revision": done["after"]}]
    told = [_("The database is now at revision %(revision)s.") % {"revision": done["after"]}]
    if done["backup"]:
        told.append(_("The backup from before is %(file)s.") % {"file": done["backup"]})
    return told
