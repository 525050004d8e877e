"""Fashion-MNIST: the first 12,000 training and 2,000 test photographs of clothes, in ten classes."""

from gencourse.datasets import source

CLASSES = (
    "T-shirt or top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip


def load(split="train", batch_size=None, labels=True, shuffle_seed=None):
    """Load photographs of clothes.

    Args:
        split: "train", "test", or a slice such as "train[:6000]".
        batch_size: Items in a batch, at least 1; None gives single items.
        labels: Whether to give `(image, label)` or `image` alone.
        shuffle_seed: Reshuffles at each epoch, in an order that the seed fixes; None keeps the stored order.

    Returns:
        A `tf.data.Dataset` of images (28, 28, 1), float32 in [0, 1], and labels (), int32: positions in `CLASSES`.

    Raises:
        ValueError: If there is no such split, or the batch size is below 1.
        OSError: If a data file is missing or damaged.
    """
    return source.load_images("fashion_mnist", split, batch_size, labels, shuffle_seed)
