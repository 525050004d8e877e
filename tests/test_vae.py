"""The VAE's bound, its terms and its likelihood, against integrals done another way."""

import itertools

import keras
import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import expit, logsumexp

from gencourse.autoencoders import VAE, BetaVAE
from gencourse.autoencoders.networks import (
    build_decoder,
    build_encoder,
    build_residual_decoder,
    build_residual_encoder,
)
from gencourse.autoencoders.vae import kl_to_standard_normal
from gencourse.layers import BernoulliPixels, DiscretizedLogisticPixels, GaussianHead
from gencourse.metrics import ImportanceWeightedNLL, importance_weighted_log_prob

SHAPE = (2, 2, 1)
ALL_IMAGES = np.float32(list(itertools.product([0, 1], repeat=4))).reshape(16, *SHAPE)


def tiny_vae(cls=VAE, latent_size: int = 1, **arguments) -> VAE:
    keras.utils.set_random_seed(0)
    encoder = build_encoder(SHAPE, GaussianHead(latent_size), (8,))
    model = cls(encoder, build_decoder(SHAPE, latent_size, (8,)), **arguments)
    model.compile(optimizer=keras.optimizers.Adam(0.01))
    return model


def log_prob_by_integration(model: VAE, images: np.ndarray) -> np.ndarray:
    """log ∫ N(z; 0, 1) Π_i p(x_i | z) dz for a one-dimensional z, by Simpson's rule."""
    z = np.linspace(-8, 8, 2001)
    logits = np.array(model.decoder(z[:, None].astype("float32")))[None]  # (1, 2001, 2, 2, 1)
    likelihood = stats.bernoulli.logpmf(images[:, None], expit(logits)).sum(axis=(2, 3, 4))  # (n, 2001)
    return np.log(integrate.simpson(np.exp(likelihood + stats.norm.logpdf(z)), x=z))


def test_kl_is_the_closed_form_and_what_monte_carlo_says():
    mean, log_var = np.float32([[0.5, -1.0, 0.0]]), np.float32([[0.2, -0.7, 0.0]])
    shares = np.array(kl_to_standard_normal(mean, log_var))
    std = np.exp(log_var / 2)
    z = mean + std * np.random.default_rng(0).standard_normal((400_000, 3))
    draws = stats.norm.logpdf(z, mean, std) - stats.norm.logpdf(z)
    assert np.all(np.abs(draws.mean(axis=0) - shares[0]) < 5 * draws.std(axis=0) / np.sqrt(len(z)) + 1e-7)
    assert shares[0, 2] == 0


@pytest.mark.parametrize("beta", [0.0, 1.0, 4.0])
def test_beta_weighs_the_divergence(beta):
    scores = tiny_vae(BetaVAE, beta=beta).evaluate(ALL_IMAGES, return_dict=True, verbose=0)
    assert scores["kl"] > 0
    assert scores["loss"] == pytest.approx(scores["reconstruction"] + beta * scores["kl"], abs=1e-5)


def test_evaluate_returns_the_negative_bound():
    scores = tiny_vae().evaluate(ALL_IMAGES, return_dict=True, verbose=0)
    assert scores["loss"] == pytest.approx(scores["reconstruction"] + scores["kl"], abs=1e-5)


def test_beta_must_not_be_negative():
    with pytest.raises(ValueError, match="beta is -1; accepted is a number >= 0"):
        tiny_vae(BetaVAE, beta=-1)


@pytest.mark.parametrize("channels", [1, 3])
def test_reconstruction_is_the_sum_over_every_channel(channels):
    """Binary crossentropy of Keras's kind averages the channels: a third of the nats of an RGB image."""
    shape = (4, 4, channels)
    model = VAE(build_encoder(shape, GaussianHead(1), ()), build_decoder(shape, 1, ()))
    for weight in model.decoder.weights:
        weight.assign(0 * weight)  # every logit is 0: ln 2 nats a value
    model.compile()
    x = np.random.default_rng(0).integers(0, 2, (5, *shape)).astype("float32")
    scores = model.evaluate(x, return_dict=True, verbose=0)
    assert scores["reconstruction"] == pytest.approx(16 * channels * np.log(2), rel=1e-6)


def test_log_prob_is_the_integral_over_the_latent_space():
    model = tiny_vae()
    model.fit(ALL_IMAGES[[0, 3, 12, 15]], epochs=60, verbose=0)
    exact = log_prob_by_integration(model, ALL_IMAGES)
    assert np.exp(exact).sum() == pytest.approx(1, abs=1e-5)
    samples = 20_000
    noise = model.prior.draw((samples, 16, 1), seed=0)
    weights = np.exp(np.array(model._log_weights(ALL_IMAGES, noise)))
    standard_error = weights.std(axis=0) / weights.mean(axis=0) / np.sqrt(samples)
    estimate = model.log_prob(ALL_IMAGES, samples=samples, seed=0)
    assert standard_error.max() < 0.05
    assert np.all(np.abs(estimate - exact) < 5 * standard_error)


def test_one_sample_gives_the_bound():
    model = tiny_vae()
    estimates = [-model.log_prob(ALL_IMAGES, samples=1, seed=seed).mean() for seed in range(0, 10_000, 100)]
    losses = [model.evaluate(ALL_IMAGES, verbose=0, return_dict=True)["loss"] for _ in range(30)]
    error = np.hypot(np.std(estimates) / 10, np.std(losses) / np.sqrt(30))
    assert abs(np.mean(estimates) - np.mean(losses)) < 5 * error


def test_log_prob_does_not_depend_on_how_images_are_grouped():
    model = tiny_vae()
    together = model.log_prob(ALL_IMAGES, samples=4000, seed=3)
    np.testing.assert_allclose(together[:2], model.log_prob(ALL_IMAGES[:2], samples=4000, seed=3), rtol=1e-5)


def test_more_samples_tighten_the_bound():
    log_weights = np.random.default_rng(0).normal(0, 2, (64, 2000))
    bounds = [np.mean(np.array(importance_weighted_log_prob(log_weights[:k]))) for k in (1, 4, 16, 64)]
    assert bounds == sorted(bounds)
    assert bounds[-1] < 2  # log E[w] of a log-normal weight with deviation 2


def test_importance_weighting_is_scipys():
    log_weights = np.random.default_rng(0).normal(-90, 5, (50, 7)).astype("float32")
    expected = logsumexp(log_weights, axis=0) - np.log(50)
    np.testing.assert_allclose(importance_weighted_log_prob(log_weights), expected, rtol=1e-6)


def test_nll_metric_is_the_mean_over_items_and_resets():
    log_weights = np.random.default_rng(0).normal(-90, 5, (50, 8)).astype("float32")
    metric = ImportanceWeightedNLL()
    for _ in range(2):
        metric.reset_state()
        metric.update_state(log_weights[:, :5])
        metric.update_state(log_weights[:, 5:])
        assert float(metric.result()) == pytest.approx(-np.mean(importance_weighted_log_prob(log_weights)), rel=1e-6)


def test_two_noisy_templates_are_learnt_to_their_entropy():
    """x is one of two opposite templates, each pixel flipped with probability 0.1: H(x) is known by enumeration."""
    templates = np.stack([ALL_IMAGES[0b1001], ALL_IMAGES[0b0110]])
    generator = np.random.default_rng(0)
    x = np.abs(templates[generator.integers(0, 2, 4000)] - (generator.random((4000, *SHAPE)) < 0.1)).astype("float32")
    flips = np.abs(ALL_IMAGES[:, None] - templates).sum(axis=(2, 3, 4))  # (16, 2)
    p = (0.1**flips * 0.9 ** (4 - flips)).mean(axis=1)
    entropy = -np.sum(p * np.log(p))
    keras.utils.set_random_seed(0)
    model = VAE(build_encoder(SHAPE, GaussianHead(1), (32,)), build_decoder(SHAPE, 1, (32,)))
    model.compile(optimizer=keras.optimizers.Adam(0.01), jit_compile=True)
    model.fit(x, batch_size=200, epochs=25, verbose=0)
    cross_entropy = -np.sum(p * log_prob_by_integration(model, ALL_IMAGES))
    assert entropy <= cross_entropy < entropy + 0.05
    independent = 4 * np.log(2)  # what a collapsed posterior reaches: each pixel alone is a fair coin
    assert cross_entropy < (entropy + independent) / 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.sample(0), "n is 0"),
        (lambda m: m.sample(2, seed=-1), "seed is -1"),
        (lambda m: m.log_prob(ALL_IMAGES, samples=0), "samples is 0"),
        (lambda m: m.log_prob(ALL_IMAGES * 2), r"span \[0, 2\]"),
        (lambda m: m.encode(ALL_IMAGES[:, :1]), r"shape \(16, 1, 2, 1\)"),
        (lambda m: m.reconstruct(ALL_IMAGES - 0.5), r"span \[-0\.5, 0\.5\]"),
        (lambda m: m.decode(np.zeros((3, 2))), r"shape \(3, 2\); accepted is \(n, 1\)"),
        (lambda m: m(ALL_IMAGES + 1), r"span \[1, 2\]"),
    ],
)
def test_methods_refuse_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call(tiny_vae())


def test_samples_and_reconstructions_are_images():
    model = tiny_vae()
    for images in (model.sample(5, seed=0), model.reconstruct(ALL_IMAGES), model.decode(np.zeros((5, 1)))):
        assert images.shape[1:] == SHAPE
        assert np.min(images) >= 0
        assert np.max(images) <= 1


def test_residual_networks_need_sides_of_multiples_of_four():
    with pytest.raises(ValueError, match=r"\(30, 28, 1\); accepted are sides that are multiples of 4"):
        build_residual_encoder((30, 28, 1), GaussianHead(2))
    with pytest.raises(ValueError, match=r"\(28, 30, 1\)"):
        build_residual_decoder((28, 30, 1), 2)


@pytest.mark.parametrize("likelihood", [BernoulliPixels(), DiscretizedLogisticPixels()])
def test_decoders_have_the_parameters_that_the_likelihood_takes(likelihood):
    shape = (4, 8, 3)
    for decoder in (
        build_decoder(shape, 2, (4,), likelihood.parameters),
        build_residual_decoder(shape, 2, 2, 4, likelihood.parameters),
    ):
        output = decoder(np.zeros((5, 2)))
        assert likelihood(output).shape == (5, *shape)
        assert likelihood.log_prob(np.zeros((5, *shape)), output).shape == (5,)
