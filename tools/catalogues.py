"""Keeps the catalogues of texts: `python tools/catalogues.py extract | update | check`."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import click
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
COMPLETE = ("fr", "es")
"""Languages in which every text must be translated; English is the source, others are welcome in part."""

_MARKS = {
    "_": ("text",),
    "N_": ("text",),
    "NP_": ("context", "text"),
    "gettext": ("text",),
    "ngettext": ("text", "many"),
    "plural": ("text", "many"),
    "pgettext": ("context", "text"),
    "npgettext": ("context", "text", "many"),
}
"""Functions of the code whose first arguments, written out, are texts; and what each argument is."""

_UNMARKED = ("errors.py", "resources.py", "vocab/*.py")
"""Files below or beside i18n, which cannot mark: what they raise, or call `default`, is a text."""

_NAMES = re.compile(r"%\([a-z_]+\)[sd]|\{[a-z_]*\}")


def template_path(root: Path) -> Path:
    """Return where the template of all texts is kept."""
    return root / "esnfed" / "locale" / "esnfed.pot"


def catalogue_paths(root: Path) -> dict[str, Path]:
    """Return the catalogue file of each language."""
    found = sorted((root / "esnfed" / "locale").glob("*/LC_MESSAGES/esnfed.po"))
    return {path.parts[-3]: path for path in found}


class Found(NamedTuple):
    """A marked text: one string, or singular and plural."""

    file: str
    line: int
    message: str | tuple[str, str]
    context: str | None


def extracted(root: Path) -> Catalog:
    """Return every marked text of the program, with the files where it stands."""
    catalogue = Catalog(charset="utf-8", fuzzy=False)
    for found in sorted([*_of_code(root / "esnfed"), *_of_templates(root)], key=lambda each: each[:2]):
        catalogue.add(found.message, None, [(found.file, found.line)], context=found.context)
    return catalogue


def _of_templates(root: Path) -> Iterator[Found]:
    """Yield the texts of the templates; babel.cfg says which files they are and how they are read."""
    with (root / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]  # untyped in Babel
    found = extract_from_dir(root, methods, options, DEFAULT_KEYWORDS)
    for name, line, message, _comments, context in found:
        if isinstance(message, str):
            yield Found(name, line, message, context)
        elif message:
            yield Found(name, line, (message[0], message[1]), context)


def _of_code(package: Path) -> Iterator[Found]:
    """Yield the texts of the Python files, read as the compiler reads them.

    Babel reads tokens, whose division of an f-string depends on Python's version, and takes every string
    between the brackets of a mark for a text.
    """
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package.parent).as_posix()
        tree = ast.parse(path.read_text("utf-8"), name)
        for line, message, context in (each for node in ast.walk(tree) for each in _marked(node)):
            yield Found(name, line, message, context)
        if any(path.relative_to(package).match(pattern) for pattern in _UNMARKED):
            for line, text in (each for node in ast.walk(tree) for each in _unmarked(node)):
                yield Found(name, line, text, None)


def _marked(node: ast.AST) -> Iterator[tuple[int, str | tuple[str, str], str | None]]:
    """Yield the text of a call that marks one; a call with anything but literals marks nothing."""
    if not isinstance(node, ast.Call):
        return
    parts = _MARKS.get(_name_of(node.func), ())
    texts = [text for text in map(_literal, node.args[: len(parts)]) if text]
    if not parts or len(texts) < len(parts):
        return
    given = dict(zip(parts, texts, strict=True))
    message = (given["text"], given["many"]) if "many" in given else given["text"]
    yield node.lineno, message, given.get("context")


def _unmarked(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield what an exception of a file below i18n says."""
    text = None
    if not isinstance(node, ast.Assign | ast.Raise):
        return
    if isinstance(node, ast.Assign):
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        text = _literal(node.value) if names == ["default"] else None
    elif isinstance(node.exc, ast.Call) and node.exc.args:
        text = _literal(node.exc.args[0])
    if text:
        yield node.lineno, text


def _name_of(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def read(path: Path, language: str | None = None) -> Catalog:
    """Return a catalogue file, read."""
    with path.open("rb") as file:
        return read_po(file, locale=language, ignore_obsolete=True)


def written(catalogue: Catalog) -> bytes:
    """Return the text of a catalogue file: sorted, without lines and dates, to keep diffs small."""
    buffer = BytesIO()
    write_po(buffer, catalogue, width=110, sort_by_file=True, include_lineno=False, ignore_obsolete=True)
    lines = buffer.getvalue().decode("utf-8").splitlines(keepends=True)
    # No author or date: the history of the files tells both, and a date would change with every run.
    changing = (
        '"POT-Creation-Date:',
        '"PO-Revision-Date:',
        '"Generated-By:',
        '"Last-Translator:',
        '"Language-Team:',
        '"Project-Id-Version:',
        '"Report-Msgid-Bugs-To:',
    )
    return "".join(line for line in lines if not line.startswith(changing)).encode("utf-8")


def _keys(catalogue: Catalog) -> set[tuple[str | None, object]]:
    return {(message.context, message.id) for message in catalogue if message.id}


def _forms(message: Message | None) -> list[str]:
    string = message.string if message is not None else None
    return [string] if isinstance(string, str) else list(string or ())


def _faults(language: str, messages: Iterable[Message], catalogue: Catalog) -> Iterator[str]:
    for wanted in messages:
        text = wanted.id if isinstance(wanted.id, str) else wanted.id[0]
        found = catalogue.get(wanted.id, wanted.context)
        forms = _forms(found)
        if found is None or not forms or not all(forms):
            yield f"{language}: not translated: {text}"
        elif found.fuzzy:
            yield f"{language}: marked as fuzzy: {text}"
        elif any(set(_NAMES.findall(form)) - set(_NAMES.findall(str(wanted.id))) for form in forms):
            yield f"{language}: names a value that the text does not have: {text}"
        elif set(_NAMES.findall(text)) - set(_NAMES.findall(forms[-1])) and isinstance(wanted.id, str):
            yield f"{language}: leaves out a value: {text}"


def faults(root: Path) -> list[str]:
    """Return what keeps the catalogues from being complete, one sentence each."""
    fresh = extracted(root)
    found = []
    if not template_path(root).is_file() or _keys(read(template_path(root))) != _keys(fresh):
        found.append("esnfed.pot is not up to date: run the update")
    paths = catalogue_paths(root)
    messages = [message for message in fresh if message.id]
    for language in COMPLETE:
        if language not in paths:
            found.append(f"{language}: there is no catalogue")
            continue
        catalogue = read(paths[language], language)
        found += _faults(language, messages, catalogue)
        found += [f"{language}: no longer used: {key[1]}" for key in _keys(catalogue) - _keys(fresh)]
    return found


@click.group()
def main() -> None:
    """Extract, update and check the catalogues of translated texts."""


@main.command()
def extract() -> None:
    """Write esnfed.pot from the texts marked in code and templates."""
    template_path(ROOT).write_bytes(written(extracted(ROOT)))


@main.command()
def update() -> None:
    """Write esnfed.pot and bring every catalogue in line with it; new texts wait for a translation."""
    fresh = extracted(ROOT)
    template_path(ROOT).write_bytes(written(fresh))
    for language, path in catalogue_paths(ROOT).items():
        catalogue = read(path, language)
        catalogue.update(fresh, no_fuzzy_matching=True, update_header_comment=False)
        path.write_bytes(written(catalogue))


@main.command()
def check() -> None:
    """Fail, with one line for each fault, unless every text is translated into French and Spanish."""
    found = faults(ROOT)
    for fault in found:
        click.echo(fault, err=True)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
