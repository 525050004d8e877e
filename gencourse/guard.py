"""What comes into a model is checked before it is computed with, whatever form it comes in."""

import itertools
import numbers
from collections.abc import Callable, Iterator

import keras
import numpy as np
from keras import ops

MARKER = "[refused by gencourse]"  # finds our sentence again inside the error of a compiled pipeline


def check_images(images, shape: tuple[int | None, ...], name: str = "Images") -> None:
    """Refuse what is not a batch of images with values in [0, 1].

    Args:
        images: an array or an eager tensor, expected (n, *shape).
        shape: the accepted shape of one image; None accepts any size.
        name: what the message calls them.

    Raises:
        ValueError: another shape, integers, or a value outside [0, 1] or not finite.
    """
    images = ops.convert_to_numpy(images)
    accepted = f"accepted are floats in [0, 1] of shape (n, {', '.join(map(str, shape))})"
    fits = images.ndim == len(shape) + 1 and all(
        want in (None, have) for want, have in zip(shape, images.shape[1:], strict=True)
    )
    if not fits:
        raise ValueError(f"{name} have shape {images.shape}; {accepted}.")
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(f"{name} are {images.dtype}; {accepted}: divide bytes by 255.")
    if images.size and not (images.min() >= 0 and images.max() <= 1):  # also catches NaN
        raise ValueError(f"{name} span [{images.min():.4g}, {images.max():.4g}]; {accepted}.")


def check_labels(labels, classes: int, name: str = "Labels") -> None:
    """Refuse what is not a vector of integers in 0..classes - 1.

    Args:
        labels: an array or an eager tensor, expected (n,).
        classes: the number of classes.
        name: what the message calls them.

    Raises:
        ValueError: another shape, no integers, or a label outside the range.
    """
    labels = ops.convert_to_numpy(labels)
    accepted = f"accepted are integers in 0..{classes - 1} of shape (n,)"
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"{name} are {labels.dtype} of shape {labels.shape}; {accepted}.")
    if labels.size and not (labels.min() >= 0 and labels.max() < classes):
        raise ValueError(f"{name} span {labels.min()}..{labels.max()}; {accepted}.")


def check_whole(number, name: str, least: int) -> None:
    """Refuse what is not a whole number of at least `least`.

    Args:
        number: expected an integer of Python or NumPy.
        name: what the message calls it.
        least: the smallest accepted number.

    Raises:
        ValueError: another type, or a smaller number.
    """
    if not isinstance(number, numbers.Integral) or isinstance(number, bool) or number < least:
        raise ValueError(f"{name} is {number!r}; accepted is a whole number >= {least}.")


def is_eager(data) -> bool:
    """Whether every tensor of a structure has values now, and is not a symbol in a graph being traced."""
    for tensor in keras.tree.flatten(data):
        try:
            ops.convert_to_numpy(tensor)
        except Exception:  # each backend has its own error for a symbolic tensor
            return False
    return True


def guard(data, check: Callable[[object], None]):
    """Put `check` in front of data that goes to `fit`, `evaluate` or `predict`.

    Args:
        data: arrays (or a dict, list or tuple of them), a `tf.data.Dataset` of batches, a `keras.utils.PyDataset`, or
            a generator of batches.
        check: inputs x → None; raises ValueError. Labels and sample weights beside x are not shown to it.

    Returns:
        The same data; whole arrays were checked at once, batches are checked when they are read, the first one now
        (not for a `tf.data.Dataset` under TensorFlow, whose shuffling may take long to give it).

    Raises:
        ValueError: the arrays or the first batch are refused.
        TypeError: the data has another form.
    """
    if _is_arrays(data):
        check(data)
        return data
    if type(data).__module__.startswith("tensorflow.") and hasattr(data, "element_spec"):
        return _guard_tf_dataset(data, check)
    if isinstance(data, keras.utils.PyDataset):
        check(_inputs(data[0]))
        return _GuardedPyDataset(data, check)
    if isinstance(data, Iterator):
        first = next(data, ())
        check(_inputs(first))
        return _guard_generator(itertools.chain([first], data), check)
    raise TypeError(
        f"Data of type {type(data).__name__}; accepted are arrays, a tf.data.Dataset, a PyDataset or a generator."
    )


def refusal(error: Exception) -> str | None:
    """Return the sentence of `check` that an error of a data pipeline carries, or None if it carries none."""
    _, found, rest = str(error).partition(MARKER)
    return rest.partition(MARKER)[0].strip() if found else None


def _is_arrays(data) -> bool:
    leaves = keras.tree.flatten(data)
    return bool(leaves) and all(isinstance(leaf, np.ndarray) or ops.is_tensor(leaf) for leaf in leaves)


def _inputs(batch):
    return keras.utils.unpack_x_y_sample_weight(batch)[0] if isinstance(batch, tuple) else batch


def _guard_tf_dataset(data, check):
    import tensorflow as tf

    if keras.backend.backend() == "jax":  # a fit that fails at its first batch leaves a model without weights there
        for batch in data.take(1):
            check(_inputs(batch))
    spec = _inputs(data.element_spec)

    def check_leaves(*leaves):
        try:
            check(tf.nest.pack_sequence_as(spec, leaves))
        except ValueError as error:
            raise ValueError(f"{MARKER}{error}{MARKER}") from None
        return np.int32(0)

    def checked(*batch):
        batch = batch if isinstance(data.element_spec, tuple) else batch[0]
        done = tf.numpy_function(check_leaves, tf.nest.flatten(_inputs(batch)), tf.int32)
        with tf.control_dependencies([done]):
            return tf.nest.map_structure(tf.identity, batch)

    return data.map(checked).prefetch(1)


def _guard_generator(batches, check):
    for batch in batches:
        check(_inputs(batch))
        yield batch


class _GuardedPyDataset(keras.utils.PyDataset):
    def __init__(self, data: keras.utils.PyDataset, check):
        super().__init__(data.workers, data.use_multiprocessing, data.max_queue_size)
        self.data, self.check = data, check

    def __len__(self):
        return len(self.data)

    @property
    def num_batches(self):
        return self.data.num_batches

    def __getitem__(self, index):
        batch = self.data[index]
        self.check(_inputs(batch))
        return batch

    def on_epoch_begin(self):
        self.data.on_epoch_begin()

    def on_epoch_end(self):
        self.data.on_epoch_end()
