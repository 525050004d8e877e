"""Checks of notebook 13: a convolution's size and weights, a receptive field with dilation, a separable convolution."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.signal import correlate2d

from gencourse.exercises.harness import call, expect, expect_close, passed


def check_conv_shape(conv_shape: Callable) -> None:
    """Check `conv_shape(n, channels, filters, kernel, stride, padding) -> (side, parameters)` by counting windows.

    Args:
        conv_shape: from the input's side n, its channels, and the layer's filters, kernel, stride and padding ("valid"
            or "same") to the output's side and the number of parameters with biases.

    Raises:
        NotYet: the side or the number of parameters is wrong.
    """
    for case in [
        (28, 1, 16, 5, 1, "valid"),
        (28, 3, 8, 3, 2, "valid"),
        (29, 3, 8, 3, 2, "same"),
        (32, 16, 4, 4, 2, "same"),
        (10, 2, 3, 1, 3, "same"),
        (30, 2, 3, 7, 4, "valid"),
    ]:
        n, channels, filters, kernel, stride, padding = case
        shown = f"conv_shape{case}"
        value = call(conv_shape, *case, shown=shown)
        expect(
            isinstance(value, tuple | list) and len(value) == 2,
            f"`{shown}` must return two numbers: the side, then the parameters.",
        )
        side, parameters = value
        starts = range(0, n if padding == "same" else n - kernel + 1, stride)
        expect(
            side == len(starts),
            f"`{shown}` gave the side {side}, where {len(starts)} is wanted. With 'valid' a window must "
            "end inside the image, (n - k) // s + 1; with 'same' one starts at every s-th pixel, n / s rounded up.",
        )
        weights = np.zeros((kernel, kernel, channels, filters)).size
        expect(parameters != weights, f"`{shown}` left out the biases: one a filter, {filters} in all.")
        expect(
            parameters == weights + filters,
            f"`{shown}` gave {parameters} parameters, where {weights + filters} is wanted. Each filter has "
            "k · k weights for every channel of the input, and one bias; the size of the image does not matter.",
        )
    passed("conv_shape counts windows and weights rightly.")


def check_receptive_field(receptive_field: Callable) -> None:
    """Check `receptive_field(stack) -> r` by following one output back to the pixels that it depends on.

    Args:
        receptive_field: from a list of (kernel, stride, dilation), input side first, to the receptive field in pixels.

    Raises:
        NotYet: the receptive field is wrong.
    """
    for stack, hint in [
        ([(5, 1, 1)], "One layer sees its own kernel."),
        ([(3, 1, 1), (3, 1, 1)], "Each layer adds (k - 1) · j to the field, beginning with 1 pixel."),
        ([(3, 2, 1), (3, 1, 1)], "Multiply the jump j by each stride, after the layer has added its own reach."),
        ([(3, 1, 1), (3, 2, 1)], "The stride of a layer counts for the layers after it: add first, then multiply j."),
        ([(3, 1, 4)], "A dilation of a spreads the weights: the reach is (k - 1) · a."),
        ([(2, 1, 1), (2, 1, 2), (2, 1, 4), (2, 1, 8)], "The reaches of all layers add up."),
        (
            [(3, 2, 2), (2, 2, 1), (3, 1, 3), (1, 3, 1), (5, 1, 2)],
            "Each reach is (k - 1) · a · j, with j before this layer.",
        ),
    ]:
        shown = f"receptive_field({stack})"
        value = call(receptive_field, stack, shown=shown)
        expect_close(value, _pixels_reached(stack), shown=shown, hint=hint)
    passed("receptive_field agrees with following an output back to its pixels.")


def check_separable_conv(separable_conv: Callable) -> None:
    """Check y = P-mix of the D-filtered channels against SciPy's correlation, a channel at a time.

    Args:
        separable_conv: `separable_conv(x, D, P)` with x (h, w, C), D (k, k, C) and P (C, F), returning
            (h - k + 1, w - k + 1, F).

    Raises:
        NotYet: the shape or a value is wrong.
    """
    rng = np.random.default_rng(13)
    for h, w, C, k, F in [(5, 5, 1, 3, 1), (8, 6, 3, 3, 4), (7, 9, 2, 2, 5), (6, 6, 4, 1, 2)]:
        x, D, P = rng.normal(size=(h, w, C)), rng.normal(size=(k, k, C)), rng.normal(size=(C, F))
        shown = f"separable_conv(x, D, P)` with x ({h}, {w}, {C}), D ({k}, {k}, {C}), P ({C}, {F}): `y"
        value = call(separable_conv, x, D, P, shown=shown)
        wanted, turned = (_separable(x, kernel, P) for kernel in (D, D[::-1, ::-1]))
        expect(
            k == 1 or np.shape(value) != wanted.shape or not np.allclose(value, turned),
            "The kernel is turned by 180°: the layer's convolution is a cross-correlation, D[u, v] meets x[i+u, j+v].",
        )
        hint = "Filter each channel with its own D[:, :, c], windows inside the image only, then mix the channels by P."
        expect_close(value, wanted, shown=shown, hint=hint, tolerance=1e-5)
    passed("separable_conv agrees with SciPy's correlation of each channel.")


def _pixels_reached(stack: Sequence[tuple[int, int, int]]) -> int:
    """The width of the window of inputs that output 0 depends on, found layer by layer from the top."""
    positions = {0}
    for kernel, stride, dilation in reversed(stack):
        positions = {i * stride + u * dilation for i in positions for u in range(kernel)}
    return max(positions) - min(positions) + 1


def _separable(x, D, P) -> np.ndarray:
    """Depthwise, then pointwise: (h, w, C), (k, k, C), (C, F) → (h - k + 1, w - k + 1, F)."""
    filtered = [correlate2d(x[..., c], D[..., c], mode="valid") for c in range(x.shape[-1])]
    return np.stack(filtered, axis=-1) @ P
