"""MNIST: 70,000 handwritten digits, 60,000 to train on and 10,000 to test."""

import numpy as np

from gencourse.datasets import source


def load(split="train", batch_size=None, labels=True, shuffle_seed=None):
    """Load handwritten digits.

    Args:
        split: "train", "test", or a slice such as "train[:12000]".
        batch_size: Items in a batch, at least 1; None gives single items.
        labels: Whether to give `(image, label)` or `image` alone.
        shuffle_seed: Reshuffles at each epoch, in an order that the seed fixes; None keeps the stored order.

    Returns:
        A `tf.data.Dataset` of images (28, 28, 1), float32 in [0, 1], and labels (), int32 in 0..9.

    Raises:
        ValueError: If there is no such split, or the batch size is below 1.
        OSError: If a data file is missing or damaged.
    """
    return source.load_images("mnist", split, batch_size, labels, shuffle_seed)


def load_arrays(split="train"):
    """Load a whole split into memory.

    Args:
        split: As in `load`.

    Returns:
        images (n, 28, 28, 1), float32 in [0, 1], and labels (n,), int32 in 0..9, as NumPy arrays in stored order.

    Raises:
        ValueError: If there is no such split.
        OSError: If a data file is missing or damaged.
    """
    batches = list(load(split, batch_size=1000).as_numpy_iterator())
    images, labels = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
    return images, labels


def binarize(images, generator):
    """Draw each pixel as 0 or 1, with the pixel's value as the probability of 1.

    Args:
        images: Array of floats in [0, 1].
        generator: A `numpy.random.Generator`.

    Returns:
        float32 array of the same shape, of zeros and ones.
    """
    return (generator.random(images.shape, dtype="float32") < images).astype("float32")


def load_binary(split="train", batch_size=None, shuffle_seed=None):
    """Load binary digits, by the course's protocol for likelihoods.

    To train, give `shuffle_seed`: the pixels are drawn anew at each epoch. To test, leave it out: one draw, by NumPy's
    generator of seed 0, is the test set, and slices such as "test[:2000]" are its beginning. This is not the fixed
    binarization file of the literature.

    Args:
        split: "train", "test", or a slice such as "test[:2000]"; a slice that begins later has a draw of its own.
        batch_size: Items in a batch, at least 1; None gives single items.
        shuffle_seed: Fixes the order and the draws of all epochs; None keeps the stored order and one draw.

    Returns:
        A `tf.data.Dataset` of images (28, 28, 1), float32, 0 or 1.

    Raises:
        ValueError: If there is no such split, or the batch size is below 1.
        OSError: If a data file is missing or damaged.
    """
    import tensorflow as tf

    if shuffle_seed is None:
        drawn = tf.data.Dataset.from_tensor_slices(binarize(load_arrays(split)[0], np.random.default_rng(0)))
        return source.pipeline(drawn, lambda image: image, batch_size)

    def draw(image, seed):
        return tf.cast(tf.random.stateless_uniform(tf.shape(image), seed) < image, tf.float32)

    seeds = tf.data.Dataset.random(seed=shuffle_seed, rerandomize_each_iteration=True).batch(2)
    images = load(split, batch_size, labels=False, shuffle_seed=shuffle_seed)
    return tf.data.Dataset.zip(images, seeds).map(draw).prefetch(tf.data.AUTOTUNE)
