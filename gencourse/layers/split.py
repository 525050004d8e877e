"""Split: half of the channels leave the flow early, as Gaussians given the other half."""

import keras
from keras import ops

from gencourse.layers.flow_layer import FlowLayer, sum_over_item


@keras.saving.register_keras_serializable(package="gencourse")
class Split(FlowLayer):
    """Factors half of the channels out, normalized by a mean and a scale that the kept half predicts.

        (kept, x_b) = x,   z = (x_b - mean(kept)) · exp(-log_std(kept)),   log |det| = -Σ log_std(kept)

    With z ~ N(0, I) this is the learnt prior x_b | kept ~ N(mean, exp(log_std)²) of a multiscale flow.

    Args:
        network: kept (n, h, w, c/2) → (n, h, w, c), means, then log_stds.

    Source: Dinh, Sohl-Dickstein and Bengio, "Density estimation using Real NVP", 2017, section 3.6; the learnt prior is
        that of the code published with Kingma and Dhariwal, "Glow", 2018.
    """

    def __init__(self, network: keras.Model, **kwargs):
        super().__init__(**kwargs)
        self.network = network

    def forward(self, x):
        """Return (kept, z), both (n, h, w, c/2), and log |det d(kept, z)/dx| (n,)."""
        kept, factored = ops.split(x, 2, axis=-1)
        mean, log_std = ops.split(self.network(kept), 2, axis=-1)
        return (kept, (factored - mean) * ops.exp(-log_std)), -sum_over_item(log_std)

    def inverse(self, y):
        """Return x (n, h, w, c) for y = (kept, z), and log |det dx/d(kept, z)| (n,)."""
        kept, z = y
        mean, log_std = ops.split(self.network(kept), 2, axis=-1)
        return ops.concatenate([kept, mean + z * ops.exp(log_std)], axis=-1), sum_over_item(log_std)
