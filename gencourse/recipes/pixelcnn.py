"""A gated PixelCNN of binary digits."""

import math

import keras
import numpy as np

from gencourse.autoregressive import PixelCNN
from gencourse.autoregressive.pixel_cnn import build_stacks
from gencourse.datasets import mnist
from gencourse.recipes.recipe import Recipe

EPOCHS = 7
BATCH_SIZE = 16
IMAGE_SHAPE = (28, 28, 1)


def build_pixel_cnn(
    blocks: int = 10, width: int = 24, steps: int = EPOCHS * math.ceil(60_000 / BATCH_SIZE)
) -> PixelCNN:
    """Return the compiled model; its convolutions run faster on a CPU without XLA.

    Args:
        blocks: of each stack.
        width: channels of each stack.
        steps: the length of the training, over which Adam's rate falls from 0.002 to 0 along half a cosine.
    """
    model = PixelCNN(IMAGE_SHAPE, *build_stacks(blocks=blocks, width=width), name="pixelcnn")
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    model.compile(keras.optimizers.Adam(rate, clipnorm=1.0), jit_compile=False)
    return model


def draw(images: np.ndarray, generator: np.random.Generator) -> tuple[np.ndarray]:
    """Binarize a batch anew."""
    return (mnist.binarize(images, generator),)


def measure(model: PixelCNN) -> dict[str, dict]:
    """Return the model's test likelihood, in nats an image and in bits a pixel."""
    images = mnist.binarize(mnist.load_arrays("test")[0], np.random.default_rng(0))
    nats = -float(model.log_prob(images).mean())
    protocol = (
        "dynamic binarization of all 60,000 training images; one draw (seed 0) of all 10,000 test images; exact; "
        "float16 weights as saved"
    )
    return {
        "MNIST test NLL": {"value": round(nats, 2), "unit": "nats", "protocol": protocol},
        "MNIST test NLL of a pixel": {
            "value": round(nats / math.log(2) / math.prod(IMAGE_SHAPE), 4),
            "unit": "bits/dim",
            "protocol": protocol,
        },
    }


recipe = Recipe(
    name="pixelcnn",
    purpose="Scores, completes and draws binary digits, pixel by pixel (gated PixelCNN).",
    seed=0,
    epochs=EPOCHS,
    batch_size=BATCH_SIZE,
    arrays=lambda: mnist.load_arrays("train")[:1],
    prepare=draw,
    build=build_pixel_cnn,
    measure=measure,
)
