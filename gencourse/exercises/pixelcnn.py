"""Checks for notebook 42: a mask for colours, the chain rule from logits, a row drawn pixel by pixel."""

from collections.abc import Callable

import numpy as np
from scipy.special import expit

from gencourse.exercises.harness import call, expect, expect_close, likely_mistake, passed


def check_colour_mask(colour_mask: Callable) -> None:
    """Check `colour_mask(size, kind)` against the order of all values: by row, then column, then channel."""
    for size, kind in ((3, "A"), (3, "B"), (5, "A"), (5, "B")):
        order = np.arange(size * size * 3).reshape(size, size, 3)
        centre = order[size // 2, size // 2]
        expected = order[..., None] < centre if kind == "A" else order[..., None] <= centre
        shown = f"colour_mask({size}, {kind!r})"
        value = call(colour_mask, size, kind, shown=shown)
        blind, open_centre, closed_centre = expected.copy(), expected.copy(), expected.copy()
        blind[: size // 2, size // 2 + 1 :] = False
        open_centre[size // 2, size // 2], closed_centre[size // 2, size // 2] = True, False
        hint = likely_mistake(
            value,
            {
                "The axes are input channel, then output channel: yours are the other way round.": np.swapaxes(
                    expected, 2, 3
                ),
                "At the centre the order of the channels counts: blue may see red, red may not see blue.": open_centre,
                "At the centre green may see red, and blue both.": closed_centre,
                "A channel may see itself with kind B, not with kind A.": order[..., None] <= centre
                if kind == "A"
                else order[..., None] < centre,
                "The rows above are free on the right side too.": blind,
            },
            otherwise="1 where the input comes before the output: by row, then column, then channel.",
        )
        expect_close(value, expected, shown=shown, hint=hint)
    passed("each value sees what comes before it, by row, column and channel")


def check_image_log_prob(image_log_prob: Callable) -> None:
    """Check `image_log_prob(logits, levels)` against a product over pixels, one image at a time."""
    rng = np.random.default_rng(0)
    for n, h, w, K in ((1, 1, 1, 2), (5, 2, 3, 2), (4, 3, 2, 5)):
        logits, levels = rng.normal(0, 2, (n, h, w, K)), rng.integers(K, size=(n, h, w))
        pixels = [[(logits[i, r, c], levels[i, r, c]) for r, c in np.ndindex(h, w)] for i in range(n)]
        p = np.array([[np.exp(z)[k] / np.exp(z).sum() for z, k in image] for image in pixels])  # (n, h w)
        of_level_0 = np.array([[np.exp(z)[0] / np.exp(z).sum() for z, _ in image] for image in pixels])
        expected = np.log(p.prod(axis=1))
        shown = f"image_log_prob(logits, levels) for {n} images of {h} by {w} pixels and {K} levels"
        value = call(image_log_prob, logits, levels, shown=shown)
        hint = likely_mistake(
            value,
            {
                "The logits are not normalized: subtract the logarithm of Σ exp(logits) of each pixel.": np.array(
                    [sum(z[k] for z, k in image) for image in pixels]
                ),
                "Sum over the pixels: a mean is nats a pixel.": expected / (h * w),
                "Sum over the pixels of each image, not over the images.": expected.sum(),
                "That is -ln p(x), the NLL.": -expected,
                "Those are bits: use the natural logarithm.": expected / np.log(2),
                "Each pixel needs the probability of its own level, not of level 0.": np.log(of_level_0).sum(axis=1),
            },
            otherwise="ln p(x) = Σ_t ln softmax(logits_t)[x_t], one number an image.",
        )
        expect_close(value, expected, shown=shown, hint=hint)
    passed("the log-probabilities agree with products of softmaxes")


def check_sample_rows(sample_rows: Callable) -> None:
    """Check `sample_rows(conditional, uniform)` against rows drawn one pixel and one row at a time."""
    rng = np.random.default_rng(0)
    for n, w, strength in ((1, 1, 1.0), (50, 6, 3.0), (20, 12, -2.0)):
        uniform, asked = rng.random((n, w)), []

        def conditional(row, strength=strength, asked=asked):
            """p(x_j = 1 | x_<j) = sigmoid(strength (Σ_{i<j} x_i 2^(i-j+1) - ½)), of any causal row."""
            asked.append(np.shape(row))
            return np.stack([_probability(np.asarray(row)[:, :j], strength) for j in range(np.shape(row)[1])], axis=1)

        expected, at_once = np.zeros((n, w)), np.zeros((n, w))
        for i, j in np.ndindex(n, w):
            expected[i, j] = uniform[i, j] < _probability(expected[i : i + 1, :j], strength)[0]
            at_once[i, j] = uniform[i, j] < _probability(np.zeros((1, j)), strength)[0]
        shown = f"sample_rows(conditional, uniform) for {n} rows of {w} pixels"
        value = call(sample_rows, conditional, uniform, shown=shown)
        expect(bool(asked), f"`{shown}` never called `conditional`.")
        rounded = np.zeros((n, w))
        for j in range(w):
            rounded[:, j] = _probability(rounded[:, :j], strength) > 0.5
        flipped = np.zeros((n, w))
        for j in range(w):
            flipped[:, j] = uniform[:, j] >= _probability(flipped[:, :j], strength)
        hint = likely_mistake(
            value,
            {
                "All pixels were drawn at once: write each one into the row before you ask for the next.": at_once,
                "Draw the pixels; do not round the probabilities.": rounded,
                "A pixel is 1 where its uniform number is below the probability.": flipped,
            },
            otherwise="For j = 0, 1, ...: ask for the probabilities given the row so far, and write pixel j into it.",
        )
        expect_close(value, expected, shown=shown, hint=hint)
    passed("the rows are those of the chain rule, pixel for pixel")


def _probability(before, strength: float) -> np.ndarray:
    """p (n,) of a pixel after the pixels (n, j) before it, of which near ones weigh more."""
    j = before.shape[1]
    return expit(strength * (before @ 2.0 ** (np.arange(j) - j + 1) - 0.5))
