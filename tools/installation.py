"""The environment of the course: a suitable Python, and .venv with the locked packages.

This file keeps to the syntax and library of Python 3.6, so that an unsuitable Python still gets a clear answer.
"""

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "gencourse.json"  # written after a complete installation, and only then
SUPPORTED = ((3, 11), (3, 12), (3, 13))
DISK_BYTES = 4 * 10**9
START = time.perf_counter()
PROBE = "import sys; print('%d.%d.%d' % sys.version_info[:3], flush=True); import ensurepip, venv"
NO_NETWORK = (
    r"NewConnectionError|NameResolutionError|Temporary failure in name resolution|getaddrinfo failed|"
    r"Name or service not known|nodename nor servname|Network is unreachable|ConnectTimeoutError|"
    r"ReadTimeoutError|ProxyError|Connection refused|Max retries exceeded"
)
NO_DISK = r"No space left on device|Errno 28|WinError 112"


def say(message):
    """Print one line of progress with the seconds since the start."""
    print(f"[{time.perf_counter() - START:4.0f} s] {message}", flush=True)


def probe(command):
    """Run a Python and return (version, complete): its version string, or None where it does not start, and
    whether it can make virtual environments."""
    try:
        done = subprocess.run([*command, "-c", PROBE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None, False
    found = re.match(rb"(\d+\.\d+\.\d+)", done.stdout)
    return (found.group(1).decode() if found else None), done.returncode == 0


def is_supported(version):
    return tuple(int(part) for part in version.split(".")[:2]) in SUPPORTED


def candidates():
    """Yield the commands that may be a suitable Python, the running one first."""
    yield [getattr(sys, "_base_executable", None) or sys.executable]  # the base, in case this is .venv's own Python
    for major, minor in reversed(SUPPORTED):
        path = shutil.which(f"python{major}.{minor}")
        if path:
            yield [path]
        elif os.name == "nt" and shutil.which("py"):
            yield ["py", f"-{major}.{minor}"]


def find_python():
    """Return (command, version) of the first Python that is supported and works, or exit naming what was found."""
    seen = []
    for command in candidates():
        version, complete = probe(command)
        if version and is_supported(version) and complete:
            return command, version
        if version:
            lack = "" if complete else ", without venv: install its package python3-venv"
            seen.append(f"{version} ({' '.join(command)}{lack})")
    sys.exit(f"make: Python 3.11, 3.12 or 3.13 is needed; found {', '.join(seen) or 'none that starts'}")


def venv_program(name):
    folder, suffix = ("Scripts", ".exe") if os.name == "nt" else ("bin", "")
    return str(VENV / folder / (name + suffix))


def describe(version, extras):
    """Return what a finished installation is made from; an equal description means nothing to do."""
    inputs = b"".join((ROOT / name).read_bytes() for name in ("pyproject.toml", "requirements.lock"))
    return {
        "root": str(ROOT),
        "python": version,
        "inputs": hashlib.sha256(inputs).hexdigest(),
        "extras": sorted(extras),
    }


def read_stamp():
    try:
        return json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return None


def refuse_platform(gpu):
    if sys.platform == "darwin" and platform.machine() == "x86_64":
        sys.exit("make: TensorFlow has no wheel for Intel Macs; open the notebooks in Colab instead")
    if gpu and not sys.platform.startswith("linux"):
        sys.exit("make: TensorFlow drives a GPU on Linux only (WSL counts); leave --gpu out")


def refuse_full_disk():
    free = shutil.disk_usage(str(ROOT)).free
    if free < DISK_BYTES:
        sys.exit(f"make: {free / 1e9:.1f} GB free under {ROOT}; the packages need {DISK_BYTES / 1e9:.0f} GB")


def explain(output):
    """Return the one line that says why venv or pip failed, from what it printed on stderr."""
    if re.search(NO_DISK, output):
        return f"the disk is full under {ROOT} or the temporary folder; free {DISK_BYTES / 1e9:.0f} GB and repeat"
    if re.search(NO_NETWORK, output):
        return "no network: pip cannot reach the package registry; connect and repeat"
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["no message"]
    errors = [line for line in lines if line.lower().startswith("error")]
    return "the installation failed: " + (errors or lines)[-1]


def attempt(command):
    """Run one step of the installation and return why it failed, or None. Its stdout (pip's bars) is shown."""
    env = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1")
    done = subprocess.run(command, cwd=str(ROOT), env=env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return explain(done.stderr.decode("utf-8", "replace")) if done.returncode else None


def prepare(extras, gpu=False):
    """Make .venv hold the locked packages of these extras and return its Python; do nothing where it already does."""
    stamp = read_stamp()
    usable = stamp is not None and stamp["root"] == str(ROOT)
    usable = usable and probe([venv_program("python")])[0] == stamp["python"]
    usable = usable and not (gpu and "cpu" in stamp["extras"])  # tensorflow and tensorflow-cpu own the same files
    installed = set(stamp["extras"]) if usable else set()
    wanted = installed | set(extras) | {"gpu" if gpu or "gpu" in installed else "cpu"}
    if usable and stamp == describe(stamp["python"], wanted):
        return venv_program("python")

    refuse_platform(gpu)
    refuse_full_disk()
    if usable:
        version = stamp["python"]
        STAMP.unlink()  # an interrupted installation must not pass for a finished one
    else:
        base, version = find_python()
        say(f"making .venv with Python {version}")
        reason = attempt([*base, "-m", "venv", "--clear", str(VENV)])
        if reason:
            sys.exit(f"make: {reason}")
    say(f"installing the locked packages ({', '.join(sorted(wanted))}): 2.3 GB, about two minutes")
    target = f".[{','.join(sorted(wanted))}]"
    quiet = [] if sys.stdout.isatty() else ["--quiet"]
    pip = [venv_program("python"), "-m", "pip", "install", *quiet, "-c", "requirements.lock", "-e", target]
    reason = attempt(pip)
    if reason:
        if usable and "no network" in reason:  # pip downloads all before it installs any: nothing has changed
            STAMP.write_text(json.dumps(stamp))
        sys.exit(f"make: {reason}")
    STAMP.write_text(json.dumps(describe(version, wanted)))
    say("the environment is ready")
    return venv_program("python")


def environment(**settings):
    """Return the process environment with .venv's programs first on the path."""
    path = str(Path(venv_program("python")).parent) + os.pathsep + os.environ.get("PATH", "")
    return dict(os.environ, PATH=path, VIRTUAL_ENV=str(VENV), **settings)
