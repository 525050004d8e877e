"""The kernel distance between real and generated images, unbiased at any number of them."""

import numpy as np

from gencourse.metrics.two_sided_score import StoredFeatures


def polynomial_kernel(x, y):
    """k(x, y) = (x · y / d + 1)³ for every pair of rows: (n, d) and (m, d) → (n, m)."""
    return (x @ y.T / x.shape[1] + 1) ** 3


def squared_mmd(x, y) -> float:
    """Estimate the squared maximum mean discrepancy of two samples, without bias; it may be below 0.

        MMD² = Σ_{i≠j} k(x_i, x_j) / n(n-1) + Σ_{i≠j} k(y_i, y_j) / m(m-1) - 2 Σ_ij k(x_i, y_j) / nm

    Args:
        x: (n, d), n >= 2.
        y: (m, d), m >= 2.

    Source: Gretton et al., "A Kernel Two-Sample Test", 2012, lemma 6.
    """

    def mean_of_pairs(points):
        kernel = polynomial_kernel(points, points)
        return (kernel.sum() - np.trace(kernel)) / (len(points) * (len(points) - 1))

    return float(mean_of_pairs(x) + mean_of_pairs(y) - 2 * polynomial_kernel(x, y).mean())


class KernelDistance(StoredFeatures):
    """The squared maximum mean discrepancy of the features of real and of generated images, with a cubic kernel.

    Unlike the Fréchet distance it has the same expectation for any number of images, and assumes no normal
    distribution.

    Source: Bińkowski et al., "Demystifying MMD GANs", 2018, with another network and one estimate of all images.
    """

    def result(self) -> float:
        """Return the estimate; 0 in expectation where both kinds have one distribution.

        Raises:
            ValueError: fewer than two images of either kind were added.
        """
        return squared_mmd(*self._both())
