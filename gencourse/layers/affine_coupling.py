"""Affine coupling: one part of the input scales and shifts the other."""

import keras
import numpy as np
from keras import ops

from gencourse.layers.flow_layer import FlowLayer, sum_over_item

LIMIT = 2.0  # of |log_scale| in one layer: it stretches at most by exp(2) = 7.4


def _scale_and_shift(parameters):
    """Split a network's output (n, ..., 2c) into log_scale in (-2, 2) and shift, (n, ..., c) each."""
    log_scale, shift = ops.split(parameters, 2, axis=-1)
    return LIMIT * ops.tanh(log_scale / LIMIT), shift


@keras.saving.register_keras_serializable(package="gencourse")
class AffineCoupling(FlowLayer):
    """Keeps one half of the last axis, and scales and shifts the other by functions of it.

        y_a = x_a,   y_b = x_b · exp(s(x_a)) + t(x_a),   log |det dy/dx| = Σ s(x_a)

    The Jacobian is triangular whatever s and t are, and the inverse needs no inverse of theirs.

    Args:
        network: x_a → (n, ..., 2 · size of x_b), log scales, then shifts.
        swap: False keeps the first half (the smaller one of an odd size), True the rest.

    Source: Dinh, Sohl-Dickstein and Bengio, "Density estimation using Real NVP", 2017, equations 4 to 8.
    """

    def __init__(self, network: keras.Model, swap: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.network = network
        self.swap = swap

    def forward(self, x):
        """Return y and log |det dy/dx| (n,)."""
        kept, changed = self._parts(x)
        log_scale, shift = _scale_and_shift(self.network(kept))
        return self._whole(kept, changed * ops.exp(log_scale) + shift), sum_over_item(log_scale)

    def inverse(self, y):
        """Return x and log |det dx/dy| (n,)."""
        kept, changed = self._parts(y)
        log_scale, shift = _scale_and_shift(self.network(kept))
        return self._whole(kept, (changed - shift) * ops.exp(-log_scale)), -sum_over_item(log_scale)

    def _parts(self, x):
        first, second = ops.split(x, [x.shape[-1] // 2], axis=-1)
        return (second, first) if self.swap else (first, second)

    def _whole(self, kept, changed):
        return ops.concatenate([changed, kept] if self.swap else [kept, changed], axis=-1)


@keras.saving.register_keras_serializable(package="gencourse")
class CheckerboardCoupling(FlowLayer):
    """Keeps every other pixel of an image, and scales and shifts the rest by functions of them.

        y = m · x + (1 - m) · (x · exp(s(m · x)) + t(m · x)),   m[i, j] = 1 where i + j is even

    Args:
        network: images (n, h, w, c) → (n, h, w, 2c), log scales, then shifts. Where s and t are to depend on another
            image as well, it sees that one's channels after those of m · x.
        swap: True keeps the pixels where i + j is odd.

    Source: Dinh, Sohl-Dickstein and Bengio, "Density estimation using Real NVP", 2017, section 3.4, equation 9.
    """

    def __init__(self, network: keras.Model, swap: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.network = network
        self.swap = swap

    def forward(self, x, context=None):
        """Return y and log |det dy/dx| (n,), given another image (n, h, w, c') if the network sees one."""
        mask = self._mask(x)
        log_scale, shift = self._changes(x, mask, context)
        return mask * x + (1 - mask) * (x * ops.exp(log_scale) + shift), sum_over_item(log_scale)

    def inverse(self, y, context=None):
        """Return x and log |det dx/dy| (n,), given the image that `forward` was given."""
        mask = self._mask(y)
        log_scale, shift = self._changes(y, mask, context)
        return mask * y + (1 - mask) * (y - shift) * ops.exp(-log_scale), -sum_over_item(log_scale)

    def _changes(self, x, mask, context):
        seen = mask * x if context is None else ops.concatenate([mask * x, context], axis=-1)
        log_scale, shift = _scale_and_shift(self.network(seen))
        return (1 - mask) * log_scale, shift

    def _mask(self, x):
        row, column = np.indices(x.shape[1:3])
        return np.float32((row + column + self.swap) % 2 == 0)[..., None]  # (h, w, 1)
