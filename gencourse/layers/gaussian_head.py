"""The last layer of a network that answers with a Gaussian."""

import keras
from keras import layers, ops

LIMIT = 8.0  # of |log_var|: standard deviations between 0.018 and 55


@keras.saving.register_keras_serializable(package="gencourse")
class GaussianHead(layers.Layer):
    """Two linear maps of the features: the mean and the log-variance of a diagonal Gaussian.

        mean = W_m h + b_m,   log_var = 8 tanh((W_v h + b_v) / 8)

    The bound keeps exp(log_var) finite from the first step on and leaves small values almost as they are. Both outputs
    are float32 under every precision.

    Args:
        size: d, the number of dimensions of the Gaussian.
    """

    def __init__(self, size: int, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.mean = layers.Dense(size, dtype="float32", name="mean")
        self.log_var = layers.Dense(size, dtype="float32", name="log_var")

    def build(self, input_shape):
        """Make the two maps for features (n, input_shape[-1])."""
        self.mean.build(input_shape)
        self.log_var.build(input_shape)

    def call(self, features):
        """Return the mean (n, d) and the log-variance (n, d) in (-8, 8)."""
        return self.mean(features), LIMIT * ops.tanh(self.log_var(features) / LIMIT)

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "size": self.size}
