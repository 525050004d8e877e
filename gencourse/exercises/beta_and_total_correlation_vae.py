"""Checks of notebook 22: the total correlation of a Gaussian, stratified weights, the mutual information gap."""

from collections.abc import Callable

import numpy as np
from scipy.stats import multivariate_normal, norm

from gencourse.exercises.harness import call, expect_close, likely_mistake, passed

GAUSSIAN_HINT = "Return half of Σ_j log C_jj - log det C."
WEIGHTS_HINT = "Put 1/N on the diagonal and share the rest, 1 - 1/N, equally among the other n - 1 places of a row."
GAP_HINT = "For each column, take the largest minus the second largest, divide by that factor's entropy, then average."


def check_gaussian_total_correlation(gaussian_total_correlation: Callable) -> None:
    """Check TC = Σ_j h(z_j) - h(z) against the entropies of SciPy's normal distributions.

    Args:
        gaussian_total_correlation: `gaussian_total_correlation(covariance)` with C (d, d), returning nats.

    Raises:
        NotYet: with what is wrong.
    """
    rng = np.random.default_rng(0)
    factor = rng.normal(size=(4, 4))
    for covariance in (
        np.array([[1.09, 0.9], [0.9, 1.09]]),
        np.diag([0.2, 3.0, 1.0]),
        factor @ factor.T + np.eye(4),
    ):
        each, joint = norm(0, np.sqrt(np.diag(covariance))).entropy(), multivariate_normal(cov=covariance).entropy()
        wanted = each.sum() - joint
        shown = f"gaussian_total_correlation(covariance {covariance.shape})"
        ours = call(gaussian_total_correlation, covariance, shown=shown)
        log_det, log_diagonal = np.linalg.slogdet(covariance)[1], np.log(np.diag(covariance)).sum()
        mistakes = {
            "Half of it is missing: a Gaussian's entropy holds ½ log det C.": 2 * wanted,
            "The sign is turned round: a total correlation is never negative.": -wanted,
            "You took -½ log det C: subtract the marginal variances' share, ½ Σ_j log C_jj.": -log_det / 2,
            "You used standard deviations where variances belong, or halved twice.": (log_diagonal / 2 - log_det) / 2,
            "That is in bits: use the natural logarithm.": wanted / np.log(2),
        }
        expect_close(ours, wanted, shown=shown, hint=likely_mistake(ours, mistakes, GAUSSIAN_HINT))
    passed("gaussian_total_correlation agrees with the entropies of joint and marginals.")


def check_stratified_weights(stratified_weights: Callable) -> None:
    """Check the weights of a batch: 1/N for the item itself, (1 - 1/N) / (n - 1) for each of the others.

    The oracle counts: over all batches, every item must get the same weight on average.

    Args:
        stratified_weights: `stratified_weights(n, N)` with 2 <= n <= N, returning (n, n).

    Raises:
        NotYet: with what is wrong.
    """
    for n, size in ((2, 5), (4, 4), (8, 100)):
        wanted = np.array([[1 / size if i == m else (size - 1) / size / (n - 1) for m in range(n)] for i in range(n)])
        shown = f"stratified_weights({n}, {size})"
        ours = call(stratified_weights, n, size, shown=shown)
        uniform, own = np.full((n, n), 1 / n), np.eye(n, dtype=bool)
        mistakes = {
            "Those are equal weights 1/n: item i is in its own batch for certain, so it needs less, 1/N.": uniform,
            "Those are the weights 1/(n N) of weighted sampling, which sum to 1/N.": uniform / size,
            "Your weights of the others sum to 1 alone; 1/N is already given to the item itself.": np.where(
                own, 1 / size, 1 / (n - 1)
            ),
            "Divide by the n - 1 others, not by n.": np.where(own, 1 / size, (1 - 1 / size) / n),
            "Return the weights, not their logarithms.": np.log(wanted),
        }
        expect_close(ours, wanted, shown=shown, hint=likely_mistake(ours, mistakes, WEIGHTS_HINT))
    passed("stratified_weights gives every item of the data set the same weight on average.")


def check_information_gap(information_gap: Callable) -> None:
    """Check MIG = mean over factors of (largest - second largest information) / entropy.

    Args:
        information_gap: `information_gap(information, entropies)` with I (d, K) and H (K,), returning a number.

    Raises:
        NotYet: with what is wrong.
    """
    rng = np.random.default_rng(0)
    for information, entropies in (
        (np.array([[2.0, 0.1], [0.5, 1.0], [0.0, 0.7]]), np.array([2.2, 1.25])),
        (rng.random((6, 5)), rng.uniform(1, 2, size=5)),
        (rng.random((2, 3)), np.log([3.0, 4.0, 5.0])),
    ):
        gaps = np.array([np.subtract(*sorted(column, reverse=True)[:2]) for column in information.T])
        wanted = np.mean(gaps / entropies)
        shown = f"information_gap(information {information.shape}, entropies {entropies.shape})"
        ours = call(information_gap, information, entropies, shown=shown)
        best = information.max(axis=0)
        rows = np.sort(information, axis=1)
        mistakes = {
            "Divide each gap by the entropy of its factor.": np.mean(gaps),
            "Average over the factors, do not add them.": np.sum(gaps / entropies),
            "Divide each factor's gap by its own entropy before you average.": gaps.sum() / entropies.sum(),
            "That is the best dimension's share; subtract the second best's.": np.mean(best / entropies),
            "Subtract the second largest, not the smallest.": np.mean((best - information.min(axis=0)) / entropies),
            "Subtract the second largest, not the mean.": np.mean((best - information.mean(axis=0)) / entropies),
            "Compare the dimensions (rows) that know one factor (column), not the factors that one dimension knows.": (
                np.mean(rows[:, -1] - rows[:, -2])
            ),
        }
        expect_close(ours, wanted, shown=shown, hint=likely_mistake(ours, mistakes, GAP_HINT))
    passed("information_gap compares the two best dimensions of each factor.")
