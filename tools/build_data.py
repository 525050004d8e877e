"""Build data/ from public packages: `python -m tools.build_data [--check] [NAME ...]`.

Without names every set is built. --check rebuilds into a temporary folder and compares with what is in data/.
"""

import argparse
import hashlib
import importlib
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data"
CACHE = ROOT / ".cache" / "data"
RECIPES = {  # set: module of tools/data and function
    "mnist": ("idx_images", "build_mnist"),
    "fashion_mnist": ("idx_images", "build_fashion_mnist"),
    "emoji_pairs": ("emoji_pairs", "build"),
    "bach_chorales": ("bach_chorales", "build"),
    "shakespeare": ("shakespeare", "build"),
}


def hashes(folder, name):
    """Return {POSIX path relative to folder: sha256} of a set's files."""
    paths = sorted(path for path in (folder / name).rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def build(name, target):
    """Build one set in the folder target."""
    import tensorflow_datasets as tfds

    from tools.data import records

    tfds.disable_progress_bar()
    module, function = RECIPES[name]
    getattr(importlib.import_module(f"tools.data.{module}"), function)(target, CACHE)
    for shard in (target / name).rglob("*.tfrecord-*"):
        records.rewrite(shard)


def differences(name, folder):
    """Return the sorted paths of a set's files that differ between the folder and data/."""
    rebuilt, kept = hashes(folder, name), hashes(DATA, name)
    return sorted(path for path in rebuilt | kept if rebuilt.get(path) != kept.get(path))


def replace(name, folder):
    """Move a set from the folder to data/, in place of what was there."""
    shutil.rmtree(DATA / name, ignore_errors=True)
    shutil.move(folder / name, DATA / name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(RECIPES)}; default: all")
    parser.add_argument("--check", action="store_true", help="compare a rebuild with data/, change nothing")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(RECIPES))
    if unknown:
        parser.error(f"unknown data set {unknown[0]!r}; choose from {', '.join(RECIPES)}")
    CACHE.mkdir(parents=True, exist_ok=True)
    different = []
    for name in arguments.names or RECIPES:
        print(f"{name}: building", flush=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            try:
                build(name, Path(folder))
            except OSError as error:
                sys.exit(f"build_data: {name}: {error}")
            different += differences(name, Path(folder))
            if not arguments.check:
                replace(name, Path(folder))
    if arguments.check:
        sys.exit(f"build_data: these differ from a rebuild: {', '.join(different)}" if different else 0)
    sums = {path: value for name in RECIPES for path, value in hashes(DATA, name).items()}
    lines = [f"{value}  {path}\n" for path, value in sums.items()]
    (DATA / "SHA256SUMS").write_text("".join(lines), encoding="utf-8", newline="\n")

    from tools.data import preview

    preview.draw(DATA / "preview.png")


if __name__ == "__main__":
    main()
