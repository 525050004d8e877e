"""The doctor finds each fault when it is there, and says what to do."""

import json
import sys

import pytest

from gencourse import health


def test_sound_installation_has_no_remedy():
    checks = [health.check_python(), *health.check_packages(), health.check_memory(), health.check_disk()]
    assert [check.name for check in checks if check.remedy] == []
    assert {"Python", "keras", "numpy", "tensorflow-datasets"} <= {check.name for check in checks}


def test_ranges_are_those_of_the_package():
    ranges = health.accepted_versions()
    assert "3.9" not in ranges["keras"]
    assert "3.10" in ranges["keras"]
    assert ranges["tensorflow-cpu"] == ranges["tensorflow"]


def test_version_outside_the_range(monkeypatch):
    monkeypatch.setattr(health, "_version", lambda package: "1.0" if package != "tensorflow" else None)
    for check in health.check_packages():
        assert "Accepted is" in check.remedy


def test_missing_tensorflow_is_one_line(monkeypatch):
    version = health._version
    monkeypatch.setattr(health, "_version", lambda package: None if "tensorflow" in package else version(package))
    missing = [check for check in health.check_packages() if check.name == "tensorflow"]
    assert [check.found for check in missing] == ["not installed"]
    assert "make lab" in missing[0].remedy


def test_backend_that_does_not_start(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "abacus")
    check = health.check_backend()
    assert "Keras does not start" in check.found
    assert "abacus" in check.found
    assert check.remedy


def test_backend_that_starts(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")  # it starts three times faster than TensorFlow
    check = health.check_backend()
    assert check.found.startswith("Keras on jax, ")
    assert check.remedy is None


@pytest.mark.parametrize(("program", "sound"), [("python", True), (sys.executable, True), ("/elsewhere/python", False)])
def test_kernel_of_another_python(monkeypatch, tmp_path, program, sound):
    folder = tmp_path / "kernels" / "python3"
    folder.mkdir(parents=True)
    kernel = {"argv": [program, "-m", "ipykernel_launcher"], "display_name": "Python 3", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(kernel), encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    check = health.check_kernel()
    assert (check.remedy is None) == sound
    assert sound or str(folder) in check.remedy


def test_damaged_files_are_all_named():
    assert list(health.check_files("data", lambda: [])) == [health.Check("data", "intact")]
    found = health.check_files("data", lambda: ["a is damaged: run x", "b is missing: run y"])
    assert [check.remedy for check in found] == ["a is damaged: run x", "b is missing: run y"]


def test_files_that_cannot_be_looked_at_are_a_problem():
    def unreadable():
        raise FileNotFoundError("There is no folder data/")

    assert "There is no folder data/" in next(health.check_files("data", unreadable)).remedy


def test_little_memory_and_disk(monkeypatch):
    monkeypatch.setattr(health, "LEAST_MEMORY", 1e18)
    monkeypatch.setattr(health, "LEAST_DISK", 1e18)
    assert "close other programs" in health.check_memory().remedy
    assert health.check_disk().remedy
