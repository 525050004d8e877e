"""Precision and recall of a generator: are its images like real ones, and does it reach all of these?"""

from typing import NamedTuple

import keras
import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from gencourse.guard import check_whole
from gencourse.metrics.two_sided_score import StoredFeatures

ROWS_AT_ONCE = 1000


class Scores(NamedTuple):
    """Two shares in [0, 1]."""

    precision: float
    recall: float


def share_covered(points, reference, neighbours: int) -> float:
    """The share of points that lie in the region of a reference sample.

    The region is the union of balls round the reference points, each reaching to the point's k-th nearest neighbour in
    the sample.

    Args:
        points: (n, d).
        reference: (m, d), m > k.
        neighbours: k.

    Source: Kynkäänniemi et al., "Improved Precision and Recall Metric", 2019, equations 1 and 2.
    """
    radii = cKDTree(reference).query(reference, k=neighbours + 1)[0][:, -1]  # the nearest of all is the point itself
    blocks = np.array_split(points, 1 + len(points) // ROWS_AT_ONCE)
    return float(np.concatenate([(cdist(block, reference) <= radii).any(axis=1) for block in blocks]).mean())


class PrecisionRecall(StoredFeatures):
    """Precision: the share of generated images in the region of the real ones. Recall: the other way round.

    Args:
        features: a model from images to vectors; by default the judge's 64 features.
        neighbours: k, which sets the regions' size; at least 1.

    Source: Kynkäänniemi et al., "Improved Precision and Recall Metric", 2019, with another network.
    """

    def __init__(self, features: keras.Model | None = None, neighbours: int = 3):
        check_whole(neighbours, "neighbours", least=1)
        super().__init__(features)
        self.neighbours = neighbours
        self.fewest = neighbours + 1

    def result(self) -> Scores:
        """Return (precision, recall).

        Raises:
            ValueError: there are not more than k images of either kind.
        """
        real, generated = self._both()
        return Scores(
            precision=share_covered(generated, real, self.neighbours),
            recall=share_covered(real, generated, self.neighbours),
        )
