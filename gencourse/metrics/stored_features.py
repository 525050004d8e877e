"""What the scores that compare every image with every other share: the features of all of them, kept."""

import keras
import numpy as np

from gencourse.metrics.feature_network import apply, judge_features


class StoredFeatures:
    """Keeps the features of real and of generated images until a subclass makes its result of them.

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
                self._kept[side].append(apply(self.features, images))

    def reset_state(self) -> None:
        """Forget all images."""
        self._kept: dict[str, list[np.ndarray]] = {"real": [], "generated": []}

    def _both(self) -> tuple[np.ndarray, np.ndarray]:
        """The features of all real and of all generated images.

        Raises:
            ValueError: fewer than `fewest` images of either kind were added.
        """
        counts = {side: sum(map(len, batches)) for side, batches in self._kept.items()}
        if min(counts.values()) < self.fewest:
            raise ValueError(
                f"{counts['real']} real and {counts['generated']} generated images; "
                f"accepted are {self.fewest} of each and more."
            )
        return np.concatenate(self._kept["real"]), np.concatenate(self._kept["generated"])
