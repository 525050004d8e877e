"""Positions as angles: queries and keys are turned, and their product then knows how far apart they are."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="gencourse")
class RotaryPositionEmbedding(keras.layers.Layer):
    """Turns pairs of a vector's numbers by angles that grow with the position p, each pair at its own rate.

        (x_i, x_{i+h}) → (x_i cos ω_i p - x_{i+h} sin ω_i p,  x_{i+h} cos ω_i p + x_i sin ω_i p)
        ω_i = max_period^(-i / h),   h = d / 2,   i = 0..h - 1

    The product of a query at p and a key at q, both turned, depends on p - q and not on p, and lengths stay.

    Args:
        max_period: above 1; the slowest pair takes almost 2π times so many positions to come round.

    Source: Su et al., "RoFormer: Enhanced Transformer with Rotary Position Embedding", 2021, section 3.2.2, with the
    pairs (i, i + h) for (2i, 2i + 1).
    """

    def __init__(self, max_period: float = 10_000.0, **kwargs):
        super().__init__(**kwargs)
        if not max_period > 1:
            raise ValueError(f"max_period is {max_period}; accepted is a number above 1.")
        self.max_period = max_period
        self.built = True

    def call(self, x, positions):
        """Return the turned vectors.

        Args:
            x: (..., t, d), d even.
            positions: (t,), any numbers.

        Raises:
            ValueError: d is odd.
        """
        if x.shape[-1] % 2:
            raise ValueError(f"The vectors have {x.shape[-1]} numbers; accepted is an even number of them.")
        half = x.shape[-1] // 2
        frequencies = self.max_period ** (-ops.arange(half, dtype="float32") / half)
        angles = ops.cast(positions, "float32")[:, None] * frequencies  # (t, h)
        cos, sin = (ops.cast(wave, x.dtype) for wave in (ops.cos(angles), ops.sin(angles)))
        first, second = x[..., :half], x[..., half:]
        return ops.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "max_period": self.max_period}
