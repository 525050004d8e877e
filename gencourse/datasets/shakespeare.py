"""Shakespeare: nine plays, 1.1 million characters of speeches in 63 different characters."""

import numpy as np

from gencourse.datasets import source

CHARACTERS = "\n !&',-.:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def encode(text):
    """Return the ids of a text's characters, their positions in `CHARACTERS`.

    Args:
        text: A string.

    Returns:
        An int32 array (len(text),).

    Raises:
        ValueError: If the text has a character that the plays do not have.
    """
    unknown = sorted(set(text) - set(CHARACTERS))
    if unknown:
        raise ValueError(f"{unknown[0]!r} is not in the plays: use the characters {CHARACTERS!r}.")
    return np.array([CHARACTERS.index(character) for character in text], "int32")


def decode(ids):
    """Return the text of character ids, each in 0..62; the inverse of `encode`.

    Raises:
        ValueError: If an id is outside of that range.
    """
    ids = np.asarray(ids)
    if ids.size and not 0 <= ids.min() <= ids.max() < len(CHARACTERS):
        raise ValueError(f"ids run from {ids.min()} to {ids.max()}: use 0 to {len(CHARACTERS) - 1}.")
    return "".join(CHARACTERS[i] for i in ids)


def text(split="train"):
    """Return the plays of a split in one string.

    Args:
        split: "train" (seven plays), "validation" (The Tempest), "test" (As You Like It), or a slice of their acts.

    Raises:
        ValueError: If there is no such split.
        OSError: If a data file is missing or damaged.
    """
    acts = source.read("shakespeare", split).as_numpy_iterator()
    return b"".join(act["text"] for act in acts).decode("ascii")


def load(split="train", context=64, batch_size=None, shuffle_seed=None):
    """Load the text as consecutive windows of character ids; the incomplete last one is left out.

    Args:
        split: As in `text`.
        context: Characters in a window, from 1 to the length of the text.
        batch_size: Windows in a batch, at least 1; None gives single windows.
        shuffle_seed: Reshuffles at each epoch, in an order that the seed fixes; None keeps the order of the text.

    Returns:
        A `tf.data.Dataset` of ids (context,), int32 in 0..62.

    Raises:
        ValueError: If there is no such split, or the context or the batch size is out of range.
        OSError: If a data file is missing or damaged.
    """
    import tensorflow as tf

    ids = encode(text(split))
    if not 1 <= context <= len(ids):
        raise ValueError(f"context is {context}: use 1 to {len(ids)}, the length of the text.")
    windows = ids[: len(ids) // context * context].reshape(-1, context)
    return source.pipeline(tf.data.Dataset.from_tensor_slices(windows), tf.identity, batch_size, shuffle_seed)
