"""Activation normalization: a scale and a shift of each channel that start from the first batch."""

import math

import keras
from keras import ops

from gencourse.layers.flow_layer import FlowLayer, for_each_item


@keras.saving.register_keras_serializable(package="gencourse")
class ActNorm(FlowLayer):
    """Scales and shifts each channel.

        y = exp(log_scale) · (x - mean) / std + bias

    mean and std are those of the first batch that the layer is trained on, over all but the last axis, and stay; until
    then they are 0 and 1. log_scale and bias start at 0 and are learnt. So each channel of that batch comes out with
    mean 0 and variance 1, and later batches are not normalized by their own statistics, as batch normalization would.

    Args:
        channels: the size of the last axis.

    Source: Kingma and Dhariwal, "Glow", 2018, section 3.1.
    """

    def __init__(self, channels: int, **kwargs):
        super().__init__(**kwargs)
        self.channels = channels
        self.log_scale = self.add_weight((channels,), "zeros", name="log_scale")
        self.bias = self.add_weight((channels,), "zeros", name="bias")
        self.mean = self.add_weight((channels,), "zeros", trainable=False, name="mean")
        self.std = self.add_weight((channels,), "ones", trainable=False, name="std")
        self.initialized = self.add_weight((), "zeros", trainable=False, name="initialized")

    def call(self, x, training=None):
        """Return `forward(x)`; the first call in training sets mean and std from x before."""
        if training:
            self._initialize(x)
        return self.forward(x)

    def forward(self, x):
        """Return y (n, ..., channels) and log |det dy/dx| = positions · Σ (log_scale - log std), (n,)."""
        y = ops.exp(self.log_scale) * (x - self.mean) / self.std + self.bias
        return y, for_each_item(self._log_det(x), x)

    def inverse(self, y):
        """Return x and log |det dx/dy|."""
        x = (y - self.bias) * ops.exp(-self.log_scale) * self.std + self.mean
        return x, for_each_item(-self._log_det(y), y)

    def _log_det(self, x):
        return math.prod(x.shape[1:-1]) * ops.sum(self.log_scale - ops.log(self.std))

    def _initialize(self, x):
        axes = tuple(range(len(x.shape) - 1))
        mean, variance = ops.moments(ops.stop_gradient(x), axes)
        done = self.initialized > 0
        self.mean.assign(ops.where(done, self.mean, mean))
        self.std.assign(ops.where(done, self.std, ops.sqrt(variance + 1e-6)))
        self.initialized.assign(1.0)
