"""Squeeze: space into channels."""

import keras
from keras import ops

from gencourse.layers.flow_layer import FlowLayer, for_each_item


@keras.saving.register_keras_serializable(package="gencourse")
class Squeeze(FlowLayer):
    """Stacks each 2x2 block of an image into the channels: (n, h, w, c) → (n, h/2, w/2, 4c); the volume stays.

    Source: Dinh, Sohl-Dickstein and Bengio, "Density estimation using Real NVP", 2017, section 3.6.
    """

    def forward(self, x):
        """Return y (n, h/2, w/2, 4c), whose channels are the block's corners in reading order, and zeros (n,).

        Raises:
            ValueError: a side is odd.
        """
        _, h, w, c = x.shape
        if h % 2 or w % 2:
            raise ValueError(f"Images have shape {(h, w, c)}; accepted are even sides.")
        blocks = ops.reshape(x, (-1, h // 2, 2, w // 2, 2, c))
        y = ops.reshape(ops.transpose(blocks, (0, 1, 3, 2, 4, 5)), (-1, h // 2, w // 2, 4 * c))
        return y, for_each_item(0.0, x)

    def inverse(self, y):
        """Return x (n, h, w, c) and zeros (n,)."""
        _, h, w, c = y.shape
        blocks = ops.reshape(y, (-1, h, w, 2, 2, c // 4))
        x = ops.reshape(ops.transpose(blocks, (0, 1, 3, 2, 4, 5)), (-1, 2 * h, 2 * w, c // 4))
        return x, for_each_item(0.0, y)
