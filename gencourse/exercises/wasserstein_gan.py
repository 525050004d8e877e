"""Checks of notebook 31: the earth mover's distance on a line, the gradient penalty, a bound on a critic's slope."""

import itertools
from collections.abc import Callable

import numpy as np
from scipy.stats import wasserstein_distance

from gencourse.exercises.harness import call, expect_close, likely_mistake, passed

DISTANCE_HINT = "Sum |F - G| over the pieces between two neighbouring points, each times its length."
PENALTY_HINT = "Take the norm of each image's whole gradient, then λ times the mean of (norm - 1)²."
BOUND_HINT = "Clip each kernel, take its largest singular value, and multiply these."


def check_earth_mover(earth_mover: Callable) -> None:
    """Check the earth mover's distance of two samples on a line, also of different sizes.

    Args:
        earth_mover: `earth_mover(x, y)` with x (n,) and y (m,), returning a number.

    Raises:
        NotYet: with what is wrong.
    """
    rng = np.random.default_rng(0)
    for n, m in ((6, 6), (4, 9), (1, 5)):
        x, y = rng.normal(0, 2, n), rng.normal(0.5, 1, m)
        wanted = wasserstein_distance(x, y)
        t = np.sort(np.concatenate([x, y]))
        F, G = (np.searchsorted(np.sort(points), t[:-1], side="right") / len(points) for points in (x, y))
        shown = f"earth_mover(x {x.shape}, y {y.shape})"
        ours = call(earth_mover, x, y, shown=shown)
        mistakes = {
            "That is the difference of the means: earth that moves left and right must not cancel.": abs(
                x.mean() - y.mean()
            ),
            "Take |F - G| before you sum: left and right must not cancel.": np.sum((F - G) * np.diff(t)),
            "A point of x weighs 1/n, one of y 1/m: F and G are shares, not counts.": np.sum(
                np.abs(F * n - G * m) * np.diff(t)
            ),
            "That is ∫ (F - G)² dt: take |F - G|.": np.sum((F - G) ** 2 * np.diff(t)),
            "A gap counts by its length: multiply |F - G| by the distance to the next point.": np.sum(np.abs(F - G)),
            "Sort both before you pair them.": np.mean(np.abs(x - y)) if n == m else np.nan,
        }
        expect_close(ours, wanted, shown=shown, hint=likely_mistake(ours, mistakes, DISTANCE_HINT))
    passed("earth_mover agrees with SciPy, also where the two heaps have different numbers of points.")


def check_penalty_of(penalty_of: Callable) -> None:
    """Check λ times the mean of (norm - 1)² over the gradients of a batch of images.

    Args:
        penalty_of: `penalty_of(gradients, weight)` with gradients (n, h, w, c) and λ, returning a number.

    Raises:
        NotYet: with what is wrong.
    """
    rng = np.random.default_rng(0)
    for shape, weight in (((5, 4, 4, 1), 10.0), ((3, 2, 6, 3), 2.5), ((2, 1, 1, 1), 0.5)):
        gradients = 0.4 * rng.standard_normal(shape)
        flat = gradients.reshape(shape[0], -1)
        norm = np.array([np.linalg.norm(row) for row in flat])
        wanted = weight * np.mean([(value - 1) ** 2 for value in norm])
        shown = f"penalty_of(gradients {shape}, weight {weight})"
        ours = call(penalty_of, gradients, weight, shown=shown)
        mistakes = {
            "λ is missing: the printed version forgot it too.": wanted / weight,
            "One norm for the whole batch mixes the images: sum over all axes but the first.": weight
            * (np.linalg.norm(gradients) - 1) ** 2,
            "Sum the squares over height, width and channels, not over the channels alone.": weight
            * np.mean((np.linalg.norm(gradients, axis=-1) - 1) ** 2),
            "Take the root: the norm is compared with 1, not its square.": weight * np.mean((norm**2 - 1) ** 2),
            "Average over the images instead of summing.": wanted * shape[0],
            "Charge for slopes that differ from 1, not from 0.": weight * np.mean(norm**2),
            "Square the difference before you average.": weight * (np.mean(norm) - 1) ** 2,
            "Charge for slopes below 1 too: the penalty is two-sided.": weight * np.mean(np.maximum(norm - 1, 0) ** 2),
            "The norm is a root of the sum of squares, not of their mean.": weight
            * np.mean((np.sqrt(np.mean(flat**2, axis=1)) - 1) ** 2),
        }
        expect_close(ours, wanted, shown=shown, hint=likely_mistake(ours, mistakes, PENALTY_HINT))
    passed("penalty_of charges each image for its own slope, above and below 1.")


def check_slope_bound(slope_bound: Callable) -> None:
    """Check the product of the spectral norms of clipped kernels.

    Args:
        slope_bound: `slope_bound(kernels, clip)` with a list of kernels (inputs, outputs) and c > 0, returning a
            number.

    Raises:
        NotYet: with what is wrong.
    """
    rng = np.random.default_rng(0)
    for widths, clip in (((2, 8, 1), 0.1), ((3, 5, 4, 1), 1.5), ((6, 6, 6, 6, 1), 0.01)):
        kernels = [rng.standard_normal(shape) for shape in itertools.pairwise(widths)]
        clipped = [np.clip(kernel, -clip, clip) for kernel in kernels]
        largest = [_spectral_norm(kernel) for kernel in clipped]
        wanted = np.prod(largest)
        shown = f"slope_bound({len(kernels)} kernels, clip {clip})"
        ours = call(slope_bound, [kernel.copy() for kernel in kernels], clip, shown=shown)
        mistakes = {
            "Clip the kernels first.": np.prod([_spectral_norm(kernel) for kernel in kernels]),
            "That clips from above only: the weights lie in [-c, c].": np.prod(
                [_spectral_norm(np.minimum(kernel, clip)) for kernel in kernels]
            ),
            "The Frobenius norm also bounds the slope, but not as tightly: take the largest singular value.": np.prod(
                [np.sqrt(np.sum(kernel**2)) for kernel in clipped]
            ),
            "The layers follow one another: multiply their norms instead of adding them.": np.sum(largest),
            "The largest singular value, not the largest weight.": np.prod(
                [np.abs(kernel).max() for kernel in clipped]
            ),
            "That is the square: a singular value is the root of an eigenvalue of Wᵀ W.": wanted**2,
        }
        expect_close(ours, wanted, shown=shown, hint=likely_mistake(ours, mistakes, BOUND_HINT), tolerance=1e-9)
    passed("slope_bound is the product of the largest singular values of the clipped kernels.")


def _spectral_norm(kernel):
    return np.sqrt(np.linalg.eigvalsh(kernel.T @ kernel)[-1])
