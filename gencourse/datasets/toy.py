"""Sources with a known density and a known entropy: what a model can reach at best is a number.

A model q fitted to a source p has the expected negative log-likelihood H(p) + KL(p || q): its distance above
`entropy()` is its divergence, in nats. The planar densities draw points (n, 2); `GrammarText` draws sentences.
"""

from functools import cached_property
from math import log, pi

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from gencourse.datasets.grammar import GrammarText, check_draw

__all__ = ["Checkerboard", "EightGaussians", "GaussianGrid", "GrammarText", "Spiral", "TwoMoons"]


class PlanarDensity:
    """A density p(x) on the plane; subclasses give `_draw`, `_log_density`, `entropy` and `extent`.

    Attributes:
        extent: (x0, x1, y0, y1), a rectangle that holds all but 1e-12 of the probability.
    """

    def sample(self, n, seed):
        """Draw n independent points.

        Args:
            n: number of points, at least 1.
            seed: whole number, at least 0; the same seed gives the same points.

        Returns:
            float32 array (n, 2).

        Raises:
            ValueError: n or seed is not such a whole number.
        """
        check_draw(n, seed)
        return self._draw(n, np.random.default_rng(seed)).astype("float32")

    def log_prob(self, x):
        """log p(x) in nats.

        Args:
            x: finite array (n, 2).

        Returns:
            float64 array (n,); -inf where the density is 0.

        Raises:
            ValueError: x has another shape, or holds NaN or infinity.
        """
        x = np.asarray(x, dtype="float64")
        if x.ndim != 2 or x.shape[1] != 2:
            raise ValueError(f"log_prob takes points of shape (n, 2), got {x.shape}")
        if not np.isfinite(x).all():
            raise ValueError("log_prob takes finite points, got NaN or infinity")
        return self._log_density(x)


class _GaussianMixture(PlanarDensity):
    """p(x) = Σ_k weights_k N(x; centres_k, std² I)."""

    def __init__(self, centres, weights, std):
        self.std = std
        self._centres, self._log_weights = centres, np.log(weights)  # (K, 2), (K,)
        (x0, y0), (x1, y1) = (centres.min(axis=0) - 8 * std).tolist(), (centres.max(axis=0) + 8 * std).tolist()
        self.extent = (x0, x1, y0, y1)

    def _log_density(self, x):
        log_normal = -log(2 * pi * self.std**2)
        blocks = np.split(x, range(4096, len(x), 4096))  # bounds the memory of the (block, K) exponents
        exponents = (-cdist(block, self._centres, "sqeuclidean") / (2 * self.std**2) for block in blocks)
        return log_normal + np.concatenate([logsumexp(e + self._log_weights, axis=1) for e in exponents])


class _SeparatedGaussians(_GaussianMixture):
    """Equal Gaussians whose modes lie many standard deviations apart.

    Attributes:
        modes: array (K, 2), the means.
        std: standard deviation of each coordinate round its mean.
    """

    def __init__(self, modes, std):
        super().__init__(modes, np.full(len(modes), 1 / len(modes)), std)
        self.modes = modes

    def _draw(self, n, rng):
        return self.modes[rng.integers(len(self.modes), size=n)] + self.std * rng.standard_normal((n, 2))

    def entropy(self):
        """H = ln K + 1 + ln(2 π std²) nats: which mode, then where round it.

        Overlap makes this too large by E[ln Σ_j N_j(x) / N_k(x)] <= (K - 1) exp(-d² / (8 std²)), with d the least
        distance of two modes and k the mode of x: below 2e-12 for `EightGaussians`, 1e-80 for `GaussianGrid`.
        """
        return log(len(self.modes)) + 1 + log(2 * pi * self.std**2)


class EightGaussians(_SeparatedGaussians):
    """Eight equal Gaussians of standard deviation 0.1, evenly round a circle of radius 2."""

    def __init__(self):
        angle = np.arange(8) * pi / 4
        super().__init__(2 * np.stack([np.cos(angle), np.sin(angle)], axis=1), std=0.1)


class GaussianGrid(_SeparatedGaussians):
    """Twenty-five equal Gaussians of standard deviation 0.05, at (x, y) with x, y in {-4, -2, 0, 2, 4}.

    Source: the 2D-grid of Lin, Khetan, Fanti and Oh, "PacGAN", 2018.
    """

    def __init__(self):
        steps = np.arange(-4.0, 5.0, 2.0)
        super().__init__(np.stack(np.meshgrid(steps, steps), axis=-1).reshape(25, 2), std=0.05)


class _NoisyCurve(_GaussianMixture):
    """x = curve_a(u) + std ε, with arm a and u in [0, 1] uniform and ε standard normal.

    p(x) = mean_a ∫_0^1 N(x; curve_a(u), std² I) du. Gauss-Legendre quadrature with 512 nodes an arm turns the
    integral into a mixture of Gaussians; inside `extent` its log is exact to 1e-9.
    """

    def __init__(self, std):
        node, weight = np.polynomial.legendre.leggauss(512)  # on [-1, 1], weights sum to 2
        arms = self._arms((node + 1) / 2)  # (arms, 512, 2)
        super().__init__(arms.reshape(-1, 2), np.tile(weight / 2, len(arms)) / len(arms), std)

    def _draw(self, n, rng):
        arms = self._arms(rng.random(n))  # (arms, n, 2)
        return arms[rng.integers(len(arms), size=n), np.arange(n)] + self.std * rng.standard_normal((n, 2))

    def entropy(self):
        """H = -∫ p ln p in nats, by the trapezoidal rule at steps of at most std / 4: exact to 1e-9; cached."""
        return self._entropy

    @cached_property
    def _entropy(self):
        x0, x1, y0, y1 = self.extent
        x, dx = np.linspace(x0, x1, 1 + int(np.ceil(4 * (x1 - x0) / self.std)), retstep=True)
        y, dy = np.linspace(y0, y1, 1 + int(np.ceil(4 * (y1 - y0) / self.std)), retstep=True)
        log_p = self._log_density(np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2))
        return float(-np.sum(np.exp(log_p) * log_p) * dx * dy)  # p vanishes on the border


class TwoMoons(_NoisyCurve):
    """Two interleaved half circles of radius 1, blurred by Gaussian noise of standard deviation 0.1."""

    def __init__(self):
        super().__init__(std=0.1)

    def _arms(self, u):
        cos, sin = np.cos(pi * u), np.sin(pi * u)
        return np.stack([np.stack([cos, sin], axis=1), np.stack([1 - cos, 0.5 - sin], axis=1)])


class Spiral(_NoisyCurve):
    """One and three quarter turns of the spiral r = θ / 2π, from r = 1/4 to 2, with noise of standard deviation 0.1.

    r² is uniform, which spreads the points almost evenly along the curve.
    """

    def __init__(self):
        super().__init__(std=0.1)

    def _arms(self, u):
        r = np.sqrt((1 - u) * 0.25**2 + u * 2**2)
        return (r * np.stack([np.cos(2 * pi * r), np.sin(2 * pi * r)])).T[None]


class Checkerboard(PlanarDensity):
    """Uniform on the eight dark unit squares of a 4 by 4 board on [-2, 2]²: p(x) = 1/8 there, 0 elsewhere."""

    extent = (-2.5, 2.5, -2.5, 2.5)

    def _draw(self, n, rng):
        column, row = rng.integers(4, size=n), rng.integers(2, size=n)
        corner = np.stack([column, 2 * row + column % 2], axis=1) - 2
        # Odd multiples of 2^-23 are exact in float32: no point is rounded onto the edge of a white square.
        return corner + (rng.integers(2**22, size=(n, 2)) + 0.5) / 2**22

    def _log_density(self, x):
        dark = (np.floor(x).sum(axis=1) % 2 == 0) & (np.abs(x) < 2).all(axis=1)
        return np.where(dark, -log(8), -np.inf)

    def entropy(self):
        """H = ln 8 nats, the log of the dark area."""
        return log(8)
