"""Two dense layers for each position by itself: where a transformer computes with what attention has gathered."""

import keras
from keras import ops

from gencourse.guard import check_whole
from gencourse.layers.projection import projection


@keras.saving.register_keras_serializable(package="gencourse")
class FeedForward(keras.layers.Layer):
    """A dense layer that widens, GELU, and a dense layer back to the width of the input.

        y = W_2 gelu(W_1 x + b_1) + b_2,   gelu(z) = z Φ(z) ≈ z (1 + tanh(√(2/π) (z + 0.044715 z³))) / 2

    Args:
        hidden: the width between the two.
        approximate: whether gelu is the formula with tanh, as in GPT-2, or the exact one.
        deviation: the standard deviation of the initial W_1.
        output_deviation: likewise of W_2.

    Source: Vaswani et al., "Attention Is All You Need", 2017, section 3.3, with GELU for ReLU; Hendrycks and Gimpel,
    "Gaussian Error Linear Units", 2016.
    """

    def __init__(
        self,
        hidden: int,
        approximate: bool = True,
        deviation: float = 0.02,
        output_deviation: float = 0.02,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_whole(hidden, "hidden", least=1)
        self.hidden = hidden
        self.approximate = approximate
        self.deviation = deviation
        self.output_deviation = output_deviation

    def build(self, input_shape):
        """Make the two dense layers, for inputs (n, t, width)."""
        width = input_shape[-1]
        self.widen = projection("widen", width, self.hidden, self.deviation, self.dtype_policy)
        self.narrow = projection("narrow", self.hidden, width, self.output_deviation, self.dtype_policy)

    def call(self, x):
        """Return y, of the shape of x (n, t, width)."""
        return self.narrow(ops.gelu(self.widen(x), approximate=self.approximate))

    def get_config(self):
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "hidden": self.hidden,
            "approximate": self.approximate,
            "deviation": self.deviation,
            "output_deviation": self.output_deviation,
        }
