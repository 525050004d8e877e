"""How many modes of a known mixture a sampler reaches, and how many of its points lie on one."""

from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree


class Coverage(NamedTuple):
    """The number of modes reached, and the share of points on a mode."""

    modes: int
    high_quality: float


class ModeCoverage:
    """Counts points within `reach` standard deviations of the modes of a mixture.

    A point is of high quality if it lies that close to a mode, and a mode is reached if a point does.

    Args:
        modes: (K, d), the means.
        std: the standard deviation of every mode, above 0.
        reach: in standard deviations, above 0.

    Source: Lin et al., "PacGAN", 2018, section 4.1.
    """

    def __init__(self, modes, std: float, reach: float = 3.0):
        if not (std > 0 and reach > 0):
            raise ValueError(f"std is {std} and reach {reach}; accepted are numbers > 0.")
        self.modes = np.asarray(modes, "float64")
        self.std, self.reach = std, reach
        self._tree = cKDTree(self.modes)
        self.reset_state()

    def update_state(self, points) -> None:
        """Add points (n, d).

        Raises:
            ValueError: another shape, or a point that is not finite.
        """
        points = np.asarray(points, "float64")
        if points.ndim != 2 or points.shape[1] != self.modes.shape[1] or not np.isfinite(points).all():
            raise ValueError(f"Points {points.shape}; accepted are finite points (n, {self.modes.shape[1]}).")
        distance, nearest = self._tree.query(points)
        close = distance <= self.reach * self.std
        self.reached[nearest[close]] = True
        self.close += close.sum()
        self.count += len(points)

    def result(self) -> Coverage:
        """Return (modes, high_quality).

        Raises:
            ValueError: no point was added.
        """
        if not self.count:
            raise ValueError("0 points; accepted is 1 and more.")
        return Coverage(int(self.reached.sum()), float(self.close / self.count))

    def reset_state(self) -> None:
        """Forget all points."""
        self.reached = np.zeros(len(self.modes), bool)
        self.close = self.count = 0
