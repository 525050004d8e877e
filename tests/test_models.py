"""Every model of the course, tiny, through the one harness: a new model adds one case."""

import keras
import numpy as np
import pytest
from model_harness import CHECKS, Case, case_name, check_name, run_under_jax, runnable

from gencourse.autoencoders import VAE, BetaVAE
from gencourse.autoencoders.networks import (
    build_decoder,
    build_encoder,
    build_residual_decoder,
    build_residual_encoder,
)
from gencourse.layers import DiscretizedLogisticPixels, GaussianHead
from gencourse.recipes.judge import build_judge


def digits() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    return generator.random((8, 28, 28, 1), "float32"), generator.integers(0, 10, 8, "int32")


def small_images(channels: int = 1) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 2, (8, 8, 8, channels)).astype("float32")


def draw(model, n, seed):
    return model.sample(n, seed=seed)


def compiled(model: keras.Model) -> keras.Model:
    model.compile(optimizer=keras.optimizers.Adam(0.01))
    return model


def build_vae(cls=VAE) -> keras.Model:
    return compiled(cls(build_encoder((8, 8, 1), GaussianHead(2), (16,)), build_decoder((8, 8, 1), 2, (16,))))


def build_colour_vae() -> keras.Model:
    encoder = build_residual_encoder((8, 8, 3), GaussianHead(2), channels=2, width=8)
    decoder = build_residual_decoder((8, 8, 3), 2, channels=2, width=8, parameters=2)
    return compiled(VAE(encoder, decoder, DiscretizedLogisticPixels()))


BAD_IMAGES = {
    "pixels in [0, 255]": small_images() * 255,
    "pixels in [-1, 1]": small_images() * 2 - 1,
    "another size": small_images()[:, :7],
    "another number of channels": small_images(3),
    "not finite": small_images() * np.nan,
    "integers": small_images().astype("uint8"),
}

VAE_PROMISES = {
    "networks": ("encoder", "decoder"),
    "deterministic": ("encode", "reconstruct", "log_prob"),
    "sample": draw,
}

CASES = [
    Case(
        "judge",
        build=lambda: build_judge(widths=(4, 4, 4)),
        data=digits,
        inputs=("xy",),
        deterministic=("predict_on_batch",),  # a plain Keras model: it refuses what Keras refuses, so no `bad`
    ),
    Case("vae", build_vae, small_images, bad=BAD_IMAGES, **VAE_PROMISES),
    Case("beta-vae", lambda: build_vae(BetaVAE), small_images, bad=BAD_IMAGES, **VAE_PROMISES),
    Case("colour-vae", build_colour_vae, lambda: small_images(3), bad={"one channel": small_images()}, **VAE_PROMISES),
]


@pytest.mark.parametrize("check", CHECKS, ids=check_name)
@pytest.mark.parametrize("case", runnable(CASES), ids=case_name)
def test_model(case, check):
    check(case)


def test_single_loss_models_under_jax():
    run_under_jax(__file__)
