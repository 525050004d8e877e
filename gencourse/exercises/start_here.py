"""Checks for notebook 00: bytes to floats, rows of a grid, the mean picture of a class."""

from collections.abc import Callable

import numpy as np

from gencourse.exercises.harness import call, expect, expect_close, passed


def check_to_unit_range(to_unit_range: Callable) -> None:
    """Check `to_unit_range(pixels)`: bytes 0 to 255 become float32 in [0, 1]."""
    pixels = np.array([[0, 51], [128, 255]], dtype="uint8")
    shown = "to_unit_range([[0, 51], [128, 255]])"
    value = call(to_unit_range, pixels, shown=shown)
    expect_close(value, [[0, 0.2], [128 / 255, 1]], shown=shown, hint="The brightest byte is 255.", tolerance=1e-6)
    expect(np.asarray(value).dtype == np.float32, f"`{shown}` has dtype {np.asarray(value).dtype}; float32 is wanted.")
    passed("bytes become floats in [0, 1]")


def check_rows_needed(rows_needed: Callable) -> None:
    """Check `rows_needed(n, columns)` against counting pictures one by one."""
    for n in range(1, 13):
        for columns in (1, 3, 4, 5):
            counted = len({index // columns for index in range(n)})
            shown = f"rows_needed({n}, {columns})"
            value = call(rows_needed, n, columns, shown=shown)
            expect_close(value, counted, shown=shown, hint="A last row may be partly filled, and never empty.")
    passed("every picture has a row")


def check_mean_image(mean_image: Callable) -> None:
    """Check `mean_image(images, labels, label)` on pictures whose class mean is known by construction."""
    rng = np.random.default_rng(0)
    labels = np.array([0, 1, 0, 2, 1, 0, 2])
    noise = rng.normal(size=(7, 4, 3))
    for label in range(3):
        noise[labels == label] -= sum(noise[labels == label]) / (labels == label).sum()
    centres = rng.random((3, 4, 3))
    for label in range(3):
        shown = f"mean_image(images, labels, {label})"
        value = call(mean_image, centres[labels] + noise, labels, label, shown=shown)
        expect_close(value, centres[label], shown=shown, hint="Choose by label, then average over the first axis only.")
    passed("one average picture a class")
