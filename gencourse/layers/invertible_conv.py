"""An invertible 1x1 convolution: a learnt permutation of the channels, and more."""

import math

import keras
import numpy as np
import scipy.linalg
from keras import ops

from gencourse.layers.flow_layer import FlowLayer, for_each_item


@keras.saving.register_keras_serializable(package="gencourse")
class InvertibleConv1x1(FlowLayer):
    """Multiplies the channels at every position by one matrix, kept as its LU decomposition.

        y = W x,   W = P L (U + diag(sign · exp(log_s))),   log |det W| = Σ log_s

    P is a fixed permutation, L lower triangular with ones on its diagonal, U strictly upper triangular. W starts as a
    random rotation. The decomposition makes the determinant a sum in place of a cubic computation.

    Args:
        channels: the size of the last axis.

    Source: Kingma and Dhariwal, "Glow", 2018, section 3.2, equations 9 to 11.
    """

    def __init__(self, channels: int, **kwargs):
        super().__init__(**kwargs)
        self.channels = channels
        rotation = ops.convert_to_numpy(keras.initializers.Orthogonal()((channels, channels), "float32"))
        permutation, lower, upper = scipy.linalg.lu(rotation)
        s = np.diag(upper)
        self.permutation = self._weight(permutation, "permutation", trainable=False)
        self.sign = self._weight(np.sign(s), "sign", trainable=False)
        self.log_s = self._weight(np.log(np.abs(s)), "log_s")
        self.lower = self._weight(np.tril(lower, -1), "lower")
        self.upper = self._weight(np.triu(upper, 1), "upper")

    def matrix(self):
        """Return W (channels, channels)."""
        lower = ops.tril(self.lower, -1) + ops.eye(self.channels)
        upper = ops.triu(self.upper, 1) + ops.diag(self.sign * ops.exp(self.log_s))
        return ops.matmul(self.permutation, ops.matmul(lower, upper))

    def forward(self, x):
        """Return y (n, ..., channels) and log |det dy/dx| = positions · Σ log_s, (n,)."""
        return ops.matmul(x, ops.transpose(self.matrix())), for_each_item(self._log_det(x), x)

    def inverse(self, y):
        """Return x and log |det dx/dy|."""
        return ops.matmul(y, ops.transpose(ops.linalg.inv(self.matrix()))), for_each_item(-self._log_det(y), y)

    def _log_det(self, x):
        return math.prod(x.shape[1:-1]) * ops.sum(self.log_s)

    def _weight(self, value, name, trainable=True):
        weight = self.add_weight(value.shape, "zeros", trainable=trainable, name=name)
        weight.assign(value)
        return weight
