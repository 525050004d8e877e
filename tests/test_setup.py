"""The set-up program decides rightly and refuses in one line."""

import ast
import json
import os
import re
import socket
import sys
import tomllib
from collections import namedtuple

import installation
import make
import pytest
from packaging.specifiers import SpecifierSet

ROOT = installation.ROOT
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

posix = pytest.mark.skipif(os.name != "posix", reason="the fake interpreters are shell scripts")


def fake_program(path, script):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def only_pythons(tmp_path, monkeypatch):
    """Return a function that puts {name: script} alone on the path; the first one runs the set-up program."""

    def install(scripts):
        paths = [fake_program(tmp_path / "bin" / name, script) for name, script in scripts.items()]
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        monkeypatch.setattr(sys, "_base_executable", paths[0], raising=False)
        return paths

    return install


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A small checkout with its own .venv place, enough disk, and a Python found without looking."""
    root = tmp_path / "checkout"
    root.mkdir()
    (root / "pyproject.toml").write_text("[project]")
    (root / "requirements.lock").write_text("numpy==2.4.6")
    monkeypatch.setattr(installation, "ROOT", root)
    monkeypatch.setattr(installation, "VENV", root / ".venv")
    monkeypatch.setattr(installation, "STAMP", root / ".venv" / "gencourse.json")
    monkeypatch.setattr(installation, "refuse_full_disk", lambda: None)
    monkeypatch.setattr(installation, "refuse_platform", lambda gpu: None)
    monkeypatch.setattr(installation, "find_python", lambda: (["python3.12"], "3.12.1"))
    monkeypatch.setattr(installation, "probe", lambda command: ("3.12.1", True))
    return root


@pytest.fixture
def steps(project, monkeypatch):
    """The commands that the installation runs, recorded instead of run."""
    commands = []

    def record(command):
        commands.append(command)
        installation.VENV.mkdir(exist_ok=True)

    monkeypatch.setattr(installation, "attempt", record)
    return commands


@pytest.mark.parametrize("program", ["make.py", "installation.py"])
def test_an_old_python_can_read_the_program(program):
    ast.parse((ROOT / "tools" / program).read_text(), feature_version=(3, 6))


def test_supported_versions_are_the_projects_own():
    accepted = SpecifierSet(PROJECT["requires-python"])
    stated = {f"3.{minor}" for minor in range(40) if f"3.{minor}" in accepted}
    assert stated == {f"{major}.{minor}" for major, minor in installation.SUPPORTED}


@posix
def test_the_running_python_is_taken_first(only_pythons):
    paths = only_pythons({"python3.11": "echo 3.11.7", "python3.13": "echo 3.13.0"})
    assert installation.find_python() == ([paths[0]], "3.11.7")


@posix
def test_an_unsuitable_python_and_a_broken_shim_are_passed_over(only_pythons):
    shim = "echo 'pyenv: python3.13: command not found' >&2; exit 127"
    paths = only_pythons({"python3": "echo 3.14.0", "python3.13": shim, "python3.12": "echo 3.12.1"})
    assert installation.find_python() == ([paths[2]], "3.12.1")


@posix
@pytest.mark.parametrize("version", ["3.10.13", "3.14.0", "4.11.0"])
def test_no_supported_python_names_what_was_found(only_pythons, version):
    only_pythons({"python3": f"echo {version}"})
    with pytest.raises(SystemExit, match=f"Python 3.11, 3.12 or 3.13 is needed; found {re.escape(version)}"):
        installation.find_python()


@posix
def test_a_python_without_venv_is_refused_with_the_remedy(only_pythons):
    only_pythons({"python3": "echo 3.11.2; exit 1"})
    with pytest.raises(SystemExit, match=r"3\.11\.2 .*without venv: install its package python3-venv"):
        installation.find_python()


def test_a_first_installation_uses_the_lock_and_the_second_call_does_nothing(steps):
    installation.prepare(["lab"])
    make_venv, install = steps
    assert make_venv[:4] == ["python3.12", "-m", "venv", "--clear"]
    assert install[-4:] == ["-c", "requirements.lock", "-e", ".[cpu,lab]"]
    assert installation.prepare(["lab"]) == install[0]
    assert len(steps) == 2


@pytest.mark.parametrize("changed", ["pyproject.toml", "requirements.lock"])
def test_changed_inputs_install_again_into_the_same_environment(steps, project, changed):
    installation.prepare(["lab"])
    (project / changed).write_text("changed")
    installation.prepare(["lab"])
    assert [command[2] for command in steps] == ["venv", "pip", "pip"]


def test_more_extras_are_added_and_fewer_ask_for_nothing(steps):
    installation.prepare(["lab"])
    installation.prepare(["lab", "dev"])
    installation.prepare(["lab"])
    assert [command[-1] for command in steps if "pip" in command] == [".[cpu,lab]", ".[cpu,dev,lab]"]


def test_the_gpu_replaces_the_cpu_environment_and_then_stays(steps):
    installation.prepare(["lab"])
    installation.prepare(["lab"], gpu=True)
    installation.prepare(["lab", "dev"])
    assert [command[2] for command in steps] == ["venv", "pip", "venv", "pip", "pip"]
    assert steps[3][-1] == ".[gpu,lab]"
    assert steps[4][-1] == ".[dev,gpu,lab]"


def test_a_moved_checkout_or_another_python_starts_afresh(steps, monkeypatch):
    installation.prepare(["lab"])
    stamp = json.loads(installation.STAMP.read_text())
    installation.STAMP.write_text(json.dumps({**stamp, "root": "elsewhere"}))
    installation.prepare(["lab"])
    monkeypatch.setattr(installation, "probe", lambda command: (None, False))
    installation.prepare(["lab"])
    assert [command[2] for command in steps] == ["venv", "pip"] * 3


def test_an_interrupted_installation_leaves_no_stamp(steps, project, monkeypatch):
    installation.prepare(["lab"])

    def interrupt(command):
        raise KeyboardInterrupt

    monkeypatch.setattr(installation, "attempt", interrupt)
    with pytest.raises(KeyboardInterrupt):
        installation.prepare(["lab", "dev"])
    assert not installation.STAMP.exists()


def test_without_network_a_finished_environment_stays_usable(steps, monkeypatch):
    installation.prepare(["lab"])
    monkeypatch.setattr(installation, "attempt", lambda command: installation.explain("NewConnectionError"))
    with pytest.raises(SystemExit, match="no network"):
        installation.prepare(["lab", "dev"])
    assert installation.prepare(["lab"]) == installation.venv_program("python")


@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        ("WARNING: Retrying after 'NewConnectionError(...: [Errno -3] Temporary failure ...", "no network"),
        ("getaddrinfo failed\nERROR: No matching distribution found for flit_core", "no network"),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("WARNING: slow\nERROR: No matching distribution found for numpy==9", "No matching distribution found"),
        ("", "no message"),
    ],
)
def test_a_failed_installation_is_explained_in_one_line(printed, reason):
    line = installation.explain(printed)
    assert reason in line
    assert "\n" not in line


def test_an_intel_mac_is_sent_to_colab(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(installation.platform, "machine", lambda: "x86_64")
    with pytest.raises(SystemExit, match="no wheel for Intel Macs; open the notebooks in Colab"):
        installation.refuse_platform(gpu=False)


def test_a_gpu_is_refused_outside_linux(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(SystemExit, match="on Linux only"):
        installation.refuse_platform(gpu=True)


def test_a_full_disk_is_refused_before_anything_is_written(monkeypatch):
    usage = namedtuple("usage", "total used free")(10**12, 10**12 - 10**9, 10**9)
    monkeypatch.setattr(installation.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(SystemExit, match=r"1\.0 GB free .* need 4 GB"):
        installation.refuse_full_disk()


def test_an_occupied_port_is_refused_with_the_alternative():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(SystemExit, match=f"port {port} is taken; choose another, or leave --port out"):
            make.main(["lab", "--port", str(port)])


def test_a_port_that_does_not_exist_is_refused():
    with pytest.raises(SystemExit, match="choose one from 1 to 65535"):
        make.refuse_port(70000)


def test_lab_listens_on_this_machine_only():
    command = make.lab_command("python", port=8899, browser=False)
    assert command[:4] == ["python", "-m", "jupyterlab", "notebooks/00_start_here.ipynb"]
    assert {"--ip=127.0.0.1", "--port=8899", "--ServerApp.port_retries=0", "--no-browser"} <= set(command)
    assert not any("port" in argument for argument in make.lab_command("python"))


def test_every_stage_runs_and_the_first_failure_is_the_exit_code(monkeypatch, capsys):
    codes = {"check": 0, "--check": 3, "tests": 0, "notebooks": 1}
    monkeypatch.setattr(make, "prepare", lambda extras: "python")
    monkeypatch.setattr(
        make.subprocess,
        "call",
        lambda command, **_: next(code for word, code in reversed(codes.items()) if word in command),
    )
    assert make.main(["test"]) == 3
    assert "lint: passed, layout: FAILED (3), package: passed, notebooks: FAILED (1)" in capsys.readouterr().out
