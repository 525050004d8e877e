"""A DCGAN on digits."""

import keras
import numpy as np

from gencourse.datasets import mnist
from gencourse.gans import DCGAN
from gencourse.gans.dcgan import build_discriminator, build_generator
from gencourse.metrics import score_digits
from gencourse.recipes.recipe import Recipe

IMAGE_SHAPE = (28, 28, 1)
JUDGED = 2000


def build_dcgan(channels: int = 32, latent_size: int = 64) -> DCGAN:
    """Return the compiled model, with five times the paper's rate and an average over about a thousand steps.

    Args:
        channels: of the generator's last hidden layer and of the discriminator's first.
        latent_size: of the noise.
    """
    model = DCGAN(
        build_generator(IMAGE_SHAPE, latent_size, channels),
        build_discriminator(IMAGE_SHAPE, channels),
        ema_momentum=0.999,
        name="dcgan",
    )
    model.compile(keras.optimizers.Adam(1e-3, beta_1=0.5), keras.optimizers.Adam(1e-3, beta_1=0.5))
    return model


def measure(model: DCGAN) -> dict[str, dict]:
    """Return the scores of 2,000 samples, and of 2,000 further real digits, which no generator can beat for long."""
    real = mnist.load_arrays(f"test[:{2 * JUDGED}]")[0]
    sides = {"": np.array(model.sample(JUDGED, seed=0)), " of real digits, the floor": real[JUDGED:]}
    scores = {side: score_digits(images, real[:JUDGED]) for side, images in sides.items()}
    protocol = f"{JUDGED:,} samples (seed 0) beside the first {JUDGED:,} test digits; the judge's 64 features"
    names = {"frechet": "judge-Fréchet distance", "precision": "judge-precision", "recall": "judge-recall"}
    return {
        name + side: {"value": round(float(getattr(score, field)), 3), "unit": "", "protocol": protocol}
        for field, name in names.items()
        for side, score in scores.items()
    }


recipe = Recipe(
    name="dcgan_mnist",
    purpose="Draws digits from 64 normal numbers (DCGAN).",
    seed=0,
    epochs=50,
    batch_size=128,
    arrays=lambda: mnist.load_arrays("train")[:1],
    prepare=lambda images, _: (images,),
    build=build_dcgan,
    measure=measure,
)
