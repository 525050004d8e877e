"""Bits per dimension: a likelihood that does not grow with the size of the image."""

import math

import keras
from keras import ops


def bits_per_dimension(log_prob, dimensions: int):
    """Convert nats an item: bits/dim = -log p(x) / (D ln 2).

    Args:
        log_prob: log p(x) in nats, of any shape; of the discrete values, or a bound of that.
        dimensions: D, the number of values of one item: height · width · channels.

    Returns:
        Numbers of the same shape. Pixels of 256 levels that are all equally probable cost 8.
    """
    return -log_prob / (dimensions * math.log(2))


@keras.saving.register_keras_serializable(package="gencourse")
class BitsPerDimension(keras.metrics.Mean):
    """The mean of `bits_per_dimension` over all items seen.

    Args:
        dimensions: D, the number of values of one item.
    """

    def __init__(self, dimensions: int, name: str = "bits_per_dimension", **kwargs):
        super().__init__(name=name, **kwargs)
        self.dimensions = dimensions

    def update_state(self, log_prob, sample_weight=None):
        """Add a batch.

        Args:
            log_prob: (n,), nats an item.
            sample_weight: (n,), or None.
        """
        return super().update_state(bits_per_dimension(ops.convert_to_tensor(log_prob), self.dimensions), sample_weight)

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "dimensions": self.dimensions}
