"""The U-Net: down to a few large features, up again, and a bridge at every size."""

import math

import keras
from keras import layers

from gencourse.guard import check_whole
from gencourse.layers import SinusoidalPositionEmbedding

POSITIONS = 1000  # to which the angles 0..π/2 are spread before their sinusoidal embedding
GROUPS = 4  # of channels, each normalized over the whole image


def build_unet(
    image_shape: tuple[int, int, int] = (28, 28, 1),
    widths: tuple[int, ...] = (24, 48, 72),
    blocks: int = 1,
    attention: tuple[int, ...] = (7,),
    heads: int = 4,
    labels: dict[str, int] | None = None,
):
    """Return the network {"image": x (n, h, w, c), "angle": (n,)} → (n, h, w, c), which gives zeros at first.

    A level is `blocks` residual blocks on the way down, and as many on the way up, where each also sees the output of
    its opposite. Between two levels a strided convolution halves the sides, and nearest neighbours double them again;
    at the turn there is one more block. Every block is told the angle of the noise, arctan(noise_rate / signal_rate),
    and the labels.

    Args:
        image_shape: (height, width, channels), the sides multiples of 2^(levels - 1).
        widths: channels at each level, from the full size down, multiples of 4; there are as many levels.
        blocks: residual blocks at each level, each way, at least 1.
        attention: heights at which attention follows each residual block; of 28 and three levels 28, 14 or 7.
        heads: of the attention, which divide the widths there.
        labels: {name: number of classes} of further inputs, integers (n,). Each has one class more, the null label,
            which stands for "not told".

    Raises:
        ValueError: sizes that do not fit.

    Source: Ronneberger et al., "U-Net", 2015, figure 1; the blocks of Ho, Jain and Abbeel, "Denoising Diffusion
        Probabilistic Models", 2020, appendix B.
    """
    labels = labels or {}
    _check_sizes(image_shape, widths, blocks, attention, heads, labels)
    image, angle = keras.Input(image_shape, name="image"), keras.Input((), name="angle")
    given = {name: keras.Input((), dtype="int32", name=name) for name in labels}
    told = _embed(angle, given, labels, 4 * widths[0])

    def block(x, width):
        x = residual_block(x, told, width)
        return attention_block(x, heads) if x.shape[1] in attention else x

    bridges = []
    x = layers.Conv2D(widths[0], 3, padding="same")(image)
    for level, width in enumerate(widths):
        if level:
            x = layers.Conv2D(width, 3, strides=2, padding="same")(x)  # (h, w) → (h/2, w/2)
        for _ in range(blocks):
            x = block(x, width)
            bridges.append(x)
    x = block(x, widths[-1])
    for level, width in reversed(list(enumerate(widths))):
        for _ in range(blocks):
            x = block(layers.Concatenate()([x, bridges.pop()]), width)
        if level:
            x = layers.UpSampling2D(2)(x)  # (h, w) → (2h, 2w)
    x = layers.Activation("silu")(layers.GroupNormalization(GROUPS)(x))
    x = layers.Conv2D(image_shape[-1], 3, padding="same", kernel_initializer="zeros", dtype="float32")(x)
    return keras.Model({"image": image, "angle": angle, **given}, x, name="unet")


def residual_block(x, told, width: int):
    """Return x + conv(silu(norm(conv(silu(norm(x))) + dense(told)))), with `width` channels.

    The norm gives each of 4 groups of channels the mean 0 and the variance 1 over an image; it sees no other image.

    Args:
        x: (n, h, w, c), c a multiple of 4; where it is not `width`, a 1x1 convolution takes the place of x in the sum.
        told: (n, k).
        width: a multiple of 4.
    """
    h = layers.Activation("silu")(layers.GroupNormalization(GROUPS)(x))
    h = layers.Conv2D(width, 3, padding="same")(h) + layers.Reshape((1, 1, width))(layers.Dense(width)(told))
    h = layers.Activation("silu")(layers.GroupNormalization(GROUPS)(h))
    h = layers.Conv2D(width, 3, padding="same", kernel_initializer="zeros")(h)  # at first the block adds nothing
    return (x if x.shape[-1] == width else layers.Conv2D(width, 1)(x)) + h


def attention_block(x, heads: int):
    """Return x + attention(norm(x)) over the h · w places of x (n, h, w, c)."""
    _, h, w, width = x.shape
    places = layers.Reshape((h * w, width))(layers.GroupNormalization(GROUPS)(x))
    found = layers.MultiHeadAttention(heads, width // heads, use_bias=False)(places, places)
    return x + layers.Reshape((h, w, width))(found)


def _embed(angle, given, labels, size):
    """Return what every block is told, (n, size)."""
    position = layers.Rescaling(POSITIONS * 2 / math.pi, dtype="float32")(angle)
    told = layers.Dense(size, "silu")(SinusoidalPositionEmbedding(size)(position))
    told = layers.Dense(size)(told)
    for name, classes in labels.items():  # drawn from N(0, 1), a label is as loud as the time
        table = layers.Embedding(classes + 1, size, keras.initializers.RandomNormal(stddev=1.0), name=f"{name}_table")
        told = told + table(given[name])
    return layers.Activation("silu")(told)


def _check_sizes(image_shape, widths, blocks, attention, heads, labels) -> None:
    if not widths:
        raise ValueError("widths is empty; accepted is a number of channels for each level.")
    for channels in widths:
        check_whole(channels, "A width", least=1)
        if channels % GROUPS:
            raise ValueError(f"A width is {channels}; accepted are multiples of {GROUPS}.")
    check_whole(blocks, "blocks", least=1)
    height, width = image_shape[:2]
    halved = 2 ** (len(widths) - 1)
    if height % halved or width % halved:
        raise ValueError(
            f"Images of shape {tuple(image_shape)} for {len(widths)} levels; accepted are sides that are multiples of "
            f"{halved}."
        )
    heights = {height // 2**i: channels for i, channels in enumerate(widths)}
    for side in attention:
        if side not in heights:
            raise ValueError(f"attention is {attention}; accepted are heights of the levels, {sorted(heights)}.")
        if heights[side] % heads:
            raise ValueError(f"heads is {heads} for {heights[side]} channels; accepted is a divisor.")
    for name, classes in labels.items():
        check_whole(classes, f"The number of classes of {name!r}", least=1)
