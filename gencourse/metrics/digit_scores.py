"""The four scores that every generator of digits in the course is given, by one protocol."""

from typing import NamedTuple

import numpy as np

from gencourse.metrics.feature_network import judge_features
from gencourse.metrics.frechet import FrechetDistance
from gencourse.metrics.inception_score import InceptionScore
from gencourse.metrics.precision_recall import PrecisionRecall

BATCH_SIZE = 500


class DigitScores(NamedTuple):
    """Fréchet distance, inception score, precision and recall, all as the judge sees digits."""

    frechet: float
    inception: float
    precision: float
    recall: float


def score_digits(generated, real) -> DigitScores:
    """Return the scores of generated digits beside as many real ones; the course takes 2,000 of each.

    Args:
        generated: (n, 28, 28, 1) in [0, 1].
        real: (n, 28, 28, 1) in [0, 1], which no generator was trained on.

    Raises:
        ValueError: there are not equally many, fewer than 4, or they are no digits in [0, 1].
    """
    generated, real = np.asarray(generated), np.asarray(real)
    if len(generated) != len(real):
        raise ValueError(f"{len(generated)} generated and {len(real)} real digits; accepted are equally many.")
    features = judge_features()
    distance, regions, inception = FrechetDistance(features), PrecisionRecall(features), InceptionScore()
    for start in range(0, len(real), BATCH_SIZE):
        rows = slice(start, start + BATCH_SIZE)
        distance.update_state(real=real[rows], generated=generated[rows])
        regions.update_state(real=real[rows], generated=generated[rows])
        inception.update_state(generated[rows])
    return DigitScores(distance.result(), inception.result(), *regions.result())
