"""Encoders and decoders: plain stacks of dense layers, and residual convolutional networks."""

import math

import keras
from keras import layers, ops


def build_encoder(
    image_shape: tuple[int, int, int],
    head: layers.Layer,
    widths: tuple[int, ...] = (400, 400),
    condition: keras.Model | None = None,
):
    """Return a network of dense layers from images to what `head` makes of the last features.

    Args:
        image_shape: (height, width, channels).
        head: such as `GaussianHead(50)` for a VAE, or `keras.layers.Dense(32)` for a plain code.
        widths: of the hidden layers.
        condition: a network that makes a vector of what is told besides, such as `label_condition(10)`; then the
            inputs are a dict.
    """
    image = keras.Input(image_shape, name="image")
    inputs, x = _append(condition, image, layers.Flatten()(image))
    for width in widths:
        x = layers.Dense(width, "silu")(x)
    return keras.Model(inputs, head(x), name="encoder")


def build_decoder(
    image_shape: tuple[int, int, int],
    latent_size: int,
    widths: tuple[int, ...] = (400, 400),
    parameters: int = 1,
    condition: keras.Model | None = None,
    activation: str | None = None,
):
    """Return a network of dense layers from a latent vector to the numbers of a pixel likelihood.

    Args:
        image_shape: (height, width, channels).
        latent_size: d.
        widths: of the hidden layers.
        parameters: numbers for each value of the image; the output is (n, height, width, channels · parameters).
        condition: a network that makes a vector of what is told besides, such as `label_condition(10)`; then the
            inputs are a dict.
        activation: of the last layer, such as "sigmoid" for an autoencoder's pixels; None for a likelihood's numbers.
    """
    latent = keras.Input((latent_size,), name="latent")
    inputs, x = _append(condition, latent, latent)
    for width in widths:
        x = layers.Dense(width, "silu")(x)
    x = layers.Dense(math.prod(image_shape) * parameters, activation, dtype="float32")(x)
    height, width, channels = image_shape
    return keras.Model(inputs, layers.Reshape((height, width, channels * parameters))(x), name="decoder")


def build_residual_encoder(
    image_shape: tuple[int, int, int],
    head: layers.Layer,
    channels: int = 16,
    width: int = 400,
    condition: keras.Model | None = None,
):
    """Return a residual convolutional network from images to what `head` makes of the last features.

    Two strided convolutions quarter the side, each followed by a residual block.

    Args:
        image_shape: (height, width, channels), the sides multiples of 4.
        head: such as `GaussianHead(50)`.
        channels: of the first convolution; the second has twice as many.
        width: of the dense layer before the head.
        condition: a network that makes a vector of what is told besides, such as `label_condition(10)`; then the
            inputs are a dict.

    Raises:
        ValueError: a side is no multiple of 4.
    """
    _check_sides(image_shape)
    image = keras.Input(image_shape, name="image")
    x = image
    for depth in (channels, 2 * channels):
        x = layers.Conv2D(depth, 4, strides=2, padding="same", activation="silu")(x)  # h → h/2 → h/4
        x = residual_block(x)
    inputs, x = _append(condition, image, layers.Flatten()(x))
    x = layers.Dense(width, "silu")(x)
    return keras.Model(inputs, head(x), name="encoder")


def build_residual_decoder(
    image_shape: tuple[int, int, int],
    latent_size: int,
    channels: int = 16,
    width: int = 400,
    parameters: int = 1,
    condition: keras.Model | None = None,
):
    """Return the mirror image of `build_residual_encoder`: from a latent vector to the numbers of a pixel likelihood.

    Args:
        image_shape: (height, width, channels), the sides multiples of 4.
        latent_size: d.
        channels: of the last hidden layer; the one before has twice as many.
        width: of the first dense layer.
        parameters: numbers for each value of the image; the output is (n, height, width, channels · parameters).
        condition: a network that makes a vector of what is told besides, such as `label_condition(10)`; then the
            inputs are a dict.

    Raises:
        ValueError: a side is no multiple of 4.
    """
    _check_sides(image_shape)
    height, width_of_image, image_channels = image_shape
    latent = keras.Input((latent_size,), name="latent")
    inputs, x = _append(condition, latent, latent)
    x = layers.Dense(width, "silu")(x)
    quarter = (height // 4, width_of_image // 4, 2 * channels)
    x = layers.Reshape(quarter)(layers.Dense(math.prod(quarter), "silu")(x))
    x = residual_block(x)
    x = layers.Conv2DTranspose(channels, 4, strides=2, padding="same", activation="silu")(x)  # h/4 → h/2
    x = residual_block(x)
    x = layers.Conv2DTranspose(image_channels * parameters, 4, strides=2, padding="same", dtype="float32")(x)
    return keras.Model(inputs, x, name="decoder")


def label_condition(classes: int, name: str = "label") -> keras.Model:
    """Return a condition for the builders: labels (n,), integers in 0..classes - 1, as one-hot vectors (n, classes).

    From the first step on a label then weighs as much as a feature of size 1, and no embedding has to be learnt.

    Args:
        classes: at least 1.
        name: the key of the labels in the dict that the network takes.
    """
    label = keras.Input((), dtype="int32", name=name)
    return keras.Model(label, ops.one_hot(label, classes), name=f"one_hot_{name}")


def image_condition(image_shape: tuple[int, int, int], name: str) -> keras.Model:
    """Return a condition for the builders: images (n, height, width, channels) as vectors.

    Args:
        image_shape: (height, width, channels).
        name: the key of these images in the dict that the network takes.
    """
    image = keras.Input(image_shape, name=name)
    return keras.Model(image, layers.Flatten()(image), name=f"flat_{name}")


def residual_block(x):
    """Add to x what two 3x3 convolutions make of it: silu(x + conv(silu(conv(x)))); at first it adds 0."""
    depth = x.shape[-1]
    change = layers.Conv2D(depth, 3, padding="same", activation="silu")(x)
    change = layers.Conv2D(depth, 3, padding="same", kernel_initializer="zeros")(change)
    return layers.Activation("silu")(layers.Add()([x, change]))


def _append(condition: keras.Model | None, source, features):
    """The inputs of a network that reads `source`, and its features (n, m) with the condition's appended."""
    if condition is None:
        return source, features
    given = keras.Input(condition.input.shape[1:], dtype=condition.input.dtype, name=condition.input.name)
    return {source.name: source, given.name: given}, layers.Concatenate()([features, condition(given)])


def _check_sides(image_shape):
    if image_shape[0] % 4 or image_shape[1] % 4:
        raise ValueError(f"Images of shape {image_shape}; accepted are sides that are multiples of 4.")
