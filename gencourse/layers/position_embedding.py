"""A vector for each position, learnt like those of the tokens."""

import keras
from keras import ops

from gencourse.guard import check_whole


@keras.saving.register_keras_serializable(package="gencourse")
class PositionEmbedding(keras.layers.Layer):
    """A table of vectors, one for each position up to a largest.

    Args:
        positions: how many there are, at least 1.
        dim: the size of a vector, at least 1.

    Source: Radford et al., "Improving Language Understanding by Generative Pre-Training" (GPT), 2018, section 3.1.
    """

    def __init__(self, positions: int, dim: int, **kwargs):
        super().__init__(**kwargs)
        check_whole(positions, "positions", least=1)
        check_whole(dim, "dim", least=1)
        self.positions = positions
        self.dim = dim
        start = keras.initializers.RandomNormal(stddev=0.02)
        self.table = self.add_weight(shape=(positions, dim), initializer=start, name="table")
        self.built = True

    def call(self, positions):
        """Return the vectors (..., dim) of positions (...), whole numbers in 0..`positions` - 1."""
        return ops.take(ops.cast(self.table, self.compute_dtype), positions, axis=0)

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "positions": self.positions, "dim": self.dim}
