"""Pixel likelihoods against SciPy's distributions and against their own normalization."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from gencourse.layers import BernoulliPixels, DiscretizedLogisticPixels

LEVELS = np.arange(256, dtype="float32") / 255


def random_images(shape=(3, 4, 5, 3)):
    return np.random.default_rng(0).integers(0, 256, shape).astype("float32") / 255


def test_bernoulli_is_scipys():
    generator = np.random.default_rng(0)
    x, logits = (generator.random((3, 4, 5, 3)) < 0.5).astype("float32"), generator.normal(0, 3, (3, 4, 5, 3))
    expected = stats.bernoulli.logpmf(x, expit(logits)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(BernoulliPixels().log_prob(x, logits), expected, rtol=1e-5)
    np.testing.assert_allclose(BernoulliPixels()(logits), expit(logits), rtol=1e-5)


def test_bernoulli_is_finite_at_large_logits():
    x = np.float32([[[[0.0], [1.0]]]])
    np.testing.assert_allclose(BernoulliPixels().log_prob(x, 1e4 * (2 * x - 1)), [0.0], atol=1e-6)
    np.testing.assert_allclose(BernoulliPixels().log_prob(x, 1e4 * (1 - 2 * x)), [-2e4], rtol=1e-6)


def masses(mean: float, scale: float) -> np.ndarray:
    """p(x = k/255) for all k, from the layer; its network's zeros stand for mean 0.5 and scale 0.1."""
    parameters = np.empty((256, 1, 1, 2), "float32")
    parameters[...] = mean - 0.5, np.log(scale / 0.1)
    return np.exp(DiscretizedLogisticPixels().log_prob(LEVELS[:, None, None, None], parameters))


@pytest.mark.parametrize("mean", [-0.3, 0.0, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("scale", [0.001, 0.01, 0.1, 2.0])
def test_discretized_logistic_sums_to_one_and_is_scipys(mean, scale):
    edges = np.concatenate([[-np.inf], (np.arange(255) + 0.5) / 255, [np.inf]])
    expected = np.diff(stats.logistic.cdf(edges, mean, scale))
    np.testing.assert_allclose(masses(mean, scale).sum(), 1, rtol=2e-4)
    np.testing.assert_allclose(masses(mean, scale), expected, rtol=2e-3, atol=1e-7)


def test_discretized_logistic_stays_finite_far_from_the_mean():
    x = random_images()
    for parameters in (np.full((3, 4, 5, 6), 50.0), np.full((3, 4, 5, 6), -50.0)):
        assert np.isfinite(DiscretizedLogisticPixels().log_prob(x, parameters)).all()


@pytest.mark.parametrize("likelihood", [BernoulliPixels(), DiscretizedLogisticPixels()])
def test_every_channel_counts_in_full(likelihood):
    """A grey image written three times into the channels has three times the log-likelihood, not the mean."""
    grey = np.round(random_images((3, 4, 5, 1)))
    parameters = np.random.default_rng(1).normal(size=(3, 4, 5, likelihood.parameters))
    one = likelihood.log_prob(grey, parameters)
    three = likelihood.log_prob(np.repeat(grey, 3, axis=-1), np.repeat(parameters, 3, axis=-1))
    np.testing.assert_allclose(three, 3 * np.array(one), rtol=1e-5)
