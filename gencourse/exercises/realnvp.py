"""Checks for notebook 40: the density of a linear flow, the inverse of a coupling, the bits of a pixel."""

from collections.abc import Callable

import numpy as np
from scipy.special import logit
from scipy.stats import beta, multivariate_normal, norm

from gencourse.exercises.harness import call, expect, expect_close, likely_mistake, passed


def check_linear_flow_log_prob(linear_flow_log_prob: Callable) -> None:
    """Check `linear_flow_log_prob(x, A, b)` against SciPy's normal density of x = A⁻¹ (z - b)."""
    rng = np.random.default_rng(0)
    for d in (1, 2, 5):
        x, b = rng.normal(size=(6, d)), rng.normal(size=d)
        A = rng.normal(size=(d, d)) + 2 * np.eye(d)
        A[0] *= -np.sign(np.linalg.det(A))  # a reflection: its determinant is negative
        inverse = np.linalg.inv(A)
        expected = multivariate_normal(-inverse @ b, inverse @ inverse.T).logpdf(x)
        shown = f"linear_flow_log_prob(x, A, b) in {d} dimensions, det A < 0"
        with np.errstate(all="ignore"):
            value = call(linear_flow_log_prob, x, A, b, shown=shown)
        log_det = np.linalg.slogdet(A).logabsdet
        hint = likely_mistake(
            value,
            {
                "The log-determinant is missing: that is ln N(z; 0, I) alone.": expected - log_det,
                "z = f(x), so ln |det A| is added, not subtracted.": expected - 2 * log_det,
                "With rows as items, z is x @ A.T + b.": norm.logpdf(x @ A + b).sum(axis=-1) + log_det,
                "Sum ln N over the coordinates of an item, the last axis.": norm.logpdf(x @ A.T + b).sum() + log_det,
            },
            otherwise="z = A x + b; a determinant can be negative, and its absolute value counts.",
        )
        expect_close(value, expected, shown=shown, hint=hint)
    passed("the density is that of the normal distribution with the covariance (AᵀA)⁻¹")


def check_coupling_inverse(coupling_inverse: Callable) -> None:
    """Check `coupling_inverse(y, s, t)` against points x that were sent forward, and against differences."""
    rng = np.random.default_rng(1)
    for d, (s, t) in ((1, (np.sin, np.exp)), (3, (np.cos, np.square)), (4, (np.tanh, np.abs))):
        x = rng.normal(size=(5, 2 * d))
        kept, changed = x[:, :d], x[:, d:]
        y = np.concatenate([kept, changed * np.exp(s(kept)) + t(kept)], axis=1)
        shown = f"coupling_inverse(y, s, t) for y of shape {y.shape}"
        value = call(coupling_inverse, y, s, t, shown=shown)
        expect(isinstance(value, tuple) and len(value) == 2, f"`{shown}` must return x and the log-determinant.")
        moved = y[:, d:]

        def part(b, kept=kept):
            return np.concatenate([kept, b], axis=1)

        hint = likely_mistake(
            value[0],
            {
                "The shift came last, so take it off first, and then undo the scale.": part(
                    moved * np.exp(-s(kept)) - t(kept)
                ),
                "That is forward once more: subtract t and divide by exp(s).": part(moved * np.exp(s(kept)) + t(kept)),
                "s and t are functions of the half that stays, y[:, :d].": part((moved - t(moved)) * np.exp(-s(moved))),
            },
            otherwise="x_a = y_a, x_b = (y_b - t(y_a)) exp(-s(y_a)), side by side again.",
        )
        expect_close(value[0], x, shown=f"{shown}[0]", hint=hint)
        expected = np.array([_log_det_by_differences(coupling_inverse, row, s, t) for row in y])
        hint = likely_mistake(
            value[1],
            {
                "That is the determinant of forward; the inverse has the opposite sign.": -expected,
                "Sum s over the changed coordinates of each item.": -s(kept).sum(),
                "Sum the log scales; do not average them.": expected / d,
            },
            otherwise="ln |det dx/dy| = -Σ s(y_a), one number an item.",
        )
        expect_close(value[1], expected, shown=f"{shown}[1]", hint=hint, tolerance=1e-5)
    passed("the inverse is exact, and its log-determinant agrees with differences")


def _log_det_by_differences(function, y, s, t, step=1e-5) -> float:
    """ln |det dx/dy| of the first output at one point y, from central differences."""
    nudges = step * np.eye(len(y))
    jacobian = (function(y + nudges, s, t)[0] - function(y - nudges, s, t)[0]) / (2 * step)
    return np.linalg.slogdet(jacobian).logabsdet


def check_image_bits(image_bits: Callable) -> None:
    """Check `image_bits(log_p_y, v, margin)` for values v of known density, whose logit's slope is by differences."""
    rng = np.random.default_rng(2)
    for d, (a, b), margin in ((4, (1, 1), 0.05), (9, (2, 5), 0.05), (16, (0.5, 0.5), 0.01)):
        v = rng.beta(a, b, size=(5, d)).clip(0.001, 0.999)
        log_p_v = beta(a, b).logpdf(v).sum(axis=1)
        step = 1e-6
        stretch = [logit(margin + (1 - 2 * margin) * (v + change)) for change in (step, -step)]
        log_slope = np.log((stretch[0] - stretch[1]) / (2 * step)).sum(axis=1)
        log_p_y = log_p_v - log_slope
        expected = (d * np.log(256) - log_p_v) / (d * np.log(2))
        shown = f"image_bits(log_p_y, v, margin={margin}) for {d} pixels"
        value = call(image_bits, log_p_y, v, margin, shown=shown)
        p = margin + (1 - 2 * margin) * v
        no_margin = -np.log(p * (1 - p)).sum(axis=1)
        hint = likely_mistake(
            value,
            {
                "The logit's log-determinant is missing.": (d * np.log(256) - log_p_y) / (d * np.log(2)),
                "The 256 levels are missing: each pixel costs ln 256 nats more.": -log_p_v / (d * np.log(2)),
                "Divide by the number of pixels.": d * expected,
                "Those are nats a pixel: divide by ln 2.": expected * np.log(2),
                "The slope has the factor 1 - 2 margin too.": (d * np.log(256) - log_p_y - no_margin) / (d * np.log(2)),
            },
            otherwise="ln P >= ln p_y + Σ ln |dy/dv| - d ln 256; then divide its negative by d ln 2.",
        )
        expect_close(value, expected, shown=shown, hint=hint, tolerance=1e-5)
    passed("the bits agree for three densities; evenly spread values cost 8 bits a pixel")
