"""The mutual information gap on codes whose information is known."""

from math import log, sqrt

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import logsumexp

from gencourse.metrics.mutual_information_gap import mutual_information_gap

FACTORS = np.indices((3, 4, 20)).reshape(3, -1).T[:, :2]  # each of the 12 combinations 20 times


def gap(mean, std, factors=FACTORS, seed=0):
    return mutual_information_gap(mean, np.full_like(mean, 2 * log(std)), factors, seed)


def test_a_perfect_code_scores_one():
    """One dimension a factor, values 50 standard deviations apart: I = H, and the other dimensions know nothing."""
    score, information = gap(np.stack([FACTORS[:, 1], FACTORS[:, 0], 0 * FACTORS[:, 0]], axis=1).astype(float), 0.02)
    np.testing.assert_allclose(information, [[0, log(4)], [log(3), 0], [0, 0]], atol=1e-5)
    assert score == pytest.approx(1, abs=1e-5)


def test_a_code_turned_by_45_degrees_scores_zero():
    """Both dimensions then know the same of each factor: the gap is the noise of two means over 720 samples."""
    factors = np.indices((3, 3, 80)).reshape(3, -1).T[:, :2]
    v = factors - 1.0
    score, information = gap(np.stack([v[:, 0] + v[:, 1], v[:, 0] - v[:, 1]], axis=1) / sqrt(2), 0.2, factors)
    # log q(z|v) / q(z) is at most log 9: standard error below log(9) / (2 sqrt(720)) = 0.04, of a difference 0.06
    np.testing.assert_allclose(information[0], information[1], atol=3 * 0.06)
    assert 0 <= score < 3 * 0.06 / log(3)
    assert information.min() > 0.3


def test_information_of_two_gaussians_against_quadrature():
    """v in {0, 1}, z | v ~ N(± 1, std²): I = Σ_v ½ ∫ q(z|v) log (q(z|v) / q(z)) dz."""
    factors = np.tile([[0], [1]], (2000, 1))
    mean = np.concatenate([2.0 * factors - 1, 0.0 * factors], axis=1)
    for std in (0.4, 1.0, 3.0):

        def integrand(z, power, std=std):
            given = stats.norm([-1, 1], std).logpdf(z)
            return np.mean(np.exp(given) * (given - logsumexp(given, b=1 / 2)) ** power)

        wanted, second = (integrate.quad(integrand, -20, 20, args=(p,), points=(-1, 1), limit=200)[0] for p in (1, 2))
        _, information = gap(mean, std, factors)
        assert information[0, 0] == pytest.approx(wanted, abs=4 * sqrt((second - wanted**2) / 4000))
        assert information[1, 0] == pytest.approx(0, abs=1e-5)


def test_unequal_shares_of_a_factor():
    """A factor of entropy H(1/4) = 0.562 that the code holds fully."""
    factors = np.repeat([[0], [1]], [30, 90], axis=0)
    score, information = gap(np.concatenate([factors, 0 * factors], axis=1).astype(float), 0.02, factors)
    assert information[0, 0] == pytest.approx(stats.entropy([0.25, 0.75]), abs=1e-5)
    assert score == pytest.approx(1, abs=1e-5)


def test_posteriors_of_unequal_width():
    """q(z|0) = N(0, 0.1²) and q(z|1) = N(0, 10²) differ by their width alone."""
    factors = np.tile([[0], [1]], (2000, 1))
    std = np.concatenate([np.where(factors, 10, 0.1), np.ones_like(factors)], axis=1)
    _, information = mutual_information_gap(0 * std, 2 * np.log(std), factors)
    z = np.random.default_rng(1).standard_normal(100_000) * [[0.1], [10]]
    ratio = [stats.norm(0, std).logpdf(row) for std, row in zip((0.1, 10), z, strict=True)]
    ratio -= np.log((stats.norm(0, 0.1).pdf(z) + stats.norm(0, 10).pdf(z)) / 2)
    assert information[0, 0] == pytest.approx(ratio.mean(), abs=4 * ratio.std() / sqrt(4000))


def test_the_order_of_the_dimensions_and_the_size_of_the_blocks_do_not_matter(monkeypatch):
    mean = np.random.default_rng(0).normal(size=(len(FACTORS), 3))
    score, information = gap(mean, 0.5)
    monkeypatch.setitem(mutual_information_gap.__globals__, "ROWS_AT_ONCE", 7)
    again, blocks = gap(mean, 0.5)
    assert again == pytest.approx(score, abs=1e-5)
    np.testing.assert_allclose(blocks, information, atol=1e-5)
    assert gap(mean, 0.5, seed=1)[0] != again


@pytest.mark.parametrize(
    ("mean", "log_var", "factors", "sentence"),
    [
        (np.zeros((4, 1)), np.zeros((4, 1)), np.zeros((4, 1), int), "d >= 2"),
        (np.zeros((4, 2)), np.zeros((4, 3)), np.zeros((4, 1), int), "accepted is"),
        (np.full((4, 2), np.nan), np.zeros((4, 2)), np.zeros((4, 1), int), "finite"),
        (np.zeros((4, 2)), np.zeros((4, 2)), np.zeros((3, 1), int), r"integers \(4, K\)"),
        (np.zeros((4, 2)), np.zeros((4, 2)), np.zeros((4, 1)), "integers"),
        (np.zeros((4, 2)), np.zeros((4, 2)), np.array([[0, 0], [1, 0], [0, 0], [1, 0]]), "Factor 1 has one value"),
    ],
)
def test_bad_input_is_refused(mean, log_var, factors, sentence):
    with pytest.raises(ValueError, match=sentence):
        mutual_information_gap(mean, log_var, factors)
