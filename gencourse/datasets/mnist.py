"""MNIST: 70,000 handwritten digits, 60,000 to train on and 10,000 to test."""

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
