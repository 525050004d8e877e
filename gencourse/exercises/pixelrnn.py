"""Checks for notebook 43: skewing downwards, the triangle of a row LSTM, from a file to nats and bits."""

from collections.abc import Callable

import numpy as np

from gencourse.exercises.harness import call, expect, expect_close, likely_mistake, passed


def check_skew_down(skew_down: Callable) -> None:
    """Check that column j of images is shifted down by j places.

    Args:
        skew_down: `skew_down(x)` with images x (n, h, w), returning (n, h + w - 1, w).

    Raises:
        NotYet: with what is wrong.
    """
    for n, h, w in ((1, 3, 3), (2, 4, 6), (3, 5, 2)):
        x = 1 + np.arange(n * h * w, dtype="float64").reshape(n, h, w)
        tall = np.pad(x, [(0, 0), (0, w - 1), (0, 0)])
        wanted = np.stack([np.roll(tall[:, :, j], j, axis=1) for j in range(w)], axis=2)
        upwards = np.stack([np.roll(tall[:, :, j], w - 1 - j, axis=1) for j in range(w)], axis=2)
        wrapped = np.stack([np.roll(x[:, :, j], j, axis=1) for j in range(w)], axis=2)
        wide = np.pad(x, [(0, 0), (0, 0), (0, h - 1)])
        rows = np.stack([np.roll(wide[:, i], i, axis=1) for i in range(h)], axis=1)
        shown = f"skew_down(x) for x of shape {x.shape}"
        ours = call(skew_down, x, shown=shown)
        mistakes = {
            "You shifted the rows to the right: here column j moves down by j places.": rows,
            "The last column stays and the first one moves most: column j moves down by j places.": upwards,
            "What leaves the image below has come back above: make it w - 1 rows higher first.": wrapped,
            "What leaves the image below is lost: make it w - 1 rows higher.": wanted[:, :h],
        }
        hint = likely_mistake(ours, mistakes, "Pixel (i, j) lands at (i + j, j), and all other places are 0.")
        expect_close(ours, wanted, shown=shown, hint=hint)
    passed("skew_down turns diagonals into rows.")


def check_row_lstm_sees(row_lstm_sees: Callable) -> None:
    """Check the receptive field of a PixelRNN with row LSTMs against a walk through its connections.

    Args:
        row_lstm_sees: `row_lstm_sees(up, right, depth)` returning whether the pixel there is seen.

    Raises:
        NotYet: with what is wrong.
    """
    for depth in (1, 2, 4):
        seen = _seen_by_row_lstms(depth, rows=7, reach=20)
        for (up, column), wanted in np.ndenumerate(seen):
            right = column - 20
            shown = f"row_lstm_sees({up}, {right}, {depth})"
            ours = call(row_lstm_sees, up, right, depth, shown=shown)
            expect(isinstance(ours, (bool, np.bool_)), f"`{shown}` gave {type(ours).__name__}, where a bool is wanted.")
            if up == 0:
                hint = "In its own row a pixel sees only to its left: 3 by the stem, and 1 more for each layer."
            elif right > 0:
                hint = "On the right: 1 for each row that a state goes up, and the stem adds 3 in the rows above."
            else:
                hint = "On the left: 1 for each row, 1 for each layer's input-to-state convolution, 3 for the stem."
            expect(bool(ours) == bool(wanted), f"`{shown}` is {ours}, where {bool(wanted)} is wanted. {hint}")
    passed("row_lstm_sees knows the triangle, its slope and its wider left side.")


def _seen_by_row_lstms(depth: int, rows: int, reach: int) -> np.ndarray:
    """Return which pixels up to `rows` - 1 above and `reach` to either side are seen, (rows, 2 reach + 1)."""
    features = {(0, 0)}  # places (up, right) whose features the output depends on
    for _ in range(depth):
        states, new = set(), set(features)
        while new:  # from a state to those of the row above that it was made from
            states |= new
            new = {(up + 1, right + k) for up, right in new for k in (-1, 0, 1) if up + 1 < rows} - states
        features = states | {(up, right - 1) for up, right in states}
    stem = [(up, k) for up in range(4) for k in range(-3, 4) if up > 0 or k < 0]
    seen = np.zeros((rows, 2 * reach + 1), bool)
    for up, right in features:
        for above, k in stem:
            if up + above < rows:
                seen[up + above, right + k + reach] = True
    return seen


def check_nats_and_bits(nats_and_bits: Callable) -> None:
    """Check the two units of a compressed file.

    Args:
        nats_and_bits: `nats_and_bits(size, images, dimensions)` returning nats an image and bits per dimension.

    Raises:
        NotYet: with what is wrong.
    """
    for size, images, dimensions in ((784, 1, 784), (1000, 10, 100), (1_370_000, 10_000, 784)):
        nats, bits = size * np.log(256) / images, 8 * size / (images * dimensions)
        shown = f"nats_and_bits({size}, {images}, {dimensions})"
        ours = call(nats_and_bits, size, images, dimensions, shown=shown)
        mistakes = {
            "Nats first, bits per dimension second.": (bits, nats),
            "The first is in bits: a bit is ln 2 nats.": (nats / np.log(2), bits),
            "A bit is ln 2 nats: multiply by ln 2, do not divide.": (nats / np.log(2) ** 2, bits),
            "The second is in nats: a nat is 1 / ln 2 bits.": (nats, nats / dimensions),
            "A byte has eight bits.": (nats / 8, bits / 8),
            "Those are nats of the whole file: divide by the number of images.": (nats * images, bits),
            "Those are of the whole file: divide by the number of images.": (nats * images, bits * images),
        }
        hint = likely_mistake(ours, mistakes, "A file of s bytes is 8 s bits; a bit is ln 2 nats.")
        expect_close(ours, (nats, bits), shown=shown, hint=hint)
    passed("nats_and_bits puts a file beside a model.")
