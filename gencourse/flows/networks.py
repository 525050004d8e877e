"""The networks inside coupling layers: any function will do, none is ever inverted."""

import keras
from keras import layers

from gencourse.guard import check_whole


def build_dense_network(size: int, outputs: int, width: int):
    """Return a network of two hidden layers, (n, size) → (n, outputs), that gives zeros at first.

    Its first units are steep steps, spread over the data: islands of data need scales and shifts that are level on each
    and change between them.

    Args:
        size: of the vectors that it sees.
        outputs: such as twice the size of the part that a coupling changes.
        width: of the hidden layers.
    """
    part = keras.Input((size,))
    steep = keras.initializers.VarianceScaling(32.0)  # a step is about a third wide where x has variance 1
    spread = keras.initializers.RandomUniform(-12.0, 12.0)  # of where the steps lie: about two deviations either way
    x = layers.Dense(width, "tanh", kernel_initializer=steep, bias_initializer=spread)(part)
    x = layers.Dense(width, "tanh")(x)
    return keras.Model(part, layers.Dense(outputs, kernel_initializer="zeros", dtype="float32")(x))


def build_conv_network(shape: tuple[int, int, int], outputs: int, width: int):
    """Return the network of a Glow step, (n, h, w, c) → (n, h, w, outputs), that gives zeros at first.

    A 3x3, a 1x1 and a 3x3 convolution.

    Args:
        shape: (h, w, c).
        outputs: such as twice the channels of the part that a coupling changes.
        width: channels of the hidden layers.
    """
    part = keras.Input(shape)
    x = layers.Conv2D(width, 3, padding="same", activation="relu")(part)
    x = layers.Conv2D(width, 1, activation="relu")(x)
    return keras.Model(part, _last(outputs)(x))


def build_residual_network(shape: tuple[int, int, int], outputs: int, width: int, blocks: int = 2):
    """Return a residual network, (n, h, w, c) → (n, h, w, outputs), that gives zeros at first.

    Args:
        shape: (h, w, c).
        outputs: such as twice the channels of the part that a coupling changes.
        width: channels of the hidden layers.
        blocks: residual blocks of a 3x3 and a 1x1 convolution.
    """
    part = keras.Input(shape)
    x = layers.Conv2D(width, 3, padding="same")(part)
    for _ in range(blocks):
        change = layers.Conv2D(width, 3, padding="same", activation="silu")(layers.Activation("silu")(x))
        x = layers.Add()([x, layers.Conv2D(width, 1)(change)])
    return keras.Model(part, _last(outputs)(layers.Activation("silu")(x)))


def build_split_network(shape: tuple[int, int, int]):
    """Return one convolution, (n, h, w, c) → (n, h, w, 2c), that gives zeros at first: the prior of a `Split`."""
    kept = keras.Input(shape)
    return keras.Model(kept, _last(2 * shape[-1])(kept))


def check_sides(shape: tuple[int, ...], scales: int) -> None:
    """Refuse what is no shape of images whose sides can be halved `scales` times.

    Raises:
        ValueError: another shape, an odd side on the way, or a number of scales below 1.
    """
    check_whole(scales, "scales", least=1)
    if len(shape) != 3 or shape[0] % 2**scales or shape[1] % 2**scales:
        raise ValueError(
            f"The shape is {tuple(shape)} for {scales} scales; accepted is (height, width, channels) with sides that "
            f"are multiples of {2**scales}."
        )


def _last(outputs):
    return layers.Conv2D(outputs, 3, padding="same", kernel_initializer="zeros", dtype="float32")
