"""The wheel, installed away from the checkout, finds its templates, catalogues, styles and migrations."""

import json
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import json
from pathlib import Path
import esnfed
from esnfed import i18n
from esnfed.config import Config
from esnfed.rendering import Renderer
from esnfed.resources import folder

renderer = Renderer(Config(domain="lyon.esn.test", data_dir=Path("."), environment="test", name="Lyon"))
print(json.dumps({
    "package": str(Path(esnfed.__file__).parent),
    "page": renderer.page("error.html", "fr", status=404, path="/nowhere"),
    "folders": {name: str(folder(name)) for name in ("templates", "migrations", "locale", "static")},
    "migration": (folder("migrations") / "env.py").is_file(),
    "languages": i18n.available(),
}))
"""


def run(*command: str, cwd: Path) -> str:
    """Run a command to its end and return what it prints."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target), cwd=ROOT)
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def answer(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What the installed program says of itself, run outside the checkout."""
    home = tmp_path_factory.mktemp("elsewhere")
    venv.create(home / "venv", with_pip=False)
    python = home / "venv" / "bin" / "python"
    run(
        *(sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"),
        *("--no-deps", "--no-index", "--no-cache-dir", "--disable-pip-version-check", str(wheel)),
        cwd=home,
    )
    # The libraries come from this environment; a .pth inside a folder named by a .pth is not read, so the
    # checkout that is installed here as editable stays unseen.
    (site,) = (home / "venv" / "lib").glob("python*/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    said = run(str(python), "-I", "-c", PROGRAM, cwd=home)
    return {**json.loads(said), "site": str(site)}


def test_the_wheel_holds_compiled_catalogues_and_no_sources_of_them(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name for name in names if name.endswith(".mo")} == {
        f"esnfed/locale/{tag}/LC_MESSAGES/esnfed.mo" for tag in ("en", "es", "fr")
    }
    assert not [name for name in names if name.endswith((".po", ".pot"))]
    assert not [name for name in names if name.startswith(("tests/", "tools/", "docs/"))]


def test_the_build_leaves_no_compiled_catalogue_in_the_checkout(wheel: Path) -> None:
    assert wheel.is_file()
    assert list(ROOT.glob("esnfed/locale/**/*.mo")) == []


def test_the_installed_program_uses_only_its_own_files(answer: dict[str, object]) -> None:
    folders = answer["folders"]
    assert isinstance(folders, dict)
    assert str(answer["package"]).startswith(str(answer["site"]))
    assert all(path.startswith(str(answer["site"])) for path in folders.values()), folders
    assert answer["migration"] is True


def test_the_installed_program_renders_a_translated_page(answer: dict[str, object]) -> None:
    page = str(answer["page"])
    assert '<html lang="fr" dir="ltr">' in page
    assert "Nous n’avons pas trouvé cette page" in page
    assert "/static/esnfed.css?v=" in page
    assert answer["languages"] == ["fr", "en", "es"]
