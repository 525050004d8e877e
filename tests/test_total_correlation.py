"""Estimates of the aggregated posterior's density against sums over all batches, quadrature and a known Gaussian."""

from itertools import permutations
from math import log, sqrt

import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp

from gencourse.autoencoders.total_correlation import (
    aggregate_log_density,
    gaussian_log_density,
    stratified_log_weights,
    weighted_log_weights,
)

STD = 0.3  # of the posteriors in the Gaussian case
N = 2048


def gaussian_codes(rho, seed=0):
    """N posterior means that fill a bivariate Gaussian of correlation rho evenly, log_var, and a sample of each."""
    mean = stats.qmc.MultivariateNormalQMC([0, 0], [[1, rho], [rho, 1]], rng=seed).random(N)
    mean = np.random.default_rng(seed).permutation(mean).astype("float32")
    z = mean + STD * np.random.default_rng(seed + 1).standard_normal(mean.shape, "float32")
    return z, mean, np.full_like(mean, 2 * log(STD))


def true_total_correlation(rho):
    """z ~ N(0, [[1, rho], [rho, 1]] + STD² I) has correlation r = rho / (1 + STD²): -½ log(1 - r²)."""
    return -log(1 - (rho / (1 + STD**2)) ** 2) / 2


def total_correlations(z, mean, log_var, log_weights):
    joint, each = (np.array(value) for value in aggregate_log_density(z, mean, log_var, log_weights))
    return (joint - each.sum(axis=1)).astype("float64")


def mean_over_batches(codes, size, weights):
    """The mean total correlation over the batches of a pass through the data."""
    batches = [[array[start : start + size] for array in codes] for start in range(0, N, size)]
    return np.mean([total_correlations(*batch, weights(size, N)) for batch in batches])


def random_codes(n, d, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(n, d)), rng.normal(size=(n, d))


def test_gaussian_log_density_equals_scipy():
    z, mean, log_var = random_codes(5, 3)
    wanted = stats.norm(mean, np.exp(log_var / 2)).logpdf(z)
    np.testing.assert_allclose(gaussian_log_density(z, mean, log_var), wanted, rtol=1e-6)


def test_mixture_and_its_marginals_by_hand():
    z, mean, log_var = random_codes(6, 3)
    weights = np.random.default_rng(1).random((6, 6))
    joint, each = aggregate_log_density(z, mean, log_var, np.log(weights))
    for i in range(6):
        densities = stats.norm(mean, np.exp(log_var / 2)).pdf(z[i])  # (m, d)
        np.testing.assert_allclose(joint[i], np.log(weights[i] @ densities.prod(axis=1)), rtol=1e-5)
        np.testing.assert_allclose(each[i], np.log(weights[i] @ densities), rtol=1e-5)


def test_stratified_estimate_of_the_density_is_unbiased():
    """Averaged over every batch that holds item 0, it is the density of the whole mixture."""
    size, n = 5, 3
    z, mean, log_var = random_codes(size, 2)
    exact = np.exp(np.array(aggregate_log_density(z[:1], mean, log_var, -log(size))[0]))
    log_weights = np.array(stratified_log_weights(n, size))
    batches = [[0, *others] for others in permutations(range(1, size), n - 1)]
    estimates = [
        np.exp(np.array(aggregate_log_density(z[batch], mean[batch], log_var[batch], log_weights)[0][0]))
        for batch in batches
    ]
    assert np.std(estimates) > 0.01 * exact[0], "a test of the mean needs batches that differ"
    np.testing.assert_allclose(np.mean(estimates), exact[0], rtol=1e-5)


def test_stratified_weights_are_the_papers_averaged_over_the_order_of_the_batch():
    """Chen et al. weigh the item itself 1/N, M - 1 others 1/M and the last one (N - M) / (N M), with M = n - 1."""
    size, n = 50, 6
    m = n - 1
    printed = np.array([1 / size] + [1 / m] * (m - 1) + [(size - m) / (size * m)])
    orders = np.array([[printed[0], *others] for others in permutations(printed[1:])])
    np.testing.assert_allclose(np.exp(stratified_log_weights(n, size))[0], orders.mean(axis=0), rtol=1e-5)
    assert printed.sum() == pytest.approx(1)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_stratified_weights_sum_to_one(n):
    np.testing.assert_allclose(np.exp(stratified_log_weights(n, 100)).sum(axis=1), 1, rtol=1e-5)


def test_the_whole_data_set_as_one_batch_is_exact():
    np.testing.assert_allclose(stratified_log_weights(9, 9), -log(9), rtol=1e-6)


def test_total_correlation_of_a_mixture_against_quadrature():
    """TC = ∫∫ q log (q / (q_1 q_2)) on a grid with steps of a third of the posteriors' standard deviation."""
    z, mean, log_var = (array[:128] for array in gaussian_codes(0.9))
    values = total_correlations(z, mean, log_var, -log(128))
    grid = np.arange(-6, 6, STD / 3)
    first, second = (stats.norm(mean[:, j], STD).pdf(grid[:, None]) for j in (0, 1))  # (grid, m)
    q = first @ second.T / 128
    product = np.outer(first.mean(axis=1), second.mean(axis=1))
    wanted = np.sum(q * np.log((q + 1e-300) / (product + 1e-300))) * (STD / 3) ** 2
    assert values.mean() == pytest.approx(wanted, abs=4 * values.std() / sqrt(128))


@pytest.mark.parametrize(("rho", "known"), [(0.0, 0.0), (0.5, 0.118), (0.9, 0.572)])
def test_known_total_correlation_of_gaussians(rho, known):
    """The log ratio has variance r² on a bivariate Gaussian, so a mean over N samples errs by r / √N. The mixture of
    evenly laid means differs from the Gaussian only in the tails, by less than 0.02 nats; the batches of 256 see an
    eighth of it, and the logarithm of their noisy densities is too small, for the pair more than for its marginals:
    by less than 0.05 nats."""
    wanted = true_total_correlation(rho)
    assert wanted == pytest.approx(known, abs=5e-4)
    noise = 4 * rho / (1 + STD**2) / sqrt(N)
    codes = gaussian_codes(rho)
    assert total_correlations(*codes, -log(N)).mean() == pytest.approx(wanted, abs=noise + 0.02)
    assert mean_over_batches(codes, 256, stratified_log_weights) == pytest.approx(wanted, abs=noise + 0.05)


def test_weighted_sampling_is_off_by_the_logarithm_of_the_data_sets_size():
    """On the same batch its total correlation is that of the batch's own mixture plus (d - 1) log N."""
    z, mean, log_var = random_codes(8, 3)
    own = total_correlations(z, mean, log_var, -log(8))
    weighted = total_correlations(z, mean, log_var, weighted_log_weights(8, 512))
    np.testing.assert_allclose(weighted - own, 2 * log(512), rtol=1e-5)


def test_differences_of_weighted_sampling_are_right():
    none, strong = (mean_over_batches(gaussian_codes(rho), 256, weighted_log_weights) for rho in (0.0, 0.9))
    assert none > log(N)
    assert strong - none == pytest.approx(true_total_correlation(0.9), abs=4 * 0.83 / sqrt(N) + 0.05)


def test_a_batch_of_one_item_says_nothing_of_dependence():
    z, mean, log_var = random_codes(1, 3)
    joint, each = (np.array(value) for value in aggregate_log_density(z, mean, log_var, stratified_log_weights(1, 100)))
    np.testing.assert_allclose(joint, np.sum(gaussian_log_density(z, mean, log_var), axis=1), rtol=1e-6)
    np.testing.assert_allclose(joint, each.sum(axis=1), rtol=1e-6)


def test_far_codes_stay_finite():
    z, mean, log_var = np.array([[0.0], [400.0]]), np.array([[0.0], [400.0]]), np.full((2, 1), -8.0)
    joint, _ = aggregate_log_density(z, mean, log_var, stratified_log_weights(2, 10))
    wanted = stats.norm(0, np.exp(-4)).logpdf(0) + logsumexp([log(0.1)])
    np.testing.assert_allclose(joint, wanted, rtol=1e-5)
