"""Checks for notebook 41: the inverse of an actnorm, the inverse of a squeeze, a 1x1 convolution from its LU parts."""

from collections.abc import Callable

import numpy as np

from gencourse.exercises.harness import call, expect, expect_close, likely_mistake, passed


def check_actnorm_inverse(actnorm_inverse: Callable) -> None:
    """Check `actnorm_inverse(y, log_scale, bias, mean, std)` by images that were sent forward, and by differences."""
    rng = np.random.default_rng(0)
    for h, w, c in ((1, 1, 1), (2, 3, 2), (3, 2, 4)):
        x = rng.normal(size=(4, h, w, c))
        log_scale, bias, mean = rng.normal(size=(3, c))
        std = rng.uniform(0.5, 2.0, c)
        y = np.exp(log_scale) * (x - mean) / std + bias
        parameters = (log_scale, bias, mean, std)
        shown = f"actnorm_inverse(y, log_scale, bias, mean, std) for y of shape {y.shape}"
        value = _pair(call(actnorm_inverse, y, *parameters, shown=shown), shown)
        hint = likely_mistake(
            value[0],
            {
                "Undo the last operation first: subtract the bias before anything else.": y * np.exp(-log_scale) * std
                + mean
                - bias,
                "The forward pass divided by std, so the inverse multiplies by it.": (y - bias)
                * np.exp(-log_scale)
                / std
                + mean,
                "That is forward once more.": np.exp(log_scale) * (y - mean) / std + bias,
            },
            otherwise="x = (y - bias) exp(-log_scale) std + mean, with one number of each a channel.",
        )
        expect_close(value[0], x, shown=f"{shown}[0]", hint=hint)
        one = _log_det_by_differences(lambda image, p=parameters: actnorm_inverse(image, *p)[0], y[:1])
        _check_log_det(value[1], np.full(4, one), (h, w, c), shown)
    passed("the inverse is exact, and its log-determinant agrees with differences")


def check_unsqueeze(unsqueeze: Callable) -> None:
    """Check `unsqueeze(y)` by images whose corners were picked one by one."""
    rng = np.random.default_rng(1)
    for n, h, w, c in ((1, 1, 1, 1), (2, 3, 2, 1), (3, 2, 4, 3)):
        x = rng.normal(size=(n, 2 * h, 2 * w, c))
        y = np.empty((n, h, w, 4 * c))
        for i in range(2 * h):
            for j in range(2 * w):
                corner = 2 * (i % 2) + j % 2
                y[:, i // 2, j // 2, corner * c : (corner + 1) * c] = x[:, i, j]
        shown = f"unsqueeze(y) for y of shape {y.shape}"
        value = call(unsqueeze, y, shown=shown)
        parts = y.reshape(n, h, w, 2, 2, c)
        by_channel = y.reshape(n, h, w, c, 2, 2).transpose(0, 1, 4, 2, 5, 3)
        hint = likely_mistake(
            value,
            {
                "A reshape alone keeps the order in memory: transpose the axes of the corners to their places first.": (
                    y.reshape(x.shape)
                ),
                "Upper right and lower left are exchanged: channels follow the block in reading order.": (
                    parts.transpose(0, 1, 4, 2, 3, 5).reshape(x.shape)
                ),
                "The corner is the slow index of the channels, the image's own channel the fast one.": (
                    by_channel.reshape(x.shape)
                ),
            },
            otherwise="Cut the channels into (2, 2, c), and put these twos behind the height and behind the width.",
        )
        expect_close(value, x, shown=shown, hint=hint)
    passed("every corner is back in its place")


def check_lu_convolution(lu_convolution: Callable) -> None:
    """Check `lu_convolution(x, P, L, U, sign, log_s)` by loops, and its log-determinant by differences."""
    rng = np.random.default_rng(2)
    for h, w, c in ((1, 1, 2), (2, 3, 3), (2, 2, 4)):
        x, (L, U) = rng.normal(size=(3, h, w, c)), rng.normal(size=(2, c, c))
        P, sign, log_s = np.eye(c)[np.roll(np.arange(c), 1)], rng.choice([-1.0, 1.0], c), rng.normal(0, 0.5, c)
        sign[0] = -1.0
        lower = np.array([[L[i, j] if i > j else float(i == j) for j in range(c)] for i in range(c)])
        diagonal = sign * np.exp(log_s)
        upper = np.array([[U[i, j] if i < j else diagonal[i] * (i == j) for j in range(c)] for i in range(c)])
        W = P @ lower @ upper
        expected = np.einsum("kl,nijl->nijk", W, x)
        shown = f"lu_convolution(x, P, L, U, sign, log_s) for x of shape {x.shape}"
        arguments = (P, L, U, sign, log_s)
        value = _pair(call(lu_convolution, x, *arguments, shown=shown), shown)
        hint = likely_mistake(
            value[0],
            {
                "With channels last, W x at every position is x @ W.T.": x @ W,
                "L and U hold numbers that do not count: take np.tril(L, -1) and np.triu(U, 1).": (
                    x @ (P @ (L + np.eye(c)) @ (U + np.diag(diagonal))).T
                ),
                "L has ones on its diagonal.": x @ (P @ np.tril(L, -1) @ upper).T,
                "The signs are missing on the diagonal of U.": (
                    x @ (P @ lower @ (np.triu(U, 1) + np.diag(np.exp(log_s)))).T
                ),
                "The permutation P is missing.": x @ (lower @ upper).T,
            },
            otherwise="W = P (tril(L, -1) + I) (triu(U, 1) + diag(sign exp(log_s))), and y = x @ W.T.",
        )
        expect_close(value[0], expected, shown=f"{shown}[0]", hint=hint)
        one = _log_det_by_differences(lambda image, a=arguments: lu_convolution(image, *a)[0], x[:1])
        _check_log_det(value[1], np.full(3, one), (h, w, c), shown)
    passed("the convolution agrees with loops, and its log-determinant with differences")


def _pair(value, shown):
    expect(isinstance(value, tuple) and len(value) == 2, f"`{shown}` must return the images and the log-determinants.")
    return value


def _check_log_det(actual, expected, shape, shown):
    h, w, _ = shape
    hint = likely_mistake(
        actual,
        {
            "The factor h · w is missing: every position has the same determinant.": expected / (h * w),
            "The sign is wrong: that is the determinant of the other direction.": -expected,
            "Return one number an image, an array (n,).": expected[0],
        },
        otherwise="Sum the logarithms over the channels, times h · w, one number an image.",
    )
    expect_close(actual, expected, shown=f"{shown}[1]", hint=hint, tolerance=1e-5)


def _log_det_by_differences(function, image) -> float:
    """ln |det J| of an affine function at one image (1, h, w, c), for which differences are exact."""
    nudges = np.eye(image.size).reshape(-1, *image.shape[1:])
    columns = [(function(image + nudge[None]) - function(image)).ravel() for nudge in nudges]
    return np.linalg.slogdet(np.stack(columns, axis=1)).logabsdet
