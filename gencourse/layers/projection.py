"""The dense layers inside a transformer: made for a width that is known, with small normal weights."""

import keras


def projection(name: str, inputs: int, units: int, deviation: float, policy) -> keras.layers.Dense:
    """Return a built dense layer (..., inputs) → (..., units) whose weights start ~ N(0, deviation²), biases at 0.

    Args:
        name: of the layer.
        inputs: the width that comes in.
        units: the width that goes out.
        deviation: above 0.
        policy: the layer's dtype policy.
    """
    start = keras.initializers.RandomNormal(stddev=deviation)
    layer = keras.layers.Dense(units, kernel_initializer=start, dtype=policy, name=name)
    layer.build((None, None, inputs))
    return layer
