"""The samplers on a Gaussian, whose noise is known exactly: what they draw can be worked out."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from gencourse.diffusion import (
    AncestralSampler,
    CosineSchedule,
    DDIMSampler,
    HeunSampler,
    KarrasSigmas,
    LinearSchedule,
)
from gencourse.diffusion.ancestral_sampler import posterior
from gencourse.diffusion.sampler import next_rates

STD = 0.5  # of the data, N(0, STD²)
SCHEDULES = [LinearSchedule(), CosineSchedule(), KarrasSigmas()]
SAMPLERS = [AncestralSampler(), DDIMSampler(), DDIMSampler(eta=0.5), HeunSampler()]


def name(value) -> str:
    return str(value) if isinstance(value, (DDIMSampler, int)) else type(value).__name__


def denoise(x, signal_rate, noise_rate):
    """E[x_0 | x] and E[ε | x] for x = signal_rate x_0 + noise_rate ε and x_0 ~ N(0, STD²)."""
    variance = signal_rate**2 * STD**2 + noise_rate**2
    return signal_rate * STD**2 / variance * x, noise_rate / variance * x


def std_of_samples(sampler, levels) -> float:
    """The standard deviation of what the sampler draws, without drawing.

    All steps are linear: x = Σ_j g_j ε_j over the noise at the start and in each step. Item j of the batch gets the
    impulse ε_j = 1 alone and returns g_j, and the variance is Σ g_j².
    """
    impulses = np.eye(len(levels[0]) if sampler.noisy else 1, dtype="float32")
    run = tf.function(lambda x, noise: sampler(denoise, x, *levels, noise), autograph=False)
    return float(np.linalg.norm(run(impulses[0], impulses[1:])))


@pytest.mark.parametrize("schedule", SCHEDULES, ids=name)
@pytest.mark.parametrize("sampler", SAMPLERS, ids=name)
def test_exact_noise_gives_the_datas_deviation(sampler, schedule):
    assert std_of_samples(sampler, schedule.levels(1000)) == pytest.approx(STD, rel=0.02)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=name)
@pytest.mark.parametrize("sampler", SAMPLERS, ids=name)
def test_no_number_of_steps_gives_nan(sampler, schedule):
    for steps in (1, 2, 3, 10):
        x, noise = np.random.default_rng(0).normal(size=(2, 4)), np.ones((10, 4))
        images = sampler(denoise, ops.cast(x, "float32"), *schedule.levels(steps), ops.cast(noise, "float32"))
        assert np.isfinite(images).all()


@pytest.mark.parametrize("steps", [1000, 20])
@pytest.mark.parametrize("schedule", SCHEDULES, ids=name)
def test_posterior_is_bayes_at_every_level(schedule, steps):
    """Prior x_s | x_0 ~ N(signal_s x_0, noise_s²) and likelihood x_t | x_s ~ N(α x_s, β): the precisions add."""
    rates = schedule.levels(steps)
    signal_t, noise_t, signal_s, noise_s = (r[:-1] for r in (*rates, *next_rates(*rates)))
    alpha = signal_t / signal_s
    beta = 1 - alpha**2  # since both variances are 1 for unit data
    precision = 1 / noise_s**2 + alpha**2 / beta
    a, b, variance = posterior(signal_t, noise_t, signal_s, noise_s)
    np.testing.assert_allclose(variance * precision, 1, rtol=1e-6)
    np.testing.assert_allclose(a * precision, signal_s / noise_s**2, rtol=1e-6)
    np.testing.assert_allclose(b * precision, alpha / beta, rtol=1e-6)


def test_posterior_of_the_clean_image_is_the_clean_image():
    assert posterior(0.8, 0.6, 1.0, 0.0) == pytest.approx((1, 0, 0))


@pytest.mark.parametrize("schedule", SCHEDULES, ids=name)
def test_ddim_with_all_its_noise_is_the_ancestral_sampler(schedule):
    levels = schedule.levels(50)
    signal, noise, a, b, std = AncestralSampler().plan(*levels).T
    # a x_0 + b x_t = (a + b signal_t) x_0 + b noise_t ε
    ancestral = np.stack([signal, noise, a + b * signal, b * noise, std])
    np.testing.assert_allclose(DDIMSampler(eta=1.0).plan(*levels).T, ancestral, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize(("sampler", "order"), [(DDIMSampler(), 1), (HeunSampler(), 2)], ids=name)
def test_order_of_convergence(sampler, order):
    """The flow dx̄/dσ = σ x̄ / (STD² + σ²) multiplies x̄ by √(STD² / (STD² + σ_max²)) on its way to σ = 0."""
    exact = STD * np.hypot(1, 80) / np.hypot(STD, 80)  # for x = x̄ / √(1 + σ_max²) = 1 at the start
    errors = [abs(std_of_samples(sampler, KarrasSigmas().levels(steps)) - exact) for steps in (32, 64, 128)]
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    # the next term of the error changes the order by O(1 / steps); 32 steps leave 0.1
    np.testing.assert_allclose(orders, order, atol=0.15)


def encode(levels, images, iterations):
    plan = ops.convert_to_tensor(DDIMSampler().plan_encoding(*levels), "float32")
    return DDIMSampler().encode(denoise, images, plan, iterations)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=name)
def test_encoding_is_undone_by_the_walk(schedule):
    images = ops.linspace(-1.0, 1.0, 5)
    levels = schedule.levels(50)
    noise = encode(levels, images, iterations=20)
    # the rounding of x_T, of size 1, grows by σ_T on the way: 2e4 · 6e-8 for the cosine
    np.testing.assert_allclose(DDIMSampler()(denoise, noise, *levels), images, atol=2e-3)
    assert np.all(np.abs(noise) < 5)


def test_error_of_the_usual_encoding_falls_with_the_steps():
    images, errors = ops.ones((1,)), []
    for steps in (50, 100, 200):
        levels = LinearSchedule().levels(steps)
        back = DDIMSampler()(denoise, encode(levels, images, iterations=1), *levels)
        errors.append(abs(float(back[0]) - 1))
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 2, rtol=0.15)


@pytest.mark.parametrize("eta", [-0.1, 1.1, float("nan")])
def test_eta_outside_the_unit_interval_is_refused(eta):
    with pytest.raises(ValueError, match=r"accepted is a number in \[0, 1\]"):
        DDIMSampler(eta)
