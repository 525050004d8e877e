"""A number as a vector of waves, so that a network can tell near positions from far ones."""

import keras
from keras import ops

from gencourse.guard import check_whole


@keras.saving.register_keras_serializable(package="gencourse")
class SinusoidalPositionEmbedding(keras.layers.Layer):
    """Waves of a position t, from fast to slow.

        e(t) = [sin(ω_0 t), ..., sin(ω_{h-1} t), cos(ω_0 t), ..., cos(ω_{h-1} t)],   ω_i = max_period^(-i / h)

    with h = dim // 2; an odd `dim` ends with one 0. e(t) · e(t + k) = Σ_i cos(ω_i k) does not depend on t. The output
    is float32 under every precision: float16 does not tell 1000 from 1000.4.

    Args:
        dim: the size of the vector, at least 2.
        max_period: above 1; the slowest wave takes almost 2π times so long.

    Source: Vaswani et al., "Attention Is All You Need", 2017, section 3.5, with all sines before all cosines.
    """

    def __init__(self, dim: int, max_period: float = 10_000.0, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        check_whole(dim, "dim", least=2)
        if not max_period > 1:
            raise ValueError(f"max_period is {max_period}; accepted is a number above 1.")
        self.dim = dim
        self.max_period = max_period
        self.built = True

    def call(self, positions):
        """Return the embeddings (..., dim) of positions (...), any numbers."""
        half = self.dim // 2
        frequencies = self.max_period ** (-ops.arange(half, dtype="float32") / half)
        phases = ops.expand_dims(ops.cast(positions, "float32"), -1) * frequencies
        waves = [ops.sin(phases), ops.cos(phases)]
        if self.dim % 2:
            waves.append(ops.zeros_like(phases[..., :1]))
        return ops.concatenate(waves, axis=-1)

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "dim": self.dim, "max_period": self.max_period}
