"""Checks of notebook 10: a numerical gradient, a Kullback-Leibler divergence, a density after an affine map."""

from collections.abc import Callable

import numpy as np
from scipy.special import logsumexp, softmax
from scipy.stats import entropy, multivariate_normal

from gencourse.exercises.harness import call, expect, expect_close, likely_mistake, passed

KL_HINT = "Sum p_k (log p_k - log q_k) over the k with p_k > 0: 0 log 0 counts as 0, and NumPy makes it NaN."
AFFINE_HINT = (
    "Solve A z = x - b, take log N(z; 0, I) and subtract log|det A|, where a determinant below 0 loses its sign."
)


def check_gradient(gradient: Callable) -> None:
    """Check central differences, g_i = (f(x + h e_i) - f(x - h e_i)) / (2 h).

    Args:
        gradient: `gradient(f, x, step)` with f from (d,) to a number, x (d,) and the step h, returning (d,).

    Raises:
        NotYet: with what is wrong.
    """
    for name, f, slopes, x in (
        ("x0² x1 + sin(x2)", _surface, _surface_slopes, np.array([0.7, -1.3, 0.4])),
        ("logsumexp", logsumexp, softmax, np.array([1.0, -2.0, 0.5, 3.0, 0.0])),
    ):
        shown, step = f"gradient(f, x, 1e-4) with f(x) = {name}", 1e-4
        ours = call(gradient, f, x, step, shown=shown)
        forward = np.array([f(x + step * e) - f(x) for e in np.eye(len(x))]) / step
        mistakes = {
            "That is the one-sided difference (f(x + h e) - f(x)) / h: step to both sides.": forward,
            "That is twice the gradient: x + h e and x - h e lie 2 h apart.": 2 * slopes(x),
            "That is the slope along all coordinates at once: move one coordinate at a time.": slopes(x).sum(),
        }
        hint = likely_mistake(ours, mistakes, "Move coordinate i alone by +h and by -h, from the same x each time.")
        expect_close(ours, slopes(x), shown=shown, hint=hint)
    # For f(x) = x³ the central difference is exactly 3 x² + h².
    shown = "gradient(f, [1.0], 0.5) with f(x) = x³"
    ours = call(gradient, lambda x: x[0] ** 3, np.ones(1), 0.5, shown=shown)
    expect_close(ours, [3.25], shown=shown, hint="Use the step that was given, and step to both sides.")
    passed("gradient agrees with the analytic gradient and uses its step.")


def check_kl_divergence(kl_divergence: Callable) -> None:
    """Check KL(p || q) = sum_k p_k log(p_k / q_k) in nats, with 0 log 0 = 0.

    Args:
        kl_divergence: `kl_divergence(p, q)` with two distributions (K,), returning a number.

    Raises:
        NotYet: with what is wrong.
    """
    for p, q in (
        ([0.5, 0.3, 0.2], [0.2, 0.2, 0.6]),
        ([0.9, 0.1], [0.1, 0.9]),
        ([0.25, 0.25, 0.25, 0.25], [0.25, 0.25, 0.25, 0.25]),
        ([0.5, 0.5, 0.0], [0.25, 0.25, 0.5]),
    ):
        p, q, shown = np.array(p), np.array(q), f"kl_divergence({p}, {q})"
        ours = call(kl_divergence, p, q, shown=shown)
        with np.errstate(divide="ignore"):
            reverse, bits, cross_entropy = entropy(q, p), entropy(p, q, base=2), entropy(p) + entropy(p, q)
        mistakes = {
            "That is KL(q || p): the weights in front of the logarithm are p.": reverse,
            "That is in bits: use the natural logarithm.": bits,
            "The sign is turned round: a divergence is never negative.": -entropy(p, q),
            "That is the cross-entropy -sum p log q: subtract the entropy of p.": cross_entropy,
            "That is the mean over k: the p_k are the weights already, so sum.": entropy(p, q) / len(p),
        }
        expect_close(ours, entropy(p, q), shown=shown, hint=likely_mistake(ours, mistakes, KL_HINT))
    shown = "kl_divergence([0.5, 0.5], [1, 0])"
    ours = call(kl_divergence, np.array([0.5, 0.5]), np.array([1.0, 0.0]), shown=shown)
    expect(np.isposinf(ours), f"`{shown}` gave {ours}, where inf is wanted: q calls impossible what p produces.")
    passed("kl_divergence agrees with SciPy's, zeros included.")


def check_affine_log_prob(affine_log_prob: Callable) -> None:
    """Check log p(x) = log N(z; 0, I) - log|det A| with z = A^-1 (x - b), the density of x = A z + b.

    Args:
        affine_log_prob: `affine_log_prob(x, A, b)` with x (n, d), A (d, d) and b (d,), returning (n,) nats.

    Raises:
        NotYet: with what is wrong.
    """
    rng = np.random.default_rng(0)
    for A in (np.array([[2.0]]), np.array([[0.5, 2.0], [1.5, 0.3]]), rng.normal(size=(3, 3))):
        d = len(A)
        b, x = rng.normal(size=d), rng.normal(size=(5, d))
        shown = f"affine_log_prob(x, A, b) with A = {np.round(A, 2).tolist()}"
        ours = call(affine_log_prob, x, A, b, shown=shown)
        wanted = multivariate_normal(b, A @ A.T).logpdf(x)
        log_volume = np.linalg.slogdet(A)[1]
        transposed = multivariate_normal(b, A.T @ A).logpdf(x)
        mistakes = {
            "The sign of log|det A| is turned round: a map that stretches space thins the density.": wanted
            + 2 * log_volume,
            "The volume term is missing: subtract log|det A|.": wanted + log_volume,
            "That is the density: return its logarithm.": np.exp(wanted),
            "The constant -d/2 log(2 pi) of the standard normal is missing.": wanted + d / 2 * np.log(2 * np.pi),
            "That is the density for A transposed: z solves A z = x - b; for rows, z = (x - b) @ inv(A).T.": transposed,
        }
        expect_close(ours, wanted, shown=shown, hint=likely_mistake(ours, mistakes, AFFINE_HINT))
    passed("affine_log_prob agrees with the Gaussian N(b, A Aᵀ).")


def _surface(x):
    return x[0] ** 2 * x[1] + np.sin(x[2])


def _surface_slopes(x):
    return np.array([2 * x[0] * x[1], x[0] ** 2, np.cos(x[2])])
