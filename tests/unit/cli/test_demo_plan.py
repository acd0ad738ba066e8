"""Ports and folders of `esnfed demo`: one clear sentence for whatever is in the way."""

from __future__ import annotations

import socket
import stat
from contextlib import ExitStack
from pathlib import Path

import pytest

from esnfed.cli.demo import read_ports
from esnfed.cli.demonstration.plan import make_plan, prepare_folders, take_ports, write_private
from esnfed.cli.frame import run
from esnfed.cli.lock import sole_use
from esnfed.errors import ConfigError, Invalid

pytestmark = pytest.mark.enable_socket

PORTS = (8101, 8102, 8103)


def free_ports() -> tuple[int, ...]:
    with ExitStack() as stack:
        found = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        return tuple(each.getsockname()[1] for each in found)


@pytest.mark.parametrize(
    "text", ["", "8001", "8001,8002", "8001,8002,8002", "8001,8002,80", "a,b,c", "8001,8002,8003,8004",
             "8001,8002,65536", "-8001,8002,8003", "8001,8002,٣٣٣٣"],
)  # fmt: skip
def test_three_different_ports_are_needed(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Invalid):
        read_ports(text)
    assert run(["demo", f"--ports={text}"], {}) == 2
    told = capsys.readouterr().err
    assert "--ports" in told
    assert told.count("\n") == 1
    assert read_ports(" 8001, 8002,8003") == (8001, 8002, 8003)


def test_other_ports_are_another_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert make_plan(None, PORTS).folder == Path("demo-data/8101-8102-8103")
    configs = make_plan(None, PORTS).configs
    assert {key: config.origin for key, config in configs.items()} == {
        "hub": "http://hub.localhost:8101",
        "union": "http://union.localhost:8102",
        "mutual": "http://mutual.localhost:8103",
    }
    assert {config.listen for config in configs.values()} == {"127.0.0.1"}
    assert {config.environment for config in configs.values()} == {"demo"}
    assert list(tmp_path.iterdir()) == []


def test_the_files_written_say_what_the_plan_says(tmp_path: Path) -> None:
    plan = make_plan(tmp_path / "net", PORTS)
    prepare_folders(plan)
    again = make_plan(tmp_path / "net", PORTS)
    assert again == plan
    assert {stat.S_IMODE(plan.file(key).stat().st_mode) for key in plan.configs} == {0o600}
    plan.file("hub").write_text(plan.file("hub").read_text().replace("Education and", "Education &"))
    prepare_folders(again)
    assert make_plan(tmp_path / "net", PORTS).configs["hub"].name == "Education & Solidarity Network"


def test_a_folder_of_other_ports_is_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare_folders(make_plan(tmp_path / "net", PORTS))
    assert run(["demo", "--data", str(tmp_path / "net"), "--ports", "8201,8202,8203"], {}) == 1
    told = capsys.readouterr().err
    assert "holds a demonstration with other ports (hub.localhost:8101)" in told
    assert told.count("\n") == 1


def test_a_folder_of_another_environment_is_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "esnfed.toml").write_text(
        'domain = "hub.esn.test"\ndata_dir = "."\nenvironment = "test"\n'
    )
    assert run(["demo", "--data", str(tmp_path)], {}) == 1
    assert "belongs to a node of the environment test" in capsys.readouterr().err


def test_a_busy_port_is_one_sentence_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ports = free_ports()
    with socket.create_server(("127.0.0.1", ports[1])):
        data = tmp_path / "net"
        code = run(["demo", "--data", str(data), "--ports", ",".join(map(str, ports))], {})
    told = capsys.readouterr().err
    assert code == 1
    assert f"Port {ports[1]} cannot be used" in told
    assert "--ports 8101,8102,8103" in told
    assert told.count("\n") == 1
    assert not data.exists()


def test_a_second_demonstration_on_the_same_folder_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ports = free_ports()
    plan = make_plan(tmp_path / "net", ports)
    prepare_folders(plan)
    with sole_use(plan.configs["union"], "taken"):
        assert run(["demo", "--data", str(plan.folder), "--ports", ",".join(map(str, ports))], {}) == 1
    assert "runs already, or a command uses it" in capsys.readouterr().err


def test_ports_are_given_back_when_one_is_missing() -> None:
    ports = free_ports()
    with socket.create_server(("127.0.0.1", ports[2])), ExitStack() as stack, pytest.raises(ConfigError):
        take_ports(stack, ports)
    with ExitStack() as stack:
        assert len(take_ports(stack, ports)) == 3


def test_a_private_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    write_private(path, "one")
    write_private(path, "two")
    assert path.read_text() == "two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["secret"]
