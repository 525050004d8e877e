"""The Fréchet distance between real and generated images, seen through a feature network."""

import numpy as np

from gencourse.metrics.two_sided_score import TwoSidedScore


def frechet_distance(mean, covariance, other_mean, other_covariance) -> float:
    """The squared Fréchet (2-Wasserstein) distance of two normal distributions.

        d² = |m₁ - m₂|² + tr(C₁ + C₂ - 2 (C₁ C₂)^½)

    The trace of the root is the sum of the roots of the eigenvalues of C₁^½ C₂ C₁^½, which is symmetric: nothing
    complex appears, also where the covariances are singular.

    Args:
        mean: (d,).
        covariance: (d, d), symmetric and positive semidefinite.
        other_mean: (d,).
        other_covariance: (d, d).

    Source: Dowson and Landau, "The Fréchet distance between multivariate normal distributions", 1982.
    """
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T  # rounding leaves tiny negative eigenvalues
    product = np.linalg.eigvalsh(root @ other_covariance @ root)
    trace_of_root = np.sqrt(np.maximum(product, 0)).sum()
    distance = np.sum((mean - other_mean) ** 2) + np.trace(covariance) + np.trace(other_covariance) - 2 * trace_of_root
    return float(max(distance, 0.0))


class RunningNormal:
    """The mean and the covariance of all vectors seen, merged batch by batch without cancellation.

    Source: Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983.
    """

    def __init__(self):
        self.count = 0

    def update(self, vectors: np.ndarray) -> None:
        """Add a batch (n, d)."""
        n, mean = len(vectors), vectors.mean(axis=0)
        scatter = (vectors - mean).T @ (vectors - mean)
        if not self.count:
            self.count, self.mean, self.scatter = n, mean, scatter
            return
        total, difference = self.count + n, mean - self.mean
        self.scatter = self.scatter + scatter + np.outer(difference, difference) * self.count * n / total
        self.mean = self.mean + difference * n / total
        self.count = total

    @property
    def covariance(self) -> np.ndarray:
        """The unbiased covariance (d, d), of at least two vectors."""
        return self.scatter / (self.count - 1)


class FrechetDistance(TwoSidedScore):
    """The Fréchet distance of the features of real and of generated images, each taken as a normal distribution.

    It falls with the number of images: compare only scores of equally many, and print what two halves of the real
    images give, the floor.

    Args:
        features: a model from images to vectors; by default the judge's 64 features.

    Source: Heusel et al., "GANs Trained by a Two Time-Scale Update Rule", 2017, with another network.
    """

    def result(self) -> float:
        """Return the squared distance, at least 0.

        Raises:
            ValueError: fewer than two images of either kind were added.
        """
        self._require_enough()
        real, generated = self.normals["real"], self.normals["generated"]
        return frechet_distance(real.mean, real.covariance, generated.mean, generated.covariance)

    def reset_state(self) -> None:
        """Forget all images."""
        super().reset_state()
        self.normals = {"real": RunningNormal(), "generated": RunningNormal()}

    def _add(self, side, vectors):
        self.normals[side].update(vectors)
