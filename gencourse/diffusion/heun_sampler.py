"""A second look at every step: Heun's method for the probability flow."""

from dataclasses import dataclass

import numpy as np

from gencourse.diffusion.sampler import Sampler, next_rates


@dataclass(frozen=True)
class HeunSampler(Sampler):
    """Goes a step as DDIM does, looks at the noise there, and goes again with the mean of both estimates.

        dx̄/dσ = ε(x̄, σ),   x̄ = x / signal,   σ = noise / signal
        x̄_s = x̄_t + (σ_s - σ_t) · (ε_t + ε_s) / 2

    The error falls with the square of the number of steps, each of which asks the network twice; the last asks once.
    Made for levels as in `KarrasSigmas`: where σ_t is in the thousands, as at the end of the cosine schedule, the first
    step multiplies the network's errors.

    Source: Karras et al., "Elucidating the Design Space of Diffusion-Based Generative Models", 2022, algorithm 1.
    """

    def plan(self, signal_rates, noise_rates):
        """Return rows signal_t, noise_t, signal_s, noise_s, signal_s (σ_s - σ_t) / 2."""
        signal, noise = next_rates(signal_rates, noise_rates)
        half = signal * (noise / signal - noise_rates / signal_rates) / 2
        return np.stack([signal_rates, noise_rates, signal, noise, half], axis=-1)

    def step(self, denoise, x, row, noise):
        """Return x_s."""
        image, first = denoise(x, row[0], row[1])
        euler = row[2] * image + row[3] * first
        _, second = denoise(euler, row[2], row[3])
        return euler + row[4] * (second - first)
