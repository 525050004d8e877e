"""What `gencourse doctor` looks at: each check is one line, and a failed one says what to do."""

import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psutil
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from gencourse.course import course_root

LEAST_MEMORY = 2e9  # bytes free; one notebook takes 0.6e9 to 1.5e9
LEAST_DISK = 1e9  # bytes free
INSTALL = "Run `make lab`, or `pip install -e '.[cpu,lab]'`, in the course's folder."
TENSORFLOW = ("tensorflow-cpu", "tensorflow")  # either brings the module `tensorflow`
PACKAGES = ("keras", "tensorflow-datasets", "numpy")

BACKEND_PROBE = """\
import json, keras
keras.ops.zeros(())
from gencourse.course import accelerator
print(json.dumps([keras.backend.backend(), accelerator()]))
"""


@dataclass(frozen=True)
class Check:
    """One thing looked at; `remedy` is None where all is well."""

    name: str
    found: str
    remedy: str | None = None


def examine() -> Iterator[Check]:
    """Look at the installation, the machine, the data and the weights, one after the other."""
    yield check_python()
    yield from check_packages()
    yield check_backend()
    yield check_kernel()
    yield check_memory()
    yield check_disk()
    yield from check_files("data", _data_problems)
    yield from check_files("weights", _weights_problems)


def check_python() -> Check:
    """Python's version, against the package's `requires-python`."""
    accepted = SpecifierSet(importlib.metadata.metadata("gencourse")["Requires-Python"])
    found = platform.python_version()
    remedy = None if found in accepted else f"The course needs Python {accepted}: install one and run `make lab` again."
    return Check("Python", f"{found} at {sys.executable}", remedy)


def check_packages() -> Iterator[Check]:
    """The versions of Keras, TensorFlow, TFDS and NumPy, against the ranges of the package's metadata."""
    ranges = accepted_versions()
    for names in (*((name,) for name in PACKAGES), TENSORFLOW):
        installed = {name: version for name in names if (version := _version(name))}
        if not installed:
            yield Check(names[-1], "not installed", INSTALL)
        for name, version in installed.items():
            accepted = ranges[name]
            remedy = None if accepted.contains(version, prereleases=True) else f"Accepted is {accepted}. {INSTALL}"
            yield Check(name, version, remedy)


def accepted_versions() -> dict[str, SpecifierSet]:
    """Return the range of every requirement of the package, those of its extras too."""
    requirements = [Requirement(text) for text in importlib.metadata.requires("gencourse") or ()]
    return {requirement.name: requirement.specifier for requirement in requirements}


def check_backend() -> Check:
    """Whether Keras computes, and on what. A process of its own survives a backend that crashes."""
    probe = subprocess.run([sys.executable, "-c", BACKEND_PROBE], capture_output=True, text=True)
    if probe.returncode:
        lines = probe.stderr.strip().splitlines() or [f"it ended with exit code {probe.returncode}"]
        return Check("backend", f"Keras does not start: {lines[-1]}", INSTALL)
    backend, device = json.loads(probe.stdout.splitlines()[-1])
    return Check("backend", f"Keras on {backend}, {device}")


def check_kernel() -> Check:
    """Whether Jupyter's kernel "python3", which the notebooks name, is this Python."""
    try:
        kernel = KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        return Check("kernel", "Jupyter has no kernel 'python3'", INSTALL)
    program = kernel.argv[0]
    # Jupyter itself runs a bare "python" as its own interpreter. Links are not followed: a venv's Python is one.
    same = program in ("python", "python3") or _normal(program) == _normal(sys.executable)
    if same:
        return Check("kernel", "'Python 3 (ipykernel)' is this Python")
    return Check(
        "kernel",
        f"'Python 3 (ipykernel)' is another Python: {program}",
        f"Delete the folder {kernel.resource_dir}, or run `{sys.executable} -m ipykernel install --sys-prefix`.",
    )


def check_memory() -> Check:
    """The free memory."""
    free = psutil.virtual_memory().available
    remedy = None if free >= LEAST_MEMORY else f"A notebook wants {LEAST_MEMORY / 1e9:.0f} GB: close other programs."
    return Check("memory", f"{free / 1e9:.1f} GB free", remedy)


def check_disk() -> Check:
    """The free space on the course's disk."""
    free = shutil.disk_usage(course_root()).free
    remedy = None if free >= LEAST_DISK else f"The course wants {LEAST_DISK / 1e9:.0f} GB: delete what you do not need."
    return Check("disk", f"{free / 1e9:.1f} GB free", remedy)


def check_files(name: str, find_problems: Callable[[], list[str]]) -> Iterator[Check]:
    """One line where every file is intact, else one for each problem, which names the file and the remedy."""
    try:
        problems = find_problems()
    except (ImportError, OSError) as error:
        problems = [f"{error} (so nothing could be looked at)"]
    if not problems:
        yield Check(name, "intact")
    for problem in problems:
        yield Check(name, "damaged or missing", problem)


def _data_problems() -> list[str]:
    from gencourse.datasets import source

    return source.verify()


def _weights_problems() -> list[str]:
    from gencourse import weights

    return weights.verify()


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _normal(path: str) -> str:
    return os.path.normcase(os.path.abspath(path))  # noqa: PTH100 (resolve() would follow the link)
