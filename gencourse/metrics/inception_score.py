"""The inception score: are generated images clearly of one class each, and of all classes together?"""

import keras
import numpy as np
from scipy.special import xlogy

from gencourse.metrics.feature_network import apply, judge_probabilities


class InceptionScore:
    """exp of the mutual information of a generated image and its class, as a classifier sees it.

        IS = exp(mean_i KL(p(y | x_i) || p(y))),   p(y) = mean_i p(y | x_i)

    From 1, all images look alike to the classifier, to the number of classes. It never looks at real images.

    Args:
        classifier: a model from images to probabilities (n, classes); by default the judge.

    Source: Salimans et al., "Improved Techniques for Training GANs", 2016, section 4, with another network.
    """

    def __init__(self, classifier: keras.Model | None = None):
        self.classifier = classifier or judge_probabilities()
        self.reset_state()

    def update_state(self, generated) -> None:
        """Add a batch of generated images (n, h, w, c) in [0, 1].

        Raises:
            ValueError: the images do not fit the classifier, or its outputs are no probabilities.
        """
        p = apply(self.classifier, generated)
        if p.min() < 0 or not np.allclose(p.sum(axis=1), 1, atol=1e-3):
            raise ValueError("The classifier's outputs are no probabilities: accepted are rows >= 0 that sum to 1.")
        self.count += len(p)
        self.sum = self.sum + p.sum(axis=0)
        self.negative_entropy += xlogy(p, p).sum()

    def result(self) -> float:
        """Return the score.

        Raises:
            ValueError: no image was added.
        """
        if not self.count:
            raise ValueError("0 images; accepted is 1 and more.")
        marginal = self.sum / self.count
        return float(np.exp(self.negative_entropy / self.count - xlogy(marginal, marginal).sum()))

    def reset_state(self) -> None:
        """Forget all images."""
        self.count, self.sum, self.negative_entropy = 0, 0.0, 0.0
