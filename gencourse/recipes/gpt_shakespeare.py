"""A small GPT that writes like Shakespeare, character by character."""

import functools

import keras
import numpy as np

from gencourse.datasets import shakespeare
from gencourse.language import GPT
from gencourse.networks import Transformer
from gencourse.recipes.recipe import Recipe

EPOCHS = 36
BATCH_SIZE = 16
CONTEXT = 128


def build_gpt(depth: int = 5, width: int = 128, steps: int = EPOCHS * 448) -> GPT:
    """Return the compiled model.

    Args:
        depth: blocks.
        width: of the vectors, a multiple of 4.
        steps: the length of the training; Adam's rate rises to 0.0015 in 200 of them and falls to 0 along a cosine.
    """
    vocabulary = len(shakespeare.CHARACTERS)
    model = GPT(Transformer(vocabulary, CONTEXT, depth, 4, width, dropout=0.1), name="gpt")
    rate = keras.optimizers.schedules.CosineDecay(0.0, steps, warmup_target=1.5e-3, warmup_steps=200)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=0.1, beta_2=0.99, global_clipnorm=1.0)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta", "embeddings"])
    model.compile(optimizer)
    return model


@functools.cache
def characters(split: str) -> np.ndarray:
    """Return the ids of all characters of a split, int32."""
    return shakespeare.encode(shakespeare.text(split))


def starts() -> tuple[np.ndarray]:
    """Return where the windows of an epoch begin, one context apart, with room for a shift."""
    return (np.arange(0, len(characters("train")) - 2 * CONTEXT, CONTEXT),)


def shifted_windows(start: np.ndarray, generator: np.random.Generator) -> tuple[np.ndarray]:
    """Return windows (n, CONTEXT + 1), each begun up to a context later, so that no two epochs are alike."""
    start = start + generator.integers(0, CONTEXT, len(start))
    return (characters("train")[start[:, None] + np.arange(CONTEXT + 1)],)


def measure(model: GPT) -> dict[str, dict]:
    """Return the nats a character of two plays that were not read in training."""
    metrics = {}
    for split, play in (("validation", "The Tempest"), ("test", "As You Like It")):
        ids = characters(split)
        begin = np.arange(0, len(ids) - CONTEXT, CONTEXT)
        nats = -model.log_prob(ids[begin[:, None] + np.arange(CONTEXT + 1)]).sum() / (len(begin) * CONTEXT)
        protocol = f"{play}, in windows of {CONTEXT + 1} characters that overlap by one; the first of each is given"
        metrics[f"{split} loss"] = {"value": round(float(nats), 4), "unit": "nats a character", "protocol": protocol}
    return metrics


recipe = Recipe(
    name="gpt_shakespeare",
    purpose="Writes plays character by character, after seven of Shakespeare's (GPT).",
    seed=0,
    epochs=EPOCHS,
    batch_size=BATCH_SIZE,
    arrays=starts,
    prepare=shifted_windows,
    build=build_gpt,
    measure=measure,
)
