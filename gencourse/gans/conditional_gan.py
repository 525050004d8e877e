"""The conditional GAN: images of the label that is asked for."""

import keras
from keras import layers, ops

from gencourse.gans.dcgan import DCGAN, discriminate, generate, initializer
from gencourse.guard import check_images, check_labels


def build_conditional_generator(
    image_shape: tuple[int, int, int] = (28, 28, 1), classes: int = 10, latent_size: int = 100, channels: int = 64
):
    """Return the network {"latent": z (n, d), "label": (n,)} → images (n, h, w, c) in [0, 1].

    The label is appended to the noise as a one-hot vector; the rest is the generator of `dcgan`. With an embedding as
    loud as the noise a training begins with one picture a label, and is slow to find the others.

    Args:
        image_shape: (height, width, channels), the sides multiples of 4.
        classes: the number of labels.
        latent_size: d.
        channels: of the last hidden layer.
    """
    latent, label = keras.Input((latent_size,), name="latent"), keras.Input((), dtype="int32", name="label")
    x = layers.Concatenate()([latent, ops.one_hot(label, classes)])
    inputs = {"latent": latent, "label": label}
    return keras.Model(inputs, generate(x, image_shape, channels), name="generator")


def build_projection_discriminator(
    image_shape: tuple[int, int, int] = (28, 28, 1), classes: int = 10, channels: int = 64, normalize: bool = True
):
    """Return the network {"image", "label"} → logits (n, 1), by projection.

        logit = w · h(x) + e(y) · h(x),   h(x) the k features of the image, e(y) an embedding of the label

    e(y) starts as small as w, so that both learn at one pace.

    Args:
        image_shape: (height, width, channels).
        classes: the number of labels.
        channels: of the first convolution.
        normalize: whether the second convolution has batch normalization.

    Source: Miyato and Koyama, "cGANs with Projection Discriminator", 2018, equation 3.
    """
    image, label = keras.Input(image_shape, name="image"), keras.Input((), dtype="int32", name="label")
    h = discriminate(image, channels, normalize)
    score = layers.Dense(1, kernel_initializer=initializer(), dtype="float32")(h)
    e = layers.Embedding(classes, h.shape[-1], embeddings_initializer=initializer())(label)
    agreement = layers.Dot(axes=1, dtype="float32")([e, h])
    logit = layers.Add(dtype="float32")([score, agreement])
    return keras.Model({"image": image, "label": label}, logit, name="discriminator")


def build_concatenation_discriminator(
    image_shape: tuple[int, int, int] = (28, 28, 1), classes: int = 10, channels: int = 64, normalize: bool = True
):
    """Return the network {"image", "label"} → logits (n, 1), with the label as further channels of the image.

    Args:
        image_shape: (height, width, channels).
        classes: the number of labels, each a channel that is 1 for it and 0 otherwise, before the rescaling.
        channels: of the first convolution.
        normalize: whether the second convolution has batch normalization.

    Source: Mirza and Osindero, "Conditional Generative Adversarial Nets", 2014, equation 2.
    """
    image, label = keras.Input(image_shape, name="image"), keras.Input((), dtype="int32", name="label")
    one_hot = ops.reshape(ops.one_hot(label, classes), (-1, 1, 1, classes))
    maps = ops.tile(one_hot, (1, *image_shape[:2], 1))
    h = discriminate(layers.Concatenate()([image, maps]), channels, normalize)
    score = layers.Dense(1, kernel_initializer=initializer(), dtype="float32")(h)
    return keras.Model({"image": image, "label": label}, score, name="discriminator")


@keras.saving.register_keras_serializable(package="gencourse")
class ConditionalGAN(DCGAN):
    """A GAN whose two networks are told the label: G(z, y) and D(x, y).

    `fit` and `evaluate` take one dict {"image": x, "label": y}. A fake is made for, and judged with, the label of the
    real image beside it.

    Args:
        generator: {"latent", "label"} → images (n, h, w, c) in [0, 1].
        discriminator: {"image", "label"} → logits (n, 1).
        classes: the number of labels, at least 1.
        ema_momentum: of the averaged generator that `sample` uses, in [0, 1).

    Source: Mirza and Osindero, "Conditional Generative Adversarial Nets", 2014, equation 2.
    """

    def __init__(self, generator, discriminator, classes: int, ema_momentum: float = 0.99, **kwargs):
        super().__init__(generator, discriminator, ema_momentum, **kwargs)
        self.classes = classes

    def check(self, x) -> None:
        """Refuse what is not {"image": images in [0, 1], "label": one label in 0..classes - 1 for each}."""
        if not isinstance(x, dict) or set(x) != {"image", "label"}:
            given = sorted(x) if isinstance(x, dict) else type(x).__name__
            raise ValueError(f"The input is {given}; accepted is one dict of 'image' and 'label'.")
        check_images(x["image"], self.discriminator.input["image"].shape[1:])
        check_labels(x["label"], self.classes)
        if len(x["label"]) != len(x["image"]):
            raise ValueError(f"There are {len(x['label'])} labels for {len(x['image'])} images; accepted is one each.")

    def sample(self, n: int, seed: int | None = None, *, label):
        """Return n new images (n, h, w, c) in [0, 1] of the labels asked for.

        Args:
            n: at least 1.
            seed: an int >= 0, which always gives the same noise; None gives other noise each time.
            label: n labels, or one for all.

        Raises:
            ValueError: n, the seed or a label is refused.
        """
        z = self.prior.draw((n, self.latent_size), seed)
        labels = ops.convert_to_numpy(label)
        labels = labels if labels.ndim else labels.repeat(n)
        check_labels(labels, self.classes)
        if len(labels) != n:
            raise ValueError(f"There are {len(labels)} labels for n = {n}; accepted is one each, or one for all.")
        return self._draw({"latent": z, "label": ops.convert_to_tensor(labels, "int32")})

    def _image(self, x):
        return x["image"]

    def _generate(self, z, x, training):
        return self.generator({"latent": z, "label": x["label"]}, training=training)

    def _score(self, x, image, training):
        return ops.cast(self.discriminator({"image": image, "label": x["label"]}, training=training), "float32")
