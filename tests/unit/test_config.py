"""The configuration: file, environment, and one clear sentence for everything that is wrong."""

from __future__ import annotations

import re
import stat
import tomllib
from dataclasses import fields
from ipaddress import ip_network
from pathlib import Path

import pytest

from esnfed.cli import settings
from esnfed.cli.config_file import file_text
from esnfed.cli.texts import speaking
from esnfed.config import Config
from esnfed.errors import ConfigError

GOOD = 'domain = "esn.example.org"\ndata_dir = "/var/lib/esnfed"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "esnfed.toml"
    path.write_text(text)
    return path


def complaint(folder: Path, text: str, environ: dict[str, str] | None = None) -> str:
    path = written(folder, text)
    with pytest.raises(ConfigError) as caught:
        settings.load(path, environ or {})
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith((".", "?"))
    return sentence.replace(str(path), "FILE")


def test_a_short_file_leaves_the_defaults(tmp_path: Path) -> None:
    config = settings.load(written(tmp_path, GOOD), {})
    assert config == Config(domain="esn.example.org", data_dir=Path("/var/lib/esnfed"))
    assert config.account_domain == "esn.example.org"
    assert config.origin == "https://esn.example.org"


def test_every_field_is_a_setting_and_every_setting_a_field() -> None:
    assert {each.name for each in settings.SETTINGS} == {field.name for field in fields(Config)}


def test_values_are_converted(tmp_path: Path) -> None:
    text = GOOD.replace("esn.", "ÉSN.") + (
        'trusted_proxies = ["127.0.0.1", "10.0.0.0/8"]\nlanguages = ["es", "fr"]\nport = 9000\n'
    )
    config = settings.load(written(tmp_path, text), {})
    assert config.domain == "xn--sn-9ia.example.org"
    assert config.trusted_proxies == (ip_network("127.0.0.1/32"), ip_network("10.0.0.0/8"))
    assert (config.languages, config.port) == (("es", "fr"), 9000)


def test_the_environment_overrides_the_file_and_empty_counts_as_not_set(tmp_path: Path) -> None:
    environ = {
        "ESNFED_PORT": "9100",
        "ESNFED_LANGUAGES": "es, en",
        "ESNFED_TRUSTED_PROXIES": "::1,10.0.0.0/8",
        "ESNFED_NAME": "",
    }
    config = settings.load(written(tmp_path, GOOD + 'name = "Lyon"\nport = 9000\n'), environ)
    assert (config.port, config.languages, config.name) == (9100, ("es", "en"), "Lyon")
    assert config.trusted_proxies == (ip_network("::1/128"), ip_network("10.0.0.0/8"))


def test_the_environment_alone_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(settings, "PLACES", (Path("esnfed.toml"),))
    config = settings.load(None, {"ESNFED_DOMAIN": "esn.example.org", "ESNFED_DATA_DIR": "data"})
    assert config.data_dir == Path("data")


def test_the_file_is_looked_for_in_this_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    last = tmp_path / "etc.toml"
    monkeypatch.setattr(settings, "PLACES", (Path("esnfed.toml"), last))
    assert settings.find(None, {}) is None
    last.write_text(GOOD)
    assert settings.find(None, {}) == last
    written(tmp_path, GOOD)
    assert settings.find(None, {}) == Path("esnfed.toml")
    named = tmp_path / "named.toml"
    named.write_text(GOOD)
    assert settings.find(None, {"ESNFED_CONFIG": str(named)}) == named
    assert settings.find(last, {"ESNFED_CONFIG": str(named)}) == last


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"The configuration file .*none\.toml does not exist\."):
        settings.load(tmp_path / "none.toml", {})


def test_without_a_configuration_the_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "PLACES", (tmp_path / "none.toml",))
    with pytest.raises(ConfigError, match="“domain” is needed: run `esnfed init`"):
        settings.load(None, {})


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('prot = 1', "there is no setting “prot”; did you mean “port”?"),
        ('zzz = 1', "there is no setting “zzz”."),
        ('port = "abc"', "“port” must be a whole number from 1 to 65535, not 'abc'."),
        ("port = 65536", "“port” must be a whole number from 1 to 65535, not 65536."),
        ("port = true", "“port” must be a whole number from 1 to 65535, not True."),
        ("name = 3", "“name” must be one line of text, not 3."),
        ('languages = "xx"', "“languages” must be a list of these languages: fr, en, es, not 'xx'."),
        ("languages = [[1]]", "“languages” must be a list of these languages: fr, en, es, not [[1]]."),
        ('log_format = "xml"', "“log_format” must be one of text, json, not 'xml'."),
        ('listen = "nowhere"', "“listen” must be an IP address such as 127.0.0.1, not 'nowhere'."),
        ('contact = "me"', "“contact” must be an e-mail address, not 'me'."),
        (
            "trusted_proxies = [1]",
            "“trusted_proxies” must be a list of networks such as"
            ' ["127.0.0.1", "10.0.0.0/8"], not [1].',
        ),
        (
            'database = "mysql://u:secret@h/n"',
            "“database” must be empty for SQLite, or postgresql://user:password@host/name.",
        ),
        ('hosts = { "a.esn.test" = "127.0.0.1:1" }', "“hosts” is only for tests."),
        (
            'environment = "demo"',
            "“account_domain” must be under localhost, 127.0.0.1 or esn.test"
            " in a demo or a test.",
        ),
    ],
)  # fmt: skip
def test_a_bad_setting_is_one_sentence_that_names_it(tmp_path: Path, line: str, sentence: str) -> None:
    if "environment" in line:
        text = GOOD.replace("esn.example.org", "hub.localhost") + 'account_domain = "example.org"\n'
    else:
        text = GOOD
    assert (
        complaint(tmp_path, f"{text}{line}\n").removeprefix("FILE: ").removeprefix("the setting ") == sentence
    )


@pytest.mark.parametrize("name", ["domain", "data_dir"])
def test_a_missing_setting_is_named(tmp_path: Path, name: str) -> None:
    text = "".join(f"{line}\n" for line in GOOD.splitlines() if not line.startswith(name))
    assert complaint(tmp_path, text) == f"FILE: the setting “{name}” is missing."


@pytest.mark.parametrize(
    "domain", ["localhost", "hub.localhost", "esn.example.org:8000", "192.0.2.1", "intranet"]
)
def test_production_needs_a_public_host_name(tmp_path: Path, domain: str) -> None:
    sentence = complaint(tmp_path, GOOD.replace("esn.example.org", domain))
    assert sentence == "FILE: the setting “domain” must be a public host name without a port in production."


@pytest.mark.parametrize("domain", ["", "a b.org", "a@b.org", "-a.org", "a..org", "http://a.org"])
def test_what_is_no_host_name_is_refused(tmp_path: Path, domain: str) -> None:
    assert "“domain” must be a host name" in complaint(tmp_path, GOOD.replace("esn.example.org", domain))


def test_a_demo_serves_loopback_only_and_believes_no_proxy(tmp_path: Path) -> None:
    demo = GOOD.replace("esn.example.org", "hub.localhost:8001") + 'environment = "demo"\n'
    assert settings.load(written(tmp_path, demo), {}).origin == "http://hub.localhost:8001"
    assert "“listen” must be 127.0.0.1" in complaint(tmp_path, demo + 'listen = "0.0.0.0"\n')
    assert "“trusted_proxies” must be empty" in complaint(tmp_path, demo + 'trusted_proxies = ["::1"]\n')


def test_test_settings_are_read_in_a_test(tmp_path: Path) -> None:
    text = 'domain = "lyon.esn.test"\ndata_dir = "data"\nenvironment = "test"\n' + (
        'tls_authority = "ca.pem"\ntls_certificate = ["c.pem", "k.pem"]\n'
        'hosts = { "paris.esn.test" = "127.0.0.1:8443" }\n'
    )
    config = settings.load(written(tmp_path, text), {})
    assert config.data_dir == tmp_path / "data"
    assert config.hosts == {"paris.esn.test": ("127.0.0.1", 8443)}
    assert config.tls_authority == tmp_path / "ca.pem"
    assert config.tls_certificate == (tmp_path / "c.pem", tmp_path / "k.pem")


def test_a_file_that_is_no_toml_or_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    assert complaint(tmp_path, "domain = \n").startswith("The configuration file FILE is not valid TOML: ")
    path = tmp_path / "latin.toml"
    path.write_bytes(b'name = "\xe9"')
    with pytest.raises(ConfigError, match="is not valid TOML"):
        settings.load(path, {})


def test_a_bad_variable_is_named_as_such(tmp_path: Path) -> None:
    sentence = complaint(tmp_path, GOOD, {"ESNFED_PORT": "99999"})
    assert sentence == (
        "ESNFED_PORT: the setting “port” must be a whole number from 1 to 65535, not '99999'."
    )


def test_the_data_folder_is_open_to_its_owner_only(tmp_path: Path) -> None:
    config = Config(domain="esn.example.org", data_dir=tmp_path / "a" / "data")
    settings.prepare_data_dir(config)
    settings.prepare_data_dir(config)
    assert stat.S_IMODE(config.data_dir.stat().st_mode) == 0o700
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"“data_dir” names .*file"):
        settings.prepare_data_dir(Config(domain="esn.example.org", data_dir=tmp_path / "file"))


@pytest.mark.parametrize("language", ["fr", "en", "es"])
def test_the_written_file_is_read_back(tmp_path: Path, language: str) -> None:
    values = {
        "domain": "esn.example.org",
        "data_dir": tmp_path / 'da"ta\\',
        "name": 'École "Freinet" \\ 🌱',
        "port": 8100,
        "trusted_proxies": (ip_network("127.0.0.1"),),
        "languages": ("es", "fr"),
    }
    with speaking(language):
        text = file_text(values, "One\nTwo")
    path = written(tmp_path, text)
    assert settings.load(path, {}) == Config(**values)
    defaults = [line.removeprefix("# ") for line in text.splitlines() if re.match("# [a-z_]+ = ", line)]
    everything = tomllib.loads("\n".join(defaults)) | tomllib.loads(text)
    assert set(everything) == {each.name for each in settings.SETTINGS if each.about}
