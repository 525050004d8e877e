"""Denoising diffusion implicit models: steps without noise, which can be long, and undone."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from keras import ops

from gencourse.diffusion.sampler import Sampler, next_rates


@dataclass(frozen=True)
class DDIMSampler(Sampler):
    """Puts the estimated image and the estimated noise together again at the next level.

        x_s = signal_s x_0 + √(noise_s² - std²) ε + std · z,   z ~ N(0, I)
        std² = eta² · noise_s² / noise_t² · (1 - signal_t² / signal_s²)

    With eta = 0 this is Euler's method for the probability flow dx̄/dσ = ε, x̄ = x / signal, σ = noise / signal.

    Args:
        eta: in [0, 1]; 0 adds no noise, 1 is the ancestral sampler.

    Source: Song, Meng and Ermon, "Denoising Diffusion Implicit Models", 2021, equations 12, 14 and 16.
    """

    eta: float = 0.0

    def __post_init__(self):
        if not 0 <= self.eta <= 1:
            raise ValueError(f"eta is {self.eta}; accepted is a number in [0, 1].")

    @property
    def noisy(self) -> bool:
        """Whether each step adds noise."""
        return self.eta > 0

    def plan(self, signal_rates, noise_rates):
        """Return rows signal_t, noise_t, signal_s, √(noise_s² - std²), std."""
        signal, noise = next_rates(signal_rates, noise_rates)
        std = self.eta * noise / noise_rates * np.sqrt(1 - (signal_rates / signal) ** 2)
        return np.stack([signal_rates, noise_rates, signal, np.sqrt(noise**2 - std**2), std], axis=-1)

    def step(self, denoise, x, row, noise):
        """Return x_s."""
        image, estimated_noise = denoise(x, row[0], row[1])
        x = row[2] * image + row[3] * estimated_noise
        return x + row[4] * noise if self.noisy else x

    def plan_encoding(self, signal_rates, noise_rates):
        """Return rows signal_t, noise_t, signal_t / signal_s, noise_t - noise_s signal_t / signal_s, upwards."""
        signal, noise = next_rates(signal_rates, noise_rates)
        ratio = signal_rates / signal
        return np.stack([signal_rates, noise_rates, ratio, noise_rates - noise * ratio], axis=-1)[::-1]

    def encode(self, denoise: Callable, x, plan, iterations):
        """Return the noise (n, ...) from which the walk with eta = 0 leads to given images: one loop, to be compiled.

        A step of the walk, solved for where it came from, is an equation with x_t on both sides,

            x_t = signal_t / signal_s · x_s + (noise_t - noise_s signal_t / signal_s) · ε(x_t)

        which is iterated from x_t = x_s on. One iteration is the usual encoding, with an error like that of the steps.

        Args:
            denoise: as in `Sampler`.
            x: images (n, ...), clean.
            plan: of `plan_encoding`, float32.
            iterations: of the equation at each level, at least 1.
        """

        def solve(row, x):
            def iterate(_, guess):
                return row[2] * x + row[3] * denoise(guess, row[0], row[1])[1]

            return ops.fori_loop(0, iterations, iterate, x)

        return ops.fori_loop(0, ops.shape(plan)[0], lambda i, x: solve(plan[i], x), x)
