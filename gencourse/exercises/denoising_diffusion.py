"""Checks for notebook 50: pictures at any time, one step back, the weights of the bound."""

from collections.abc import Callable

import numpy as np

from gencourse.exercises.harness import call, expect, expect_close, likely_mistake, passed


def check_noised(noised: Callable) -> None:
    """Check `noised(image, betas, t, noise)` against the chain, whose mean and variance are carried step by step."""
    rng = np.random.default_rng(0)
    for steps in (5, 40):
        betas = rng.uniform(0.01, 0.4, steps)
        t = np.array([0, 1, 2, steps - 1, steps, 3])
        image, noise = rng.normal(size=(2, len(t), 3, 2, 1))
        shown = f"noised(image {image.shape}, betas ({steps},), t={t}, noise)"
        rates = np.array([_by_the_chain(betas[:time]) for time in t])
        late = np.array([_by_the_chain(betas[: time + 1]) for time in t])
        powers = np.array([_by_the_chain(1 - betas[:time]) for time in t])
        value = call(noised, image, betas, t, noise, shown=shown)
        hint = likely_mistake(
            value,
            {
                "The noise rate is the root of 1 - ᾱ_t.": _mix(image, noise, rates[:, 0], rates[:, 1] ** 2),
                "Both rates are roots.": _mix(image, noise, *rates.T**2),
                "After t steps the product runs over β_1 ... β_t: t = 0 is the clean image.": _mix(
                    image, noise, *late.T
                ),
                "ᾱ is the product of 1 - β, not of β.": _mix(image, noise, *powers.T),
            },
            otherwise="x_t = √ᾱ_t x_0 + √(1 - ᾱ_t) ε with ᾱ_t = (1 - β_1) ... (1 - β_t), each image with its own t.",
        )
        expect_close(value, _mix(image, noise, *rates.T), shown=shown, hint=hint)
    passed("every image is as noisy as its time says")


def check_step_back(step_back: Callable) -> None:
    """Check `step_back(x, predicted_noise, betas, t)` against Bayes' rule by precisions."""
    rng = np.random.default_rng(1)
    betas = np.linspace(0.05, 0.4, 12)
    for t in (12, 5, 2, 1):
        image, noise = rng.uniform(-0.9, 0.9, size=(2, 4, 3))
        noise[0, 0] = -3.0  # of which the estimated image is far out
        signal, rate = _by_the_chain(betas[:t])
        x = signal * image + rate * rng.normal(size=image.shape)
        shown = f"step_back(x {x.shape}, predicted_noise, betas ({len(betas)},), t={t})"
        value = call(step_back, x, noise, betas, t, shown=shown)
        expect(isinstance(value, tuple) and len(value) == 2, f"`{shown}` must return the mean and the deviation.")
        free = (x - rate * noise) / signal
        mean, std = _bayes(x, np.clip(free, -1, 1), betas, t)
        hint = likely_mistake(
            value[0],
            {
                "Cut the estimated image to [-1, 1] before you use it.": _bayes(x, free, betas, t)[0],
                "That is the estimated image; the mean of x_{t-1} also depends on x_t.": np.clip(free, -1, 1),
            },
            otherwise="μ̃ = √ᾱ_{t-1} β_t / (1 - ᾱ_t) · x̂_0 + √α_t (1 - ᾱ_{t-1}) / (1 - ᾱ_t) · x_t, and ᾱ_0 = 1.",
        )
        expect_close(value[0], mean, shown=f"{shown}[0]", hint=hint)
        beta = betas[t - 1]
        with np.errstate(divide="ignore"):
            upside_down = beta / np.sqrt(1 - beta) / std if t > 1 else np.inf
        hint = likely_mistake(
            value[1],
            {
                "That is the variance; its root is wanted.": std**2,
                "The ratio is upside down: it is (1 - ᾱ_{t-1}) / (1 - ᾱ_t), below 1.": upside_down,
                "√β_t is the step forward; back, x_0 is known as well, and the variance is less.": np.sqrt(beta),
            },
            otherwise="The deviation is √(β_t (1 - ᾱ_{t-1}) / (1 - ᾱ_t)), which is 0 at t = 1.",
        )
        expect_close(value[1], std, shown=f"{shown}[1]", hint=hint)
    passed("the step back has the mean and the deviation of Bayes' rule")


def check_bound_weights(bound_weights: Callable) -> None:
    """Check `bound_weights(betas)` against the divergence of two steps whose predictions differ by 1."""
    rng = np.random.default_rng(2)
    for steps in (6, 30):
        betas = rng.uniform(0.01, 0.3, steps)
        shown = f"bound_weights(betas ({steps},))"
        value = call(bound_weights, betas, shown=shown)
        times = range(2, steps + 1)
        weights = np.array([_divergence(betas, t) for t in times])
        signal, rate = np.array([_by_the_chain(betas[:t]) for t in range(1, steps + 1)]).T
        snr = (signal / rate) ** 2
        hint = likely_mistake(
            value,
            {
                "One half is missing: the divergence is |difference|² / (2 variance).": 2 * weights,
                "That is the weight of the error of x_0; the noise's is SNR_t times smaller.": (snr[:-1] - snr[1:]) / 2,
                "The ratio is SNR_{t-1} / SNR_t, above 1.": (snr[1:] / snr[:-1] - 1) / 2,
                "SNR is ᾱ / (1 - ᾱ), without roots.": (np.sqrt(snr[:-1] / snr[1:]) - 1) / 2,
            },
            otherwise="w_t = (SNR_{t-1} / SNR_t - 1) / 2 with SNR_t = ᾱ_t / (1 - ᾱ_t), for t = 2 ... T.",
        )
        expect_close(value, weights, shown=shown, hint=hint)
    passed("the weights are those of the bound")


def _by_the_chain(betas) -> tuple[float, float]:
    """Return the signal rate and the noise rate after these steps, one step at a time."""
    signal, variance = 1.0, 0.0
    for beta in betas:
        signal, variance = np.sqrt(1 - beta) * signal, (1 - beta) * variance + beta
    return signal, np.sqrt(variance)


def _mix(image, noise, signal, rate):
    signal, rate = (each.reshape(-1, 1, 1, 1) for each in (signal, rate))
    return signal * image + rate * noise


def _bayes(x, image, betas, t):
    """Return the mean and the deviation of x_{t-1}: the precisions of x_t given it, and of it given x_0, add."""
    signal, rate = _by_the_chain(betas[: t - 1])
    if rate == 0:
        return image, 0.0
    beta = betas[t - 1]
    precision = (1 - beta) / beta + 1 / rate**2
    return (np.sqrt(1 - beta) * x / beta + signal * image / rate**2) / precision, 1 / np.sqrt(precision)


def _divergence(betas, t):
    """Return |difference of the means|² / (2 variance) of two steps back whose noises differ by 1."""
    signal, rate = _by_the_chain(betas[:t])
    (mean, std), (other, _) = (_bayes(0.0, -rate / signal * noise, betas, t) for noise in (0.0, 1.0))
    return (mean - other) ** 2 / (2 * std**2)
