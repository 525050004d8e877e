"""Pixels that take a few known levels, as an exact likelihood needs them."""

import numpy as np
from keras import ops

from gencourse.guard import check_images, check_whole

TOLERANCE = 1e-3  # of x · (levels - 1) from a whole number; float32 and float16 rounding stay below it at 256 levels


def check_levels(levels) -> None:
    """Refuse what is not a number of pixel levels, 2 to 256.

    Raises:
        ValueError: another type or range.
    """
    check_whole(levels, "levels", least=2)
    if levels > 256:
        raise ValueError(f"levels is {levels}; accepted is a whole number of at most 256.")


def check_quantized_images(images, shape: tuple[int, int, int], levels: int) -> None:
    """Refuse what is not a batch of images whose values are k / (levels - 1), k = 0..levels - 1.

    Args:
        images: an array or an eager tensor, expected (n, *shape).
        shape: (height, width, channels).
        levels: 2 for binary pixels, up to 256 for bytes.

    Raises:
        ValueError: no images in [0, 1] of this shape, or a value between the levels.
    """
    check_images(images, shape)
    steps = ops.convert_to_numpy(images).astype("float32") * (levels - 1)
    between = np.abs(steps - np.round(steps)) > TOLERANCE
    if between.any():
        grid = "0 and 1" if levels == 2 else f"multiples of 1/{levels - 1}"
        raise ValueError(
            f"Images have the value {steps[between][0] / (levels - 1):.4g}; accepted are {grid}: round resized images, "
            "binarize grey ones."
        )


def level_of(images, levels: int):
    """Return k, int32, for images of values k / (levels - 1)."""
    return ops.cast(ops.round(ops.cast(images, "float32") * (levels - 1)), "int32")
