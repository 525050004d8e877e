"""Where the data lives: find data/, verify its files, open a prepared set and batch it."""

import functools
import hashlib
import os
from pathlib import Path

MARKER = "README.md"


def folder():
    """Return the course's data folder.

    That is the one named by the environment variable GENCOURSE_DATA, else the first `data/` holding `README.md`
    in the working directory, its parents, and the parents of this package.

    Raises:
        FileNotFoundError: If there is none.
    """
    named = os.environ.get("GENCOURSE_DATA")
    if named:
        if not (Path(named) / MARKER).is_file():
            raise FileNotFoundError(f"GENCOURSE_DATA is {named!r}, which holds no {MARKER}: name the course's data/.")
        return Path(named).absolute()
    here, package = Path.cwd(), Path(__file__).resolve()
    for parent in (here, *here.parents, *package.parents):
        if (parent / "data" / MARKER).is_file():
            return parent / "data"
    raise FileNotFoundError(
        "No data folder found: work inside a clone of the course's repository, "
        "or set GENCOURSE_DATA to the path of its data folder."
    )


def verify(name=None):
    """Compare the data files with `SHA256SUMS`.

    Args:
        name: A data set, such as "mnist"; None stands for all.

    Returns:
        A list of problems, one sentence each, naming the file and the command that mends it; empty if all is well.
    """
    data = folder()
    try:
        lines = (data / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return [_problem(data, "SHA256SUMS", "missing")]
    problems = []
    for line in lines:
        digest, file = line.split("  ", 1)
        if name not in (None, file.split("/")[0]):
            continue
        if not (data / file).is_file():
            problems.append(_problem(data, file, "missing"))
            continue
        with (data / file).open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != digest:
                problems.append(_problem(data, file, "damaged"))
    return problems


def _problem(data, file, what):
    return f"{data / file} is {what}: mend it with `git checkout -- data/{file}` in a clone, or with `make data`."


@functools.cache
def _builder(name, data):
    """Open a prepared set, after its files were verified: once a process, 30 ms for MNIST."""
    import tensorflow_datasets as tfds

    problems = verify(name)
    if problems:
        raise OSError(problems[0])
    if not (data / name).is_dir():
        raise OSError(f"{data} holds no data set {name!r}: use the whole data folder of the course.")
    return tfds.builder(name, data_dir=data)


def read(name, split, **options):
    """Read a split of a prepared set in its fixed order, undecorated.

    Args:
        name: The data set.
        split: A split or a slice of one, such as "train[:1000]".
        options: Further arguments of `as_dataset`, such as `as_supervised`.

    Returns:
        A `tf.data.Dataset` in the types the records are stored in.

    Raises:
        OSError: If a file of the set is missing or damaged.
        ValueError: If the set has no such split, or the slice lies outside of it or is empty.
    """
    import tensorflow_datasets as tfds

    builder = _builder(name, folder())
    try:
        count = builder.info.splits[split].num_examples
    except (KeyError, ValueError, AssertionError, AttributeError):
        count = 0
    if not count:
        *others, last = builder.info.splits
        raise ValueError(
            f"{name} has no examples in split {split!r}: "
            f"use {', '.join(others)} or {last}, or a slice such as 'train[:10]'."
        )
    return builder.as_dataset(split=split, read_config=tfds.ReadConfig(try_autocache=False), **options)


def pipeline(data, transform, batch_size=None, shuffle_seed=None):
    """Cache, shuffle, batch, transform and prefetch a dataset of known size.

    Args:
        data: A `tf.data.Dataset`.
        transform: A function of one element, which must work for a batch as well.
        batch_size: Items in a batch; None leaves single items. The last batch may be short.
        shuffle_seed: Reshuffles at each epoch, in an order that the seed fixes; None keeps the stored order.

    Raises:
        ValueError: If the batch size is below 1.
    """
    import tensorflow as tf

    if batch_size is not None and batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}: use 1 or more, or None for single items.")
    data = data.cache()  # what is stored, which is four times smaller than float32
    if shuffle_seed is not None:
        data = data.shuffle(data.cardinality(), seed=shuffle_seed, reshuffle_each_iteration=True)
    if batch_size is not None:
        data = data.padded_batch(batch_size)  # pads with 0 what differs in length
    return data.map(transform, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def load_images(name, split, batch_size, labels, shuffle_seed):
    """Load a set of labelled 8-bit images as float32 in [0, 1] and int32 labels: the body of each such `load`."""
    import tensorflow as tf

    def images_and_labels(image, label):
        image = tf.cast(image, tf.float32) / 255
        return (image, tf.cast(label, tf.int32)) if labels else image

    data = read(name, split, as_supervised=True)
    return pipeline(data, images_and_labels, batch_size, shuffle_seed)
