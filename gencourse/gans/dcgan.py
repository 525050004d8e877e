"""The deep convolutional GAN."""

import keras
from keras import layers, ops

from gencourse.gans.gan import GAN

SLOPE = 0.2  # of the discriminator's leaky rectifiers


def initializer():
    """Return N(0, 0.02²), from which the paper draws every kernel."""
    return keras.initializers.RandomNormal(stddev=0.02)


def build_generator(image_shape: tuple[int, int, int] = (28, 28, 1), latent_size: int = 100, channels: int = 64):
    """Return the network z (n, d) → images (n, h, w, c) in [0, 1].

    A dense layer, a convolution and two transposed ones, each but the last with batch normalization and a rectifier;
    the last ends in tanh, rescaled from [-1, 1].

    Args:
        image_shape: (height, width, channels), the sides multiples of 4.
        latent_size: d.
        channels: of the last hidden layer; the two before have twice as many.

    Raises:
        ValueError: a side is no multiple of 4.

    Source: Radford, Metz and Chintala, "Unsupervised Representation Learning with DCGANs", 2016, section 3.
    """
    latent = keras.Input((latent_size,), name="latent")
    return keras.Model(latent, generate(latent, image_shape, channels), name="generator")


def generate(x, image_shape, channels):
    """Put the layers of the generator on a vector x."""
    height, width, image_channels = image_shape
    if height % 4 or width % 4:
        raise ValueError(f"Images of shape {image_shape}; accepted are sides that are multiples of 4.")
    quarter = (height // 4, width // 4, 2 * channels)
    x = layers.Dense(quarter[0] * quarter[1] * quarter[2], use_bias=False, kernel_initializer=initializer())(x)
    x = rectify(layers.Reshape(quarter)(x))
    x = rectify(layers.Conv2D(2 * channels, 3, padding="same", use_bias=False, kernel_initializer=initializer())(x))
    x = rectify(layers.Conv2DTranspose(channels, 4, 2, "same", use_bias=False, kernel_initializer=initializer())(x))
    x = layers.Conv2DTranspose(image_channels, 4, 2, "same", kernel_initializer=initializer(), dtype="float32")(x)
    return layers.Rescaling(0.5, 0.5, dtype="float32")(layers.Activation("tanh", dtype="float32")(x))


def rectify(x):
    """Normalize over the batch, then cut at 0.

    The averages of `sample` follow within tens of steps: Keras's own momentum of 0.99 leaves the pictures of the first
    300 steps grey.
    """
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))


def build_discriminator(image_shape: tuple[int, int, int] = (28, 28, 1), channels: int = 64, normalize: bool = True):
    """Return the network images (n, h, w, c) in [0, 1] → logits (n, 1) that the image is real.

    Three strided convolutions with leaky rectifiers, all but the first with batch normalization, and a dense layer. The
    third sees 22 pixels across: a score that adds up what windows of 10 show knows strokes, but not whole digits.

    Args:
        image_shape: (height, width, channels).
        channels: of the first convolution; each further one has twice as many.
        normalize: False makes a critic for a gradient penalty: no batch normalization, which ties the images of a
            batch, and no bias on the score, which a difference of scores does not see.

    Source: Radford, Metz and Chintala, "Unsupervised Representation Learning with DCGANs", 2016, section 3.
    """
    image = keras.Input(image_shape, name="image")
    score = layers.Dense(1, use_bias=normalize, kernel_initializer=initializer(), dtype="float32")
    return keras.Model(image, score(discriminate(image, channels, normalize)), name="discriminator")


def discriminate(x, channels, normalize):
    """Put the layers of the discriminator, but for the last, on images x, and return the features (n, k)."""
    x = layers.Rescaling(2.0, -1.0)(x)
    x = layers.Conv2D(channels, 4, 2, "same", kernel_initializer=initializer())(x)
    x = layers.LeakyReLU(SLOPE)(x)
    for width in (2 * channels, 4 * channels):  # (n, h / 4, w / 4, 2c), then (n, h / 8, w / 8, 4c), rounded up
        x = layers.Conv2D(width, 4, 2, "same", use_bias=not normalize, kernel_initializer=initializer())(x)
        if normalize:
            x = layers.BatchNormalization()(x)
        x = layers.LeakyReLU(SLOPE)(x)
    return layers.Flatten()(x)


def discriminator_loss(real_logits, fake_logits):
    """-E[log D(x)] - E[log(1 - D(G(z)))] with D = sigmoid(logit): 2 ln 2 where D knows nothing.

    Args:
        real_logits: (n, 1), of real images.
        fake_logits: (n, 1), of generated ones.

    Source: Goodfellow et al., "Generative Adversarial Nets", 2014, equation 1.
    """
    return ops.mean(ops.softplus(-real_logits)) + ops.mean(ops.softplus(fake_logits))


def generator_loss(fake_logits):
    """-E[log D(G(z))], the non-saturating loss: its gradient does not vanish where D rejects every fake.

    Args:
        fake_logits: (n, 1), of generated images.

    Source: Goodfellow et al., "Generative Adversarial Nets", 2014, section 3.
    """
    return ops.mean(ops.softplus(-fake_logits))


@keras.saving.register_keras_serializable(package="gencourse")
class DCGAN(GAN):
    """A GAN with the cross-entropy losses, the non-saturating one for the generator.

    Compile it with Adam(2e-4, beta_1=0.5) for both networks, as the paper does.

    Args:
        generator: z (n, d) → images (n, h, w, c) in [0, 1], such as `build_generator()`.
        discriminator: images → logits (n, 1), such as `build_discriminator()`.
        ema_momentum: of the averaged generator that `sample` uses, in [0, 1).

    Source: Radford, Metz and Chintala, "Unsupervised Representation Learning with DCGANs", 2016.
    """

    def discriminator_loss(self, real_scores, fake_scores):
        """Return the function of this name of `gencourse.gans.dcgan`."""
        return discriminator_loss(real_scores, fake_scores)

    def generator_loss(self, fake_scores):
        """Return the function of this name of `gencourse.gans.dcgan`."""
        return generator_loss(fake_scores)
