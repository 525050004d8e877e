"""From the unit interval to the line."""

import math

import keras
from keras import ops

from gencourse.layers.flow_layer import FlowLayer, sum_over_item


@keras.saving.register_keras_serializable(package="gencourse")
class Logit(FlowLayer):
    """Stretches [0, 1] over the line.

        y = log p - log(1 - p),   p = margin + (1 - 2 margin) x

    Args:
        margin: in (0, 0.5); how far p stays from 0 and 1, where y would be infinite.

    Source: Dinh, Sohl-Dickstein and Bengio, "Density estimation using Real NVP", 2017, section 4.1.
    """

    def __init__(self, margin: float = 0.05, **kwargs):
        super().__init__(**kwargs)
        if not 0 < margin < 0.5:
            raise ValueError(f"margin is {margin}; accepted is a number between 0 and 0.5.")
        self.margin = margin

    def forward(self, x):
        """Return y, and log |det dy/dx| = Σ log(1 - 2 margin) - log p - log(1 - p), (n,)."""
        log_p, log_q = (ops.log(self.margin + (1 - 2 * self.margin) * part) for part in (x, 1 - x))
        return log_p - log_q, sum_over_item(math.log(1 - 2 * self.margin) - log_p - log_q)

    def inverse(self, y):
        """Return x, outside [0, 1] where y is beyond what x there can give, and log |det dx/dy| (n,)."""
        x = (ops.sigmoid(y) - self.margin) / (1 - 2 * self.margin)
        # log dp/dy = log sigmoid(y) + log sigmoid(-y)
        return x, sum_over_item(-ops.softplus(-y) - ops.softplus(y) - math.log(1 - 2 * self.margin))
