"""The check of the catalogues notices every way in which a translation can be missing or wrong."""

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]

CODE = """
_ = N_ = ngettext = str
print(_("Hello %(name)s"), N_("Later"), ngettext("one", "%(num)s many", 2))
"""
PAGE = '{% trans %}In a page{% endtrans %} {{ _("By %(name)s", name="x") }}'
HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
GOOD = {
    "Hello %(name)s": "Salut %(name)s",
    "Later": "Plus tard",
    "In a page": "Dans une page",
    "By %(name)s": "Par %(name)s",
    "The input is not valid.": "Non",
}


@pytest.fixture(scope="module")
def catalogues() -> ModuleType:
    spec = importlib.util.spec_from_file_location("catalogues", ROOT / "tools" / "catalogues.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["catalogues"] = module
    spec.loader.exec_module(module)
    return module


def entry(text: str, translation: str, flag: str = "") -> str:
    return f'{flag}msgid "{text}"\nmsgstr "{translation}"\n\n'


def write_catalogue(
    root: Path, language: str, entries: str, plural: tuple[str, str] = ("un", "%(num)s")
) -> None:
    path = root / "esnfed" / "locale" / language / "LC_MESSAGES" / "esnfed.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    many = f'msgid "one"\nmsgid_plural "%(num)s many"\nmsgstr[0] "{plural[0]}"\nmsgstr[1] "{plural[1]}"\n\n'
    path.write_text(HEADER + entries + many, "utf-8")


@pytest.fixture
def project(tmp_path: Path, catalogues: ModuleType) -> Path:
    """A small program whose catalogues are complete."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text(PAGE)
    (tmp_path / "esnfed").mkdir()
    (tmp_path / "esnfed" / "code.py").write_text(CODE)
    (tmp_path / "esnfed" / "errors.py").write_text(
        'class Invalid(Exception):\n    default = "The input is not valid."\n'
    )
    shutil.copy(ROOT / "babel.cfg", tmp_path)
    for language in ("fr", "es"):
        write_catalogue(tmp_path, language, "".join(entry(*pair) for pair in GOOD.items()))
    catalogues.template_path(tmp_path).write_bytes(catalogues.written(catalogues.extracted(tmp_path)))
    return tmp_path


def changed(text: str, line: str) -> str:
    """All entries, one of them replaced."""
    return "".join(line if source == text else entry(source, target) for source, target in GOOD.items())


ODD_CODE = """
_ = N_ = ngettext = plural = pgettext = npgettext = NP_ = str
x, name = {"state": "Good"}, "a"
print(f"{_('In an f-string')} {x}", _(x["state"]), _(f"No {name}"), _(""), _(name), x["Not marked"])
print(x.gettext("By a method"), pgettext("call", "Open"), NP_("project", "Open"))
print(plural("One here", "%(num)s here", 2), npgettext("call", "One there", "%(num)s there", 2))
print(_("In two " "parts") % {"name": _("In a value")})
"""


def test_texts_are_read_from_code_as_the_compiler_reads_it(catalogues: ModuleType, project: Path) -> None:
    (project / "esnfed" / "code.py").write_text(ODD_CODE)
    (project / "esnfed" / "resources.py").write_text('raise Wrong("Raised below", name="Not a text")')
    (project / "esnfed" / "vocab").mkdir()
    (project / "esnfed" / "vocab" / "parse.py").write_text('raise Malformed("Raised beside") from None')
    found = {(message.context, message.id) for message in catalogues.extracted(project) if message.id}
    assert found == {
        (None, "In an f-string"),
        (None, "By a method"),
        ("call", "Open"),
        ("project", "Open"),
        (None, ("One here", "%(num)s here")),
        ("call", ("One there", "%(num)s there")),
        (None, "In two parts"),
        (None, "In a value"),
        (None, "Raised below"),
        (None, "Raised beside"),
        (None, "The input is not valid."),
        (None, "In a page"),
        (None, "By %(name)s"),
    }


def test_a_complete_project_has_no_fault(catalogues: ModuleType, project: Path) -> None:
    assert catalogues.faults(project) == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (entry("Hello %(name)s", ""), "fr: not translated: Hello %(name)s"),
        ("", "fr: not translated: Hello %(name)s"),
        (entry("Hello %(name)s", "Salut %(name)s", "#, fuzzy\n"), "fr: marked as fuzzy: Hello %(name)s"),
        (entry("Hello %(name)s", "Salut"), "fr: leaves out a value: Hello %(name)s"),
        (
            entry("Hello %(name)s", "Salut %(name)s %(nom)s"),
            "fr: names a value that the text does not have: Hello %(name)s",
        ),
    ],
)
def test_a_faulty_translation_is_named(catalogues: ModuleType, project: Path, line: str, fault: str) -> None:
    write_catalogue(project, "fr", changed("Hello %(name)s", line))
    assert catalogues.faults(project) == [fault]


def test_every_plural_form_is_wanted(catalogues: ModuleType, project: Path) -> None:
    write_catalogue(project, "es", "".join(entry(*pair) for pair in GOOD.items()), ("un", ""))
    assert catalogues.faults(project) == ["es: not translated: one"]


def test_a_text_that_is_gone_is_named(catalogues: ModuleType, project: Path) -> None:
    write_catalogue(project, "fr", "".join(entry(*pair) for pair in GOOD.items()) + entry("Gone", "Parti"))
    assert catalogues.faults(project) == ["fr: no longer used: Gone"]


def test_a_missing_catalogue_is_named(catalogues: ModuleType, project: Path) -> None:
    shutil.rmtree(project / "esnfed" / "locale" / "es")
    assert catalogues.faults(project) == ["es: there is no catalogue"]


def test_a_new_text_makes_the_template_stale(catalogues: ModuleType, project: Path) -> None:
    (project / "templates" / "new.html").write_text("{{ _('New') }}")
    assert catalogues.faults(project) == [
        "esnfed.pot is not up to date: run the update",
        "fr: not translated: New",
        "es: not translated: New",
    ]


def test_writing_twice_changes_nothing_and_dates_nothing(catalogues: ModuleType, project: Path) -> None:
    once = catalogues.written(catalogues.extracted(project))
    assert once == catalogues.written(catalogues.read(catalogues.template_path(project)))
    assert b"Date" not in once
    assert b"templates/page.html" in once
