"""Small white shapes on black whose factors are known: every combination of place, scale, shape and rotation, once."""

from math import pi, prod
from numbers import Integral

import numpy as np

FACTORS = ("x", "y", "scale", "shape", "rotation")
SIZES = (8, 8, 4, 3, 8)  # 6,144 images

# Every shape has the area π of the unit circle: of a triangle with base and height 1.5, and of three unit squares.
TRIANGLE = (pi / 1.125) ** 0.5
CORNER = (pi / 3) ** 0.5


def generate(sizes: tuple[int, int, int, int, int] = SIZES, side: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Draw the full grid of factors, one image for each combination; the last factor changes fastest.

    The centre goes from 0.3 to 0.7 of the side, the radius (of a circle of the same area) from 0.1 to 0.17 of it, and
    the rotation through a quarter turn, ends included; a factor with one value has the first of these. No shape looks
    the same twice within a quarter turn, so rotation is an interval, not a circle. A pixel is 1 where its centre lies
    inside the shape. With the default arguments no two images are equal.

    Args:
        sizes: the number of values of each of `FACTORS`, at least 1; at most 3 shapes: ellipse, triangle, corner.
        side: pixels, at least 8.

    Returns:
        images: float32 (n, side, side, 1), 0 or 1, with n the product of the sizes.
        factors: int32 (n, 5), the index of each factor's value.

    Raises:
        ValueError: a size or the side is no such whole number.
    """
    _check(sizes, side)
    factors = np.indices(sizes).reshape(len(FACTORS), -1).T
    x, y, radius, rotation = (
        np.linspace(*ends, size)[index]
        for ends, size, index in zip(
            ((0.3, 0.7), (0.3, 0.7), (0.1, 0.17), (0, pi / 2)),
            np.delete(sizes, 3),
            np.delete(factors, 3, axis=1).T,
            strict=True,
        )
    )
    centres = (np.arange(side) + 0.5) / side
    images = np.zeros((prod(sizes), side, side, 1), "float32")
    for shape, inside in enumerate((_ellipse, _triangle, _corner)):
        chosen = np.flatnonzero(factors[:, 3] == shape)
        for block in np.array_split(chosen, 1 + len(chosen) // 500):  # bounds the memory
            across, down = centres - x[block, None, None], centres[:, None] - y[block, None, None]
            cos, sin = (f(rotation[block, None, None]) / radius[block, None, None] for f in (np.cos, np.sin))
            images[block, ..., 0] = inside(cos * across + sin * down, cos * down - sin * across)
    return images, factors.astype("int32")


def _ellipse(u, v):
    """Twice as long as thick, along u."""
    return u**2 / 2 + 2 * v**2 <= 1


def _triangle(u, v):
    """Isosceles, as high as its base is long, its tip along u."""
    u, v = u / TRIANGLE, v / TRIANGLE
    return (u >= -0.5) & (np.abs(v) <= 0.5 * (1 - u))


def _corner(u, v):
    """A square without one quarter, its centroid in the origin."""
    u, v = u / CORNER - 1 / 6, v / CORNER - 1 / 6
    return (np.maximum(np.abs(u), np.abs(v)) <= 1) & ((u <= 0) | (v <= 0))


def _check(sizes, side):
    if len(sizes) != len(FACTORS) or not all(isinstance(size, Integral) and size >= 1 for size in sizes):
        raise ValueError(f"sizes are {sizes}; accepted is a whole number >= 1 for each of {', '.join(FACTORS)}.")
    if sizes[3] > 3:
        raise ValueError(f"{sizes[3]} shapes; accepted are at most 3: ellipse, triangle, corner.")
    if not isinstance(side, Integral) or side < 8:
        raise ValueError(f"side is {side!r}; accepted is a whole number >= 8.")
