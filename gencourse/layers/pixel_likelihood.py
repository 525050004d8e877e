"""What a decoder's numbers mean: the distribution of an image's pixels, given them."""

import math

import keras
from keras import ops


def _sum_over_image(values):
    """Sum over every axis but the first: height, width and channels."""
    return ops.sum(values, axis=tuple(range(1, len(values.shape))))


@keras.saving.register_keras_serializable(package="gencourse")
class BernoulliPixels(keras.layers.Layer):
    """Independent binary pixels, one logit each: p(x = 1) = sigmoid(logit).

    Attributes:
        parameters: numbers that a network gives for each value of the image: 1.
    """

    parameters = 1

    def call(self, logits):
        """Return the mean image, sigmoid(logits), float32 in (0, 1)."""
        return ops.sigmoid(ops.cast(logits, "float32"))

    def log_prob(self, x, logits):
        """log p(x) = Σ x · logit - softplus(logit), summed over height, width and channels.

        Args:
            x: (n, h, w, c), 0 or 1. Values between are accepted, and give an objective that is no likelihood.
            logits: (n, h, w, c).

        Returns:
            (n,), nats an image.
        """
        x, logits = ops.cast(x, "float32"), ops.cast(logits, "float32")
        return _sum_over_image(x * logits - ops.softplus(logits))


@keras.saving.register_keras_serializable(package="gencourse")
class DiscretizedLogisticPixels(keras.layers.Layer):
    """Independent pixels of 256 levels, each the mass that a logistic distribution puts on its level's interval.

        p(x = k/255) = F(k/255 + 1/510) - F(k/255 - 1/510),   F(v) = sigmoid((v - mean) / exp(log_scale))

    The lowest level takes all mass below its interval, the highest all mass above, so the 256 masses sum to 1.

    Attributes:
        parameters: numbers that a network gives for each value of the image: 2, the mean and the log of the scale.

    Source: Salimans et al., "PixelCNN++", 2017, section 2.1 (with one component).
    """

    parameters = 2
    log_scale_range = (-7.0, 2.0)  # from all mass on one level to a distribution wider than the image's range

    def call(self, parameters):
        """Return the distribution's location as an image (n, h, w, c), float32, limited to [0, 1]."""
        return ops.clip(self._split(parameters)[0], 0.0, 1.0)

    def log_prob(self, x, parameters):
        """log p(x), summed over height, width and channels.

        Args:
            x: (n, h, w, c), multiples of 1/255 in [0, 1].
            parameters: (n, h, w, 2c), all means, then all log scales.

        Returns:
            (n,), nats an image.
        """
        x = ops.cast(x, "float32")
        mean, log_scale = self._split(parameters)
        upper = (x + 1 / 510 - mean) * ops.exp(-log_scale)
        lower = (x - 1 / 510 - mean) * ops.exp(-log_scale)
        # sigmoid(a) - sigmoid(b) = sigmoid(a) · sigmoid(-b) · (1 - exp(b - a)): no cancellation far from the mean
        width = ops.exp(-log_scale) / 255
        inside = -ops.softplus(-upper) - ops.softplus(lower) + ops.log(-ops.expm1(-width))
        lowest, highest = -ops.softplus(-upper), -ops.softplus(lower)
        log_mass = ops.where(x < 1 / 510, lowest, ops.where(x > 1 - 1 / 510, highest, inside))
        return _sum_over_image(log_mass)

    def _split(self, parameters):
        """Mean and log scale (n, h, w, c); a network's zero stands for a grey mean and a scale of 0.1."""
        mean, log_scale = ops.split(ops.cast(parameters, "float32"), 2, axis=-1)
        return mean + 0.5, ops.clip(log_scale + math.log(0.1), *self.log_scale_range)
