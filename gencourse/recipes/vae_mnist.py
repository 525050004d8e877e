"""A residual convolutional VAE on binary digits."""

import math

import keras
import numpy as np

from gencourse.autoencoders import VAE
from gencourse.autoencoders.networks import build_residual_decoder, build_residual_encoder
from gencourse.datasets import mnist
from gencourse.layers import GaussianHead
from gencourse.recipes.recipe import Recipe

EPOCHS = 75
BATCH_SIZE = 128
IMAGE_SHAPE = (28, 28, 1)
LATENT_SIZE = 50


def build_vae(channels: int = 16, width: int = 200, steps: int = EPOCHS * math.ceil(60_000 / BATCH_SIZE)) -> VAE:
    """Return the compiled model.

    Args:
        channels: of the outer convolutions.
        width: of the dense layers.
        steps: the length of the training, over which Adam's rate falls from 0.003 to 0 along half a cosine.
    """
    model = VAE(
        build_residual_encoder(IMAGE_SHAPE, GaussianHead(LATENT_SIZE), channels, width),
        build_residual_decoder(IMAGE_SHAPE, LATENT_SIZE, channels, width),
        name="vae",
    )
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, steps)))
    return model


def draw(images: np.ndarray, generator: np.random.Generator) -> tuple[np.ndarray]:
    """Binarize a batch anew."""
    return (mnist.binarize(images, generator),)


def measure(model: VAE) -> dict[str, dict]:
    """Return the model's test likelihood and its bound, in nats an image."""
    images = mnist.binarize(mnist.load_arrays("test")[0], np.random.default_rng(0))
    protocol = "dynamic binarization of all 60,000 training images; one draw (seed 0) of all 10,000 test images"
    nll = -model.log_prob(images, samples=500, verbose=1).mean()
    bound = -model.log_prob(images, samples=1).mean()
    return {
        "MNIST test NLL": {
            "value": round(float(nll), 2),
            "unit": "nats",
            "protocol": f"{protocol}; 500 importance samples an image; float16 weights as saved",
        },
        "MNIST test negative ELBO": {
            "value": round(float(bound), 2),
            "unit": "nats",
            "protocol": f"{protocol}; 1 posterior sample an image; float16 weights as saved",
        },
    }


recipe = Recipe(
    name="vae_mnist",
    purpose="Encodes, scores and draws binary digits through 50 latent dimensions (VAE, Bernoulli pixels).",
    seed=0,
    epochs=EPOCHS,
    batch_size=BATCH_SIZE,
    arrays=lambda: mnist.load_arrays("train")[:1],
    prepare=draw,
    build=build_vae,
    measure=measure,
)
