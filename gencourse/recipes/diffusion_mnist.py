"""A diffusion model of digits that is told which digit, and one time in five is not."""

import math
import time

import keras
import numpy as np

from gencourse.datasets import mnist
from gencourse.diffusion import AncestralSampler, ConditionalDiffusionModel, DDIMSampler, HeunSampler, KarrasSigmas
from gencourse.diffusion.sampler import Sampler
from gencourse.metrics import score_digits
from gencourse.networks import build_unet
from gencourse.recipes.recipe import Recipe

EPOCHS = 12
BATCH_SIZE = 32
IMAGE_SHAPE = (28, 28, 1)
LABELS = {"label": 10}
JUDGED = 2000  # samples, as for every generator of digits
COMPARED = 500  # samples where up to 1,000 steps are taken


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


def score(model: ConditionalDiffusionModel, sampler: Sampler, steps: int, n: int) -> dict[str, dict]:
    """Return the scores of n samples, of the first n training labels, beside as many test digits, and the time taken.

    Args:
        model: a conditional one, of digits.
        sampler: the way from noise to an image.
        steps: levels on the way; those of a `HeunSampler` are spaced as in `KarrasSigmas`.
        n: at least 4.
    """
    schedule = KarrasSigmas() if isinstance(sampler, HeunSampler) else None
    label = mnist.load_arrays(f"train[:{n}]")[1]
    start = time.perf_counter()
    images = np.array(model.sample(n, seed=0, steps=steps, sampler=sampler, schedule=schedule, label=label))
    seconds = (time.perf_counter() - start) / n
    scores = score_digits(images, mnist.load_arrays(f"test[:{n}]")[0])
    way = f"{type(sampler).__name__}, {steps} steps, {n:,} samples"
    protocol = (
        f"{n:,} samples (seed 0, with the labels of the first {n:,} training digits) beside the first {n:,} test "
        "digits; the judge's 64 features"
    )
    values = {
        "judge-Fréchet distance": (scores.frechet, "", protocol),
        "judge-precision": (scores.precision, "", protocol),
        "judge-recall": (scores.recall, "", protocol),
        "time": (seconds, "s an image", "the same samples, with compilation unless an earlier row has compiled it"),
    }
    return {
        f"{name} ({way})": {"value": round(float(value), 3), "unit": unit, "protocol": protocol}
        for name, (value, unit, protocol) in values.items()
    }


def measure(model: ConditionalDiffusionModel) -> dict[str, dict]:
    """Return the scores of three samplers, from 20 steps to 1,000."""
    ways = [(DDIMSampler(), 20, JUDGED), (DDIMSampler(), 20, COMPARED), (DDIMSampler(), 250, COMPARED)]
    ways += [(AncestralSampler(), 250, COMPARED), (AncestralSampler(), 1000, COMPARED), (HeunSampler(), 250, COMPARED)]
    return {name: metric for way in ways for name, metric in score(model, *way).items()}


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
