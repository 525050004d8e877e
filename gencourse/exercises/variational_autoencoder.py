"""Checks for notebook 21: the divergence of normals, the gradient through a draw, the importance-weighted bound."""

from collections.abc import Callable

import numpy as np
from scipy.integrate import simpson
from scipy.special import logsumexp
from scipy.stats import norm

from gencourse.exercises.harness import call, expect, expect_close, likely_mistake, passed


def check_kl_between_normals(kl_between_normals: Callable) -> None:
    """Check `kl_between_normals(m1, l1, m2, l2)` against the integral of q ln(q / p) by Simpson's rule."""
    rng = np.random.default_rng(0)
    for n, d in ((3, 2), (2, 4)):
        m1, m2 = rng.normal(size=(2, n, d))
        l1, l2 = rng.normal(size=(2, n, d)) / 2
        shown = f"kl_between_normals(m1, l1, m2, l2) for arrays {(n, d)}"
        value = call(kl_between_normals, m1, l1, m2, l2, shown=shown)
        expected = _kl_by_integration(m1, l1, m2, l2).sum(axis=1)
        hint = likely_mistake(
            value,
            {
                "That is KL(p || q): swap the two normals.": _kl_by_integration(m2, l2, m1, l1).sum(axis=1),
                "Sum over the coordinates, the last axis; do not average.": expected / d,
            },
            otherwise="l is the logarithm of the variance: e^l is the variance, not the deviation.",
        )
        expect_close(value, expected, shown=shown, hint=hint, tolerance=1e-5)
    passed("the formula equals the integral")


def _kl_by_integration(m1, l1, m2, l2) -> np.ndarray:
    """KL of each coordinate, (n, d)."""
    std = np.exp(l1 / 2)
    z = m1 + std * np.linspace(-10, 10, 2001)[:, None, None]  # (2001, n, d)
    log_q, log_p = norm.logpdf(z, m1, std), norm.logpdf(z, m2, np.exp(l2 / 2))
    return simpson(np.exp(log_q) * (log_q - log_p), x=z, axis=0)


def check_reparameterized_gradient(reparameterized_gradient: Callable) -> None:
    """Check `reparameterized_gradient(mean, log_var, noise, slope)` against differences of a loss Σ sin(3 z)."""
    rng = np.random.default_rng(1)
    mean, log_var, noise = rng.normal(size=(3, 4, 2))

    def loss(mean, log_var):
        return np.sin(3 * (mean + np.exp(log_var / 2) * noise))

    slope = 3 * np.cos(3 * (mean + np.exp(log_var / 2) * noise))
    shown = "reparameterized_gradient(mean, log_var, noise, slope)"
    value = call(reparameterized_gradient, mean, log_var, noise, slope, shown=shown)
    expect(isinstance(value, tuple) and len(value) == 2, f"`{shown}` must return two arrays: for mean, for log_var.")
    step = 1e-5
    by_mean = (loss(mean + step, log_var) - loss(mean - step, log_var)) / (2 * step)
    by_log_var = (loss(mean, log_var + step) - loss(mean, log_var - step)) / (2 * step)
    expect_close(value[0], by_mean, shown=f"{shown}[0]", hint="z moves as mean does: dz/dmean = 1.", tolerance=1e-6)
    hint = likely_mistake(
        value[1],
        {
            "The half in exp(log_var / 2) comes down as a factor.": 2 * by_log_var,
            "That is the derivative for the standard deviation: multiply by exp(log_var / 2) / 2.": (slope * noise),
        },
        otherwise="Apply the chain rule: slope times the derivative of exp(log_var / 2) · noise.",
    )
    expect_close(value[1], by_log_var, shown=f"{shown}[1]", hint=hint, tolerance=1e-6)
    passed("both derivatives agree with differences")


def check_importance_weighted_bound(importance_weighted_bound: Callable) -> None:
    """Check `importance_weighted_bound(log_weights)` against SciPy, for weights near e^-2, e^-90, e^-5000 and e^900."""
    rng = np.random.default_rng(2)
    for level in (-2.0, -90.0, -5000.0, 900.0):
        log_weights = rng.normal(level, 2, size=(50, 3))
        shown = f"importance_weighted_bound(log_weights near {level:.0f})"
        with np.errstate(all="ignore"):
            value = call(importance_weighted_bound, log_weights, shown=shown)
        expected = logsumexp(log_weights, axis=0) - np.log(50)
        hint = likely_mistake(
            value,
            {
                "That is the mean of the logarithms, the ELBO; the mean stands inside the logarithm.": (
                    log_weights.mean(axis=0)
                ),
                "Divide by k, the number of draws: subtract ln k.": expected + np.log(50),
            },
            otherwise="Take the largest log-weight of each column out first, and add it back after the logarithm.",
        )
        expect_close(value, expected, shown=shown, hint=hint, tolerance=1e-6)
    passed("the bound is stable from e^-5000 to e^900")
