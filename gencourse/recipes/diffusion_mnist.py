"""A diffusion model of digits that is told which digit, and one time in five is not."""

import math

import keras
import numpy as np

from gencourse.datasets import mnist
from gencourse.diffusion import AncestralSampler, ConditionalDiffusionModel, DDIMSampler
from gencourse.diffusion.sampler import Sampler
from gencourse.metrics import score_digits
from gencourse.networks import build_unet
from gencourse.recipes.recipe import Recipe

EPOCHS = 12
BATCH_SIZE = 32
IMAGE_SHAPE = (28, 28, 1)
LABELS = {"label": 10}
JUDGED = 2000


def build_diffusion(
    widths: tuple[int, ...] = (24, 48, 72), steps: int = EPOCHS * math.ceil(60_000 / BATCH_SIZE)
) -> ConditionalDiffusionModel:
    """Return the compiled model, which also draws without a label; its weights are averaged over a thousand steps.

    Args:
        widths: channels of the U-Net at each of three levels.
        steps: the length of the training, over which Adam's rate falls from 0.001 to 0 along half a cosine.
    """
    model = ConditionalDiffusionModel(
        build_unet(IMAGE_SHAPE, widths, labels=LABELS), LABELS, objective="velocity", drop_rate=0.2, name="diffusion"
    )
    rate = keras.optimizers.schedules.CosineDecay(1e-3, steps)
    model.compile(keras.optimizers.Adam(rate, use_ema=True, ema_momentum=0.999))
    return model


def labelled(images: np.ndarray, labels: np.ndarray, _) -> tuple[dict[str, np.ndarray]]:
    """Put a batch into the form that a conditional model takes."""
    return ({"image": images, "label": labels},)


def score(model: ConditionalDiffusionModel, sampler: Sampler, steps: int) -> dict[str, dict]:
    """Return the scores of 2,000 samples without a label.

    Args:
        model: a conditional one, of digits.
        sampler: the way from noise to an image.
        steps: levels on the way.
    """
    real = mnist.load_arrays(f"test[:{JUDGED}]")[0]
    scores = score_digits(np.array(model.sample(JUDGED, seed=0, steps=steps, sampler=sampler)), real)
    way = f"{type(sampler).__name__}, {steps} steps"
    protocol = f"{JUDGED:,} samples (seed 0, no label) beside the first {JUDGED:,} test digits; the judge's 64 features"
    names = {"frechet": "judge-Fréchet distance", "precision": "judge-precision", "recall": "judge-recall"}
    return {
        f"{name} ({way})": {"value": round(float(getattr(scores, field)), 3), "unit": "", "protocol": protocol}
        for field, name in names.items()
    }


def measure(model: ConditionalDiffusionModel) -> dict[str, dict]:
    """Return the scores by a fast sampler without noise, and by the ancestral one."""
    return score(model, DDIMSampler(), steps=20) | score(model, AncestralSampler(), steps=250)


recipe = Recipe(
    name="diffusion_mnist",
    purpose="Draws digits, of a label or without, out of noise in 20 steps or more (conditional diffusion, U-Net).",
    seed=0,
    epochs=EPOCHS,
    batch_size=BATCH_SIZE,
    arrays=lambda: mnist.load_arrays("train"),
    prepare=labelled,
    build=build_diffusion,
    measure=measure,
)
