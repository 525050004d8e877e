"""The way from noise to an image that all samplers share; each has its own step."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
from keras import ops


class Sampler(ABC):
    """Walks from noise to an image through given noise levels, asking at each for the image and the noise in x.

    A sampler knows neither the schedule, of which it gets two arrays, nor the network, of which it gets a function

        denoise(x, signal_rate, noise_rate) → x_0, ε,   x = signal_rate · x_0 + noise_rate · ε

    that estimates both parts of x (n, ...). What each step needs besides is planned before, in float64. After the last
    level the walk ends with the image that is estimated there. Samplers of one type and setting are equal.

    Attributes:
        noisy: whether each step adds noise.
    """

    noisy = False

    @abstractmethod
    def plan(self, signal_rates: np.ndarray, noise_rates: np.ndarray) -> np.ndarray:
        """Return a row for each level, (steps, k), that begins with its two rates.

        Args:
            signal_rates: (steps,), rising, such as a schedule's `levels(steps)` gives.
            noise_rates: (steps,), falling, all above 0.
        """

    @abstractmethod
    def step(self, denoise: Callable, x, row, noise):
        """Return x at the next level.

        Args:
            denoise: as above.
            x: (n, ...), at the level of `row`.
            row: (k,), of the plan.
            noise: ~ N(0, I), of the shape of x; None if the sampler is not noisy.
        """

    def walk(self, denoise: Callable, x, plan, noise=None):
        """Return the images (n, ...) at the end of the walk: one loop, to be compiled.

        Args:
            denoise: as above.
            x: (n, ...), at the first level.
            plan: (steps, k), float32.
            noise: (steps - 1 or more, n, ...) ~ N(0, I) if the sampler is noisy.
        """
        last = ops.shape(plan)[0] - 1
        x = ops.fori_loop(0, last, lambda i, x: self.step(denoise, x, plan[i], noise[i] if self.noisy else None), x)
        return denoise(x, plan[last, 0], plan[last, 1])[0]

    def __call__(self, denoise: Callable, x, signal_rates: np.ndarray, noise_rates: np.ndarray, noise=None):
        """Plan and walk; arguments as in `plan` and `walk`."""
        plan = ops.convert_to_tensor(self.plan(signal_rates, noise_rates), "float32")
        return self.walk(denoise, x, plan, noise)


def next_rates(signal_rates: np.ndarray, noise_rates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rates of the level after each; after the last there is the clean image, with rates 1 and 0."""
    return np.append(signal_rates[1:], 1.0), np.append(noise_rates[1:], 0.0)
