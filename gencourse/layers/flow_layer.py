"""What every layer of a normalizing flow is: a map that can be undone, and whose change of volume is known."""

import inspect
import math
from abc import ABC, abstractmethod

import keras
from keras import ops


class FlowLayer(keras.layers.Layer, ABC):
    """An invertible map y = f(x) with a tractable Jacobian determinant.

    A subclass gives `forward` and `inverse`. Calling the layer is `forward`, and what training does besides. All is
    float32 under every precision; networks inside a layer follow the global policy.
    """

    def __init__(self, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.built = True

    def call(self, x):
        """Return `forward(x)`."""
        return self.forward(x)

    @abstractmethod
    def forward(self, x):
        """Map x to y.

        Returns:
            y, and log |det dy/dx| (n,), in nats.
        """

    @abstractmethod
    def inverse(self, y):
        """Map y back to x.

        Returns:
            x, and log |det dx/dy| (n,), in nats: what `forward` at x gives, negated.
        """

    def get_config(self):
        """Return the constructor's arguments, nested networks serialized."""
        parameters = inspect.signature(type(self).__init__).parameters.values()
        names = [p.name for p in parameters if p.name != "self" and p.kind is not p.VAR_KEYWORD]
        return {
            **super().get_config(),
            **{name: keras.saving.serialize_keras_object(getattr(self, name)) for name in names},
        }

    @classmethod
    def from_config(cls, config):
        """Build the layer from what `get_config` returned."""
        return cls(**{name: keras.saving.deserialize_keras_object(value) for name, value in config.items()})


def sum_over_item(values):
    """Sum (n, ...) over every axis but the first: (n,)."""
    return ops.sum(values, axis=tuple(range(1, len(values.shape))))


def for_each_item(value, x):
    """Repeat a number that is the same for all n items of x: (n,)."""
    return ops.broadcast_to(value, (ops.shape(x)[0],))


def standard_normal_log_prob(z):
    """log N(z; 0, I) = -½ Σ_j (z_j² + ln 2π), in nats.

    Args:
        z: (n, ...).

    Returns:
        (n,).
    """
    return -sum_over_item(ops.square(z) + math.log(2 * math.pi)) / 2
