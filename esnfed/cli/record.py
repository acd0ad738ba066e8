"""`esnfed record`: announce, change, close, delete, list and show records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import orjson

import esnfed.records  # noqa: F401 - registers the kinds and the operations
from esnfed.cli.control import run_operation
from esnfed.cli.frame import pass_config
from esnfed.cli.output import answer, table
from esnfed.cli.texts import _, language
from esnfed.cli.usage import group, json_option, option
from esnfed.config import Config
from esnfed.errors import Invalid
from esnfed.i18n import N_
from esnfed.records.definition import kind_named
from esnfed.records.vocabularies.scheme import pick
from esnfed.registry import commands, kinds

Json = dict[str, Any]


@group("record", help=N_("Announce projects, calls and other records, and see the board."))
def record() -> None:
    """Hold the subcommands."""


commands.add("record", record)


def _sheet_options(function: Any) -> Any:
    """Add the options with which a sheet is described; `_sheet` reads them."""
    options = (
        option("--from-file", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
               help=N_("A JSON file with the fields of the sheet; the other options change it.")),
        option("--title", multiple=True, metavar="LANG=TEXT", help=N_("Title in one language, as fr=Titre.")),
        option("--summary", multiple=True, metavar="LANG=TEXT", help=N_("Summary in one language.")),
        option("--territory", "territories", multiple=True, help=N_("ISO 3166 code, or global.")),
        option("--theme", "themes", multiple=True, help=N_("A theme of the vocabulary.")),
        option("--sdg", multiple=True, help=N_("A Sustainable Development Goal, as 3 or 3.4.")),
        option("--contact", "contacts", multiple=True, metavar="ROLE[,KEY=VALUE]...",
               help=N_("As projects,name=Awa,email=awa@example.org; audience=public shows the person.")),
        option("--status", help=N_("Progress of a project.")),
        option("--wanted", help=N_("What a call looks for.")),
        option("--closes", help=N_("Deadline, as 2027-06-30.")),
        option("--set", "others", multiple=True, metavar="FIELD=VALUE",
               help=N_("Any other field; the value is text or JSON.")),
    )  # fmt: skip
    for decorate in reversed(options):
        function = decorate(function)
    return function


def _pairs(name: str, values: Iterable[str]) -> Iterator[tuple[str, str]]:
    for value in values:
        key, equals, text = value.partition("=")
        if not equals or not key.strip():
            raise click.BadParameter(_("write it as KEY=VALUE"), param_hint=f"--{name}")
        yield key.strip(), text.strip()


def _contact(value: str) -> Json:
    role, *parts = value.split(",")
    return {"role": role.strip(), **dict(_pairs("contact", parts))}


def _json_or_text(value: str) -> Any:
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


def _from_file(file: Path | None) -> Json:
    if file is None:
        return {}
    content = _json_or_text(file.read_text("utf-8"))
    if not isinstance(content, dict):
        raise click.BadParameter(_("the file holds no JSON object"), param_hint="--from-file")
    return content


def _sheet(given: Json) -> Json:
    """Return the fields that the options of `_sheet_options` describe; only those that were given."""
    sheet = _from_file(given["file"])
    for name in ("title", "summary"):
        if given[name]:
            sheet[name] = dict(_pairs(name, given[name]))
    for name in ("territories", "themes", "sdg"):
        if given[name]:
            sheet[name] = list(given[name])
    if given["contacts"]:
        sheet["contacts"] = [_contact(value) for value in given["contacts"]]
    for name in ("status", "wanted", "closes"):
        if given[name] is not None:
            sheet[name] = given[name]
    return sheet | {name: _json_or_text(value) for name, value in _pairs("set", given["others"])}


def _check(kind: str, sheet: Json) -> None:
    """Validate before anything is sent, so that the person reads which field is wrong."""
    definition = kind_named(kind)
    assert definition is not None, "the kind is one of those registered"
    try:
        definition.validate(sheet)
    except Invalid as error:
        raise Invalid(f"{error.field}: {error.told(_)}", error.field) from error


def _lines(shown: Json) -> Iterator[str]:
    yield f"{shown['id']}  {shown['kind']}  {shown['state']}  {pick(shown['title'], language())}"
    yield shown["url"]


@record.command("announce", help=N_("Announce a record to followers and to the other nodes."))
@click.argument("kind", type=click.Choice(list(kinds)))
@option("--owner", required=True, help=N_("Handle of the organisation or person who announces."))
@_sheet_options
@json_option
@pass_config
def announce(config: Config, kind: str, owner: str, as_json: bool, **given: Any) -> None:
    """Check the sheet, then have the node announce it."""
    sheet = _sheet(given)
    _check(kind, sheet)
    answer(
        run_operation(config, "record-announce", {"owner": owner, "kind": kind, "sheet": sheet}),
        as_json,
        _lines,
    )


@record.command("update", help=N_("Change a record; what is not named stays as it is."))
@click.argument("record_id", metavar="ID", type=int)
@_sheet_options
@option("--replace", is_flag=True, help=N_("Replace the whole sheet instead."))
@option("--reopen", is_flag=True, help=N_("Open a closed record again."))
@json_option
@pass_config
def update(config: Config, record_id: int, replace: bool, reopen: bool, as_json: bool, **given: Any) -> None:
    """Check the changed sheet, then have the node send it."""
    changes = _sheet(given)
    present = run_operation(config, "record-show", {"record_id": record_id})
    whole = changes if replace else {**present["sheet"], **present.get("private", {}), **changes}
    _check(present["kind"], whole)
    arguments = {"record_id": record_id, "changes": changes, "replace": replace, "reopen": reopen}
    answer(run_operation(config, "record-update", arguments), as_json, _lines)


@record.command("close", help=N_("Close a record: it stays readable, marked as closed."))
@click.argument("record_id", metavar="ID", type=int)
@json_option
@pass_config
def close(config: Config, record_id: int, as_json: bool) -> None:
    """Have the node close the record."""
    answer(run_operation(config, "record-close", {"record_id": record_id}), as_json, _lines)


@record.command("delete", help=N_("Delete a record and its post for good."))
@click.argument("record_id", metavar="ID", type=int)
@json_option
@pass_config
def delete(config: Config, record_id: int, as_json: bool) -> None:
    """Have the node delete the record."""
    done = run_operation(config, "record-delete", {"record_id": record_id})
    answer(done, as_json, lambda shown: [_("Deleted: %(id)s") % {"id": shown["id"]}])


@record.command("list", help=N_("Show the board."))
@option("--filter", "filters", multiple=True, metavar="NAME=VALUE",
        help=N_("A filter of the board's API, as kind=call, territory=BF, status=all."))  # fmt: skip
@json_option
@pass_config
def list_records(config: Config, filters: tuple[str, ...], as_json: bool) -> None:
    """Print a page of the board."""
    asked = [list(pair) for pair in _pairs("filter", filters)]
    found = run_operation(config, "record-list", {"filters": asked})
    answer(found, as_json, _table)


def _table(found: list[Json]) -> Iterator[str]:
    headings = (_("Id"), _("Kind"), _("State"), _("Deadline"), _("Owner"), _("Title"))
    rows = (
        (each["id"], each["kind"], each["state"], each["closes"], each["owner"]["handle"],
         pick(each["title"], language()))
        for each in found
    )  # fmt: skip
    return table(headings, rows)


@record.command("show", help=N_("Show one record whole."))
@click.argument("record_id", metavar="ID", type=int)
@json_option
@pass_config
def show(config: Config, record_id: int, as_json: bool) -> None:
    """Print one record, with its private fields when it is ours."""
    answer(run_operation(config, "record-show", {"record_id": record_id}), as_json, _whole)


def _whole(shown: Json) -> Iterator[str]:
    yield from _lines(shown)
    for name, value in {**shown["sheet"], **shown.get("private", {})}.items():
        yield f"{name}: {orjson.dumps(value).decode()}"
