"""Images as a grid."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from gencourse.plots.style import figure


def image_grid(images, columns: int | None = None, titles: Sequence[str] | None = None, scale: float = 1.0) -> Figure:
    """Draw images in a grid, row by row.

    Args:
        images: (n, h, w), (n, h, w, 1) or (n, h, w, 3), n >= 1, values in [0, 1].
        columns: images a row; by default all in one row up to 10.
        titles: one short text an image.
        scale: 1.0 draws a cell about 0.7 inch wide.

    Raises:
        ValueError: another shape, values outside [0, 1] or not finite, or not one title an image.
    """
    images = as_images(images)
    if titles is not None and len(titles) != len(images):
        raise ValueError(f"There are {len(titles)} titles for {len(images)} images.")
    columns = min(columns or 10, len(images))
    rows = math.ceil(len(images) / columns)
    cell = 0.7 * scale
    fig, [canvas] = figure(width=columns * cell, height=rows * (cell + (0.2 if titles is not None else 0)))
    canvas.remove()
    axes = fig.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes:
        axis.axis("off")
    for index, (axis, image) in enumerate(zip(axes, images, strict=False)):
        pixels = image.squeeze(-1) if image.shape[-1] == 1 else image
        axis.imshow(pixels, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        if titles is not None:
            axis.set_title(titles[index], fontsize=7, loc="center", pad=2)
    fig.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0.02, hspace=0.02)
    return fig


def as_images(images) -> np.ndarray:
    """Return images as float (n, h, w, channels) in [0, 1], refusing anything else.

    Raises:
        ValueError: the shape is none of (n, h, w), (n, h, w, 1), (n, h, w, 3), or a value is outside [0, 1].
    """
    images = np.asarray(images, dtype="float32")
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or not len(images):
        raise ValueError(
            f"Images have shape {images.shape}; accepted are (n, height, width[, 1 or 3 channels]), n >= 1."
        )
    low, high = images.min(), images.max()
    if not (low >= 0 and high <= 1):  # also catches NaN
        raise ValueError(f"Image values span [{low:.3g}, {high:.3g}]; accepted is [0, 1].")
    return images
