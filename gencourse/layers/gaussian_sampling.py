"""Sampling a diagonal Gaussian so that gradients pass: the reparameterization."""

import keras
from keras import ops

from gencourse.layers.noise_source import NoiseSource


@keras.saving.register_keras_serializable(package="gencourse")
class GaussianSampling(keras.layers.Layer):
    """Draws z ~ N(mean, exp(log_var) I) as a differentiable function of mean and log_var.

        z = mean + exp(log_var / 2) · ε,   ε ~ N(0, I)

    The noise ε does not depend on the parameters, so dz/dmean = 1 and dz/dlog_var = (z - mean) / 2.

    Args:
        seed: of the noise, an int >= 0; None takes one from Keras's global seed.

    Source: Kingma and Welling, "Auto-Encoding Variational Bayes", 2014, section 2.4.
    """

    def __init__(self, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.noise = NoiseSource(seed)
        self.built = True

    def call(self, inputs):
        """Return z (n, d), a sample for each row.

        Args:
            inputs: mean (n, d) and log_var (n, d), the logarithm of the variance.
        """
        mean, log_var = inputs
        return mean + ops.exp(log_var / 2) * self.noise(mean)

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "seed": self.seed}
