"""Every GAN of the course, tiny, through the one harness."""

import keras
import numpy as np
import pytest
from model_harness import CHECKS, Case, case_name, check_name

from gencourse.gans import DCGAN, WGAN, ConditionalGAN
from gencourse.gans.conditional_gan import (
    build_conditional_generator,
    build_projection_discriminator,
)
from gencourse.gans.dcgan import build_discriminator, build_generator

SHAPE = (8, 8, 1)


def images() -> np.ndarray:
    return np.random.default_rng(0).random((8, *SHAPE), "float32")


def labelled(label=(0, 1, 2, 0, 1, 2, 0, 1)) -> dict[str, np.ndarray]:
    return {"image": images(), "label": np.array(label)}


def compiled(model: keras.Model) -> keras.Model:
    model.compile(keras.optimizers.Adam(2e-3, beta_1=0.5), keras.optimizers.Adam(2e-3, beta_1=0.5))
    return model


def build_dcgan() -> DCGAN:
    return compiled(DCGAN(build_generator(SHAPE, 4, 4), build_discriminator(SHAPE, 4)))


def build_wgan() -> WGAN:
    return compiled(WGAN(build_generator(SHAPE, 4, 4), build_discriminator(SHAPE, 4, normalize=False), critic_steps=2))


def build_conditional_gan() -> ConditionalGAN:
    generator = build_conditional_generator(SHAPE, classes=3, latent_size=4, channels=4)
    discriminator = build_projection_discriminator(SHAPE, classes=3, channels=4)
    return compiled(ConditionalGAN(generator, discriminator, classes=3))


PROMISES = {"networks": ("generator", "discriminator"), "adversarial": True}
UNCONDITIONAL = {
    **PROMISES,
    "sample": lambda model, n, seed: model.sample(n, seed),
    "bad": {
        "pixels in [-1, 1]": images() * 2 - 1,
        "pixels in [0, 255]": images() * 255,
        "another size": images()[:, :7],
        "not finite": images() * np.nan,
    },
}
CONDITIONAL = {
    **PROMISES,
    "inputs": ("dict",),
    "sample": lambda model, n, seed: model.sample(n, seed, label=1),
    "bad": {
        "a label too large": labelled(np.full(8, 3)),
        "labels of rank 2": labelled(np.zeros((8, 1), "int32")),
        "no label": {"image": images()},
        "the label as y": (images(), np.zeros(8, "int32")),
    },
}

CASES = [
    Case("dcgan", build_dcgan, images, **UNCONDITIONAL),
    Case("wgan", build_wgan, images, **UNCONDITIONAL),
    Case("conditional-gan", build_conditional_gan, labelled, **CONDITIONAL),
]


@pytest.mark.parametrize("check", CHECKS, ids=check_name)
@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_model(case, check):
    check(case)
