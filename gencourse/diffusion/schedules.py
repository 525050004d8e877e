"""How much noise there is at each of T times: three schedules, all of which keep the variance of unit data at 1."""

import inspect

import keras
import numpy as np

from gencourse.guard import check_whole

LARGEST_BETA = 0.999  # of one step; 1 would leave nothing of the image, and a division by 0 on the way back


class Schedule:
    """Noise rates that rise with the time t = 0..T, and signal rates that fall.

        x_t = signal_rates[t] · x_0 + noise_rates[t] · ε,   ε ~ N(0, I),   signal_rates² + noise_rates² = 1

    A subclass keeps its constructor's arguments under their names, the first of which is `steps`, T.

    Attributes:
        signal_rates: (T + 1,), float64, from 1 to almost 0; often called √ᾱ_t.
        noise_rates: (T + 1,), float64, from 0 to almost 1; often called √(1 - ᾱ_t).
    """

    def __init__(self, steps: int, signal_rates: np.ndarray, noise_rates: np.ndarray):
        self.steps = steps
        self.signal_rates = signal_rates
        self.noise_rates = noise_rates

    @property
    def betas(self) -> np.ndarray:
        """β_t of q(x_t | x_{t-1}) = N(√(1 - β_t) x_{t-1}, β_t I), (T,): the first is that of t = 1."""
        return 1 - (self.signal_rates[1:] / self.signal_rates[:-1]) ** 2

    def levels(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the signal rates and the noise rates at some of the times, with T first and then evenly down.

        Args:
            steps: how many, 1 to T.

        Raises:
            ValueError: no such number.
        """
        check_whole(steps, "steps", least=1)
        if steps > self.steps:
            raise ValueError(
                f"steps is {steps}; accepted is at most {self.steps}, the number of times of the schedule."
            )
        times = np.arange(steps, 0, -1) * self.steps // steps  # T, ..., T // steps
        return self.signal_rates[times], self.noise_rates[times]

    def get_config(self) -> dict:
        """Return the constructor's arguments."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    @classmethod
    def from_config(cls, config: dict):
        """Build the schedule from what `get_config` returned."""
        return cls(**config)


def _rates(betas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Signal rates √Π (1 - β) and noise rates from t = 0 on, for betas that are cut at LARGEST_BETA."""
    kept = np.cumprod([1, *(1 - np.minimum(betas, LARGEST_BETA))])  # ᾱ_t
    return np.sqrt(kept), np.sqrt(1 - kept)


@keras.saving.register_keras_serializable(package="gencourse")
class LinearSchedule(Schedule):
    """β_t rises linearly from `first` to `last` for 1,000 steps.

    For another number of steps both are scaled by 1000 / steps, so that as much noise is there at the end.

    Args:
        steps: T, at least 2.
        first: β_1 of 1,000 steps, above 0.
        last: β_1000 of 1,000 steps, above `first` and below 1.

    Source: Ho, Jain and Abbeel, "Denoising Diffusion Probabilistic Models", 2020, section 4.
    """

    def __init__(self, steps: int = 1000, first: float = 1e-4, last: float = 0.02):
        check_whole(steps, "steps", least=2)
        if not 0 < first < last < 1:
            raise ValueError(f"first is {first}, last is {last}; accepted are 0 < first < last < 1.")
        super().__init__(steps, *_rates(np.linspace(first, last, steps) * 1000 / steps))
        self.first = first
        self.last = last


@keras.saving.register_keras_serializable(package="gencourse")
class CosineSchedule(Schedule):
    """The signal's share of the variance falls as a squared cosine.

        ᾱ_t = f(t) / f(0),   f(t) = cos²(π/2 · (t / T + offset) / (1 + offset)),   β_t = 1 - ᾱ_t / ᾱ_{t-1} <= 0.999

    Args:
        steps: T, at least 1.
        offset: above 0; keeps β_1 from being too small to learn from.

    Source: Nichol and Dhariwal, "Improved Denoising Diffusion Probabilistic Models", 2021, equation 17.
    """

    def __init__(self, steps: int = 1000, offset: float = 0.008):
        check_whole(steps, "steps", least=1)
        if not offset > 0:
            raise ValueError(f"offset is {offset}; accepted is a number above 0.")
        f = np.cos(np.pi / 2 * (np.arange(steps + 1) / steps + offset) / (1 + offset)) ** 2
        super().__init__(steps, *_rates(1 - f[1:] / f[:-1]))
        self.offset = offset


@keras.saving.register_keras_serializable(package="gencourse")
class KarrasSigmas(Schedule):
    """Ratios σ = noise / signal, evenly spaced in σ^(1 / rho).

        σ_t = (lowest^(1/rho) + (t - 1) / (T - 1) · (highest^(1/rho) - lowest^(1/rho)))^rho,   t = 1..T

    The paper adds σ ε to an image that keeps its size; here both are divided by √(1 + σ²). `levels(steps)` spaces any
    number of them anew, from `highest` to `lowest`.

    Args:
        steps: T, at least 1.
        lowest: σ_1, above 0.
        highest: σ_T, above `lowest`, for data of a standard deviation near 0.5.
        rho: at least 1; the larger, the more of the times have little noise.

    Source: Karras et al., "Elucidating the Design Space of Diffusion-Based Generative Models", 2022, equation 5.
    """

    def __init__(self, steps: int = 1000, lowest: float = 0.002, highest: float = 80.0, rho: float = 7.0):
        check_whole(steps, "steps", least=1)
        if not (0 < lowest < highest < np.inf and 1 <= rho < np.inf):
            raise ValueError(
                f"lowest is {lowest}, highest {highest}, rho {rho}; accepted are 0 < lowest < highest and rho >= 1."
            )
        self.lowest = lowest
        self.highest = highest
        self.rho = rho
        signal_rates, noise_rates = self.levels(steps)
        super().__init__(steps, np.append(1.0, signal_rates[::-1]), np.append(0.0, noise_rates[::-1]))

    def levels(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the signal rates and the noise rates of `steps` ratios, spaced anew, with `highest` first.

        Args:
            steps: how many, at least 1.

        Raises:
            ValueError: no such number.
        """
        check_whole(steps, "steps", least=1)
        sigmas = np.linspace(self.highest ** (1 / self.rho), self.lowest ** (1 / self.rho), steps) ** self.rho
        return 1 / np.hypot(1, sigmas), sigmas / np.hypot(1, sigmas)
