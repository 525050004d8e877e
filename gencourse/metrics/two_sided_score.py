"""What the scores share that set generated images beside real ones."""

from abc import ABC, abstractmethod

import keras
import numpy as np

from gencourse.metrics.feature_network import apply, judge_features


class TwoSidedScore(ABC):
    """Takes batches of real and of generated images, and hands their features to a subclass.

    Args:
        features: a model from images to vectors; by default the judge's 64 features.
    """

    fewest = 2  # images of each kind

    def __init__(self, features: keras.Model | None = None):
        self.features = features or judge_features()
        self.reset_state()

    def update_state(self, real=None, generated=None) -> None:
        """Add a batch of real images, of generated images, or of both; (n, h, w, c) in [0, 1].

        Raises:
            ValueError: the images do not fit the feature network, or leave [0, 1].
        """
        for side, images in (("real", real), ("generated", generated)):
            if images is not None and len(images):
                self._add(side, apply(self.features, images))
                self.counts[side] += len(images)

    def reset_state(self) -> None:
        """Forget all images."""
        self.counts = {"real": 0, "generated": 0}

    @abstractmethod
    def _add(self, side: str, vectors: np.ndarray) -> None:
        """Take in the features (n, d) of images of one side, "real" or "generated"."""

    def _require_enough(self) -> None:
        """Refuse to make a result of fewer than `fewest` images of either kind.

        Raises:
            ValueError: there are fewer.
        """
        if min(self.counts.values()) < self.fewest:
            raise ValueError(
                f"{self.counts['real']} real and {self.counts['generated']} generated images; "
                f"accepted are {self.fewest} of each and more."
            )


class StoredFeatures(TwoSidedScore):
    """Keeps the features of all images, for scores that compare each with every other."""

    def reset_state(self) -> None:
        """Forget all images."""
        super().reset_state()
        self._kept: dict[str, list[np.ndarray]] = {"real": [], "generated": []}

    def _add(self, side, vectors):
        self._kept[side].append(vectors)

    def _both(self) -> tuple[np.ndarray, np.ndarray]:
        """The features of all real and of all generated images."""
        self._require_enough()
        return np.concatenate(self._kept["real"]), np.concatenate(self._kept["generated"])
