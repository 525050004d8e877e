"""A diffusion model of digits that is told which digit, and one time in five is not."""

import math
import time

import keras
import numpy as np
from rich.progress import track

from gencourse.datasets import mnist
from gencourse.diffusion import (
    AncestralSampler,
    ConditionalDiffusionModel,
    DDIMSampler,
    HeunSampler,
    KarrasSigmas,
    LinearSchedule,
)
from gencourse.diffusion.sampler import Sampler
from gencourse.metrics import score_digits
from gencourse.networks import build_unet
from gencourse.recipes.recipe import Recipe

EPOCHS = 21
BATCH_SIZE = 32
IMAGE_SHAPE = (28, 28, 1)
LABELS = {"label": 10}
JUDGED = 2000  # samples, as for every generator of digits
COMPARED = 500  # samples for 20 steps beside 1,000
FEW = 256  # samples for each sampler's curve
ETAS = 0.0, 0.5, 1.0  # of DDIM: no noise on the way, some, and as much as the ancestral sampler
LEVELS = {DDIMSampler: LinearSchedule(), HeunSampler: KarrasSigmas()}  # of others those of the training


def build_diffusion(
    widths: tuple[int, ...] = (24, 48, 72), steps: int = 12 * math.ceil(60_000 / BATCH_SIZE)
) -> ConditionalDiffusionModel:
    """Return the compiled model, which also draws without a label; its weights are averaged over a thousand steps.

    Args:
        widths: channels of the U-Net at each of three levels.
        steps: over which Adam's rate falls from 0.001 to 0 along half a cosine, and then once more, in 3/4 of them.
    """
    model = ConditionalDiffusionModel(
        build_unet(IMAGE_SHAPE, widths, labels=LABELS), LABELS, objective="velocity", drop_rate=0.2, name="diffusion"
    )
    rate = keras.optimizers.schedules.CosineDecayRestarts(1e-3, steps, t_mul=0.75)
    model.compile(keras.optimizers.Adam(rate, use_ema=True, ema_momentum=0.999))
    return model


def labelled(images: np.ndarray, labels: np.ndarray, _) -> tuple[dict[str, np.ndarray]]:
    """Put a batch into the form that a conditional model takes."""
    return ({"image": images, "label": labels},)


def score(model: ConditionalDiffusionModel, sampler: Sampler, steps: int, n: int, seed: int = 0) -> dict[str, dict]:
    """Return the scores of n samples, of the first n training labels, beside as many test digits, and the time taken.

    Args:
        model: a conditional one, of digits.
        sampler: the way from noise to an image; its levels are those of `LEVELS`.
        steps: levels on the way.
        n: at least 4.
        seed: of the samples, >= 0.
    """
    label = mnist.load_arrays(f"train[:{n}]")[1]
    start = time.perf_counter()
    images = model.sample(n, seed, steps, sampler, LEVELS.get(type(sampler)), label=label)
    seconds = (time.perf_counter() - start) / n
    scores = score_digits(np.array(images), mnist.load_arrays(f"test[:{n}]")[0])
    kind = type(sampler).__name__ + (f" of eta {sampler.eta:g}" if getattr(sampler, "eta", 0) else "")
    way = f"{kind}, {steps} steps, {n:,} samples, seed {seed}"
    protocol = (
        f"{n:,} samples with the labels of the first {n:,} training digits beside the first {n:,} test digits; the "
        "judge's 64 features"
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
    """Return the scores of three samplers, from 20 steps to 1,000, and of DDIM with more and less noise on the way."""
    samplers = DDIMSampler(), AncestralSampler(), HeunSampler()
    ways = [(DDIMSampler(eta), 20, JUDGED, 0) for eta in ETAS] + [(AncestralSampler(), 50, JUDGED, 0)]
    beside = [(DDIMSampler(eta), 20) for eta in ETAS] + [(AncestralSampler(), 1000)]
    ways += [(*way, COMPARED, seed) for seed in (0, 1) for way in beside]
    ways += [(sampler, steps, FEW, 0) for steps in (250, 1000) for sampler in samplers]
    return {name: metric for way in track(ways, "Measuring") for name, metric in score(model, *way).items()}


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
