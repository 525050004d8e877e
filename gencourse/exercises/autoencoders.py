"""Checks of notebook 20: the best linear error, the slope of the sparsity penalty, bits shared among numbers."""

from collections.abc import Callable
from itertools import combinations

import numpy as np
from scipy.stats import entropy
from sklearn.decomposition import PCA

from gencourse.exercises.harness import call, expect, expect_close, likely_mistake, passed

LINEAR_HINT = "Centre x, take the eigenvalues of centred.T @ centred / n, and add up all but the k largest."
GRADIENT_HINT = "Differentiate ρ ln(ρ / ρ̂) + (1 - ρ) ln((1 - ρ) / (1 - ρ̂)) with respect to ρ̂, term by term."
BITS_HINT = "Hand out one bit at a time, each to the number whose error variance / 4**bits is the largest now."


def check_best_linear_error(best_linear_error: Callable) -> None:
    """Check the least mean of |x - x̂|² over all linear codes of k numbers: the sum of the smallest eigenvalues.

    Args:
        best_linear_error: `best_linear_error(x, k)` with x (n, d) and k < d, returning a number.

    Raises:
        NotYet: with what is wrong.
    """
    rng = np.random.default_rng(0)
    for n, d, k in ((50, 4, 1), (30, 6, 3), (200, 5, 4)):
        x = rng.normal(2.0, 1.0, (n, d)) @ rng.normal(size=(d, d))
        pca = PCA(k).fit(x)
        wanted = ((x - pca.inverse_transform(pca.transform(x))) ** 2).sum(axis=1).mean()
        shown = f"best_linear_error(x of shape {(n, d)}, {k})"
        ours = call(best_linear_error, x, k, shown=shown)
        uncentred = np.linalg.eigvalsh(x.T @ x / n)
        kept = np.linalg.eigvalsh(np.cov(x.T, bias=True))[-k:].sum()
        mistakes = {
            "You divided by n - 1: the mean of the squared errors divides by n.": wanted * n / (n - 1),
            "That is a mean over the d coordinates: |x - x̂|² is their sum.": wanted / d,
            "That is the sum over all n points: take the mean.": wanted * n,
            "That is the variance which the code keeps: the error is what it loses.": kept,
            "You did not subtract the mean of x: the biases of the network hold it.": uncentred[:-k].sum(),
        }
        expect_close(ours, wanted, shown=shown, hint=likely_mistake(ours, mistakes, LINEAR_HINT))
    passed("best_linear_error agrees with scikit-learn's PCA.")


def check_sparsity_gradient(sparsity_gradient: Callable) -> None:
    """Check d KL(ρ || ρ̂) / d ρ̂ = -ρ / ρ̂ + (1 - ρ) / (1 - ρ̂), against a difference quotient.

    Args:
        sparsity_gradient: `sparsity_gradient(target, activation)` with ρ a number and ρ̂ (k,), returning (k,).

    Raises:
        NotYet: with what is wrong.
    """
    step = 1e-6
    for target in (0.05, 0.5, 0.8):
        activation = np.array([0.02, 0.3, 0.5, 0.9])
        rho, a = target, activation

        def kl(first, second):
            return entropy([first, 1 - first], [second, 1 - second])

        def slope(function, at=activation):
            return np.array([(function(value + step) - function(value - step)) / (2 * step) for value in at])

        wanted = slope(lambda value: kl(rho, value))  # noqa: B023
        shown = f"sparsity_gradient({target}, {activation.tolist()})"
        ours = call(sparsity_gradient, target, activation, shown=shown)
        mistakes = {
            "The sign is turned round: above the target the penalty grows.": -wanted,
            "The second term is missing: 1 - ρ̂ depends on ρ̂ too.": -rho / a,
            "The inner derivative of 1 - ρ̂ is -1: the second term has a plus.": -rho / a - (1 - rho) / (1 - a),
            "That is the derivative of KL(ρ̂ || ρ): the target stands first.": slope(lambda value: kl(value, rho)),  # noqa: B023
            "That is the divergence itself: differentiate it.": np.array([kl(rho, value) for value in a]),
            "Return one slope for each unit, without adding them up.": wanted.sum(),
        }
        hint = likely_mistake(ours, mistakes, GRADIENT_HINT)
        expect_close(ours, wanted, shown=shown, hint=hint, tolerance=1e-5)
    passed("sparsity_gradient agrees with the difference quotient.")


def check_allocate_bits(allocate_bits: Callable) -> None:
    """Check that whole numbers of bits, `total` in all, minimize Σ_j variances_j / 4**bits_j, against every choice.

    Args:
        allocate_bits: `allocate_bits(variances, total)` with variances (k,) and total >= 0, returning bits (k,).

    Raises:
        NotYet: with what is wrong.
    """
    for variances, total in (
        ([16.0, 3.0, 0.5], 6),
        ([0.1, 5.0, 40.0, 0.7], 7),
        ([1.0, 0.9, 0.8, 0.01], 3),
        ([2.0, 1.0], 0),
    ):
        variances = np.array(variances)
        shown = f"allocate_bits({variances.tolist()}, {total})"
        ours = call(allocate_bits, variances, total, shown=shown)
        choices = _splits(total, len(variances))
        best = choices[np.argmin(_error(variances, choices))]
        by_half = choices[np.argmin((variances / 2.0**choices).sum(axis=1))]
        mistakes = {
            "All numbers get alike: give more to those that vary more.": np.full(
                len(variances), total // len(variances)
            ),
            "A bit more halves the step and so quarters the squared error: divide by 4**bits.": by_half,
            "All bits went to the largest variance: count each bit that a number has.": total
            * np.eye(len(variances))[variances.argmax()],
            "Bits are not in proportion to the variance, rather to its logarithm.": np.round(
                total * variances / variances.sum()
            ),
        }
        hint = likely_mistake(ours, mistakes, BITS_HINT)
        bits = np.asarray(ours)
        expect(
            bits.shape == variances.shape, f"`{shown}` has shape {bits.shape}: return one number of bits a variance."
        )
        whole = np.issubdtype(bits.dtype, np.number) and np.equal(bits, np.round(bits)).all() and (bits >= 0).all()
        expect(bool(whole), f"`{shown}` gave {ours}: bits are whole numbers, at least 0.")
        expect(bits.sum() == total, f"`{shown}` gave {bits.sum():g} bits in all, where {total} are wanted. {hint}")
        error, least = _error(variances, bits), _error(variances, best)
        expect_close(error, least, shown=f"the error of {shown}", hint=hint)
    passed("allocate_bits finds the least error among all splits.")


def _splits(total: int, parts: int) -> np.ndarray:
    """Return every way (m, parts) to write `total` as a sum of whole numbers >= 0."""
    places = total + parts - 1  # bars between stars
    bars = np.array(list(combinations(range(places), parts - 1)))
    edges = np.concatenate([np.full((len(bars), 1), -1), bars, np.full((len(bars), 1), places)], axis=1)
    return np.diff(edges, axis=1) - 1


def _error(variances: np.ndarray, bits: np.ndarray) -> np.ndarray:
    return (variances / 4.0**bits).sum(axis=-1)
