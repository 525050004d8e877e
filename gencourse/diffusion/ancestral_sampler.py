"""The sampler of the first diffusion models: each step draws from the posterior of the less noisy image."""

from dataclasses import dataclass

import numpy as np

from gencourse.diffusion.sampler import Sampler, next_rates


def posterior(signal_rates, noise_rates, next_signal_rates, next_noise_rates):
    """Return the coefficients and the variance of the less noisy x_s, given x_t and the clean image.

        q(x_s | x_t, x_0) = N(a x_0 + b x_t, variance I),   x_t = α x_s + √β ε,   x_s = signal_s x_0 + noise_s ε
        α = signal_t / signal_s,   β = noise_t² - α² noise_s²
        a = signal_s β / noise_t²,   b = α noise_s² / noise_t²,   variance = β noise_s² / noise_t²

    Args:
        signal_rates: signal_t, a float64 array of any shape; so are the others.
        noise_rates: noise_t, above 0.
        next_signal_rates: signal_s.
        next_noise_rates: noise_s, below noise_t.

    Returns:
        a, b and the variance. With s = t - 1 they are those of the paper.

    Source: Ho, Jain and Abbeel, "Denoising Diffusion Probabilistic Models", 2020, equations 6 and 7.
    """
    alpha = signal_rates / next_signal_rates
    beta = noise_rates**2 - alpha**2 * next_noise_rates**2
    share = next_noise_rates**2 / noise_rates**2
    return next_signal_rates * beta / noise_rates**2, alpha * share, beta * share


@dataclass(frozen=True)
class AncestralSampler(Sampler):
    """Draws x_s ~ q(x_s | x_t, x_0) with the estimated x_0, from level to level.

        x_s = a x_0 + b x_t + √variance · z,   z ~ N(0, I);   see `posterior`

    Source: Ho, Jain and Abbeel, "Denoising Diffusion Probabilistic Models", 2020, algorithm 2; over a part of the
        times, Nichol and Dhariwal, "Improved Denoising Diffusion Probabilistic Models", 2021, section 4.
    """

    noisy = True

    def plan(self, signal_rates, noise_rates):
        """Return rows signal_t, noise_t, a, b, √variance."""
        a, b, variance = posterior(signal_rates, noise_rates, *next_rates(signal_rates, noise_rates))
        return np.stack([signal_rates, noise_rates, a, b, np.sqrt(variance)], axis=-1)

    def step(self, denoise, x, row, noise):
        """Return x_s."""
        image, _ = denoise(x, row[0], row[1])
        return row[2] * image + row[3] * x + row[4] * noise
