"""pyproject.toml, requirements.lock, environment.yml and the workflow are in step."""

import re
import tomllib

import yaml
from installation import ROOT, SUPPORTED
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pins():
    """Return {name: [Version]} of the lock; a package may have one pin a platform."""
    locked = {}
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        requirement = Requirement(line)
        (specifier,) = requirement.specifier
        assert specifier.operator == "==", f"{line!r} is not an exact pin"
        assert requirement.url is None, f"{line!r} holds an address"
        locked.setdefault(normal(requirement.name), []).append(Version(specifier.version))
    return locked


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_lock_pins_every_dependency_within_its_range():
    extras = PROJECT["optional-dependencies"]
    named = PROJECT["dependencies"] + [line for extra in extras if extra != "gpu" for line in extras[extra]]
    requirements = [r for r in map(Requirement, named) if r.name != PROJECT["name"]]
    locked = pins()
    for requirement in requirements:
        versions = locked.get(normal(requirement.name))
        assert versions, f"requirements.lock has no pin for {requirement.name}"
        assert all(version in requirement.specifier for version in versions), f"{requirement} against {versions}"


def test_conda_users_get_the_same_python_lock_and_extras():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, section = conda["dependencies"]
    assert pip == "pip"
    assert Requirement(python).specifier == SpecifierSet(PROJECT["requires-python"])
    constraint, package = section["pip"]
    assert constraint == "-c requirements.lock"
    extras = re.fullmatch(r"-e \.\[(.+)\]", package).group(1).split(",")
    assert set(extras) <= set(PROJECT["optional-dependencies"])
    assert {"cpu", "lab"} <= set(extras)


def test_the_workflow_calls_the_same_command_on_every_supported_python():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    job = workflow["jobs"]["test"]
    assert [step["run"] for step in job["steps"] if "run" in step] == ["python tools/make.py test"]
    assert job["strategy"]["matrix"]["python"] == [f"{major}.{minor}" for major, minor in SUPPORTED]
