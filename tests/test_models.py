"""Every model of the course, tiny, through the one harness: a new model adds one case."""

import keras
import numpy as np
import pytest
from model_harness import CHECKS, Case, case_name, check_name, run_under_jax, runnable

from gencourse.autoencoders import (
    VAE,
    Autoencoder,
    BetaVAE,
    ConditionalVAE,
    DenoisingAutoencoder,
    DisentangledVAE,
    SparseAutoencoder,
)
from gencourse.autoencoders.networks import (
    build_decoder,
    build_encoder,
    build_residual_decoder,
    build_residual_encoder,
    image_condition,
    label_condition,
)
from gencourse.autoregressive import PixelCNN, PixelRNN
from gencourse.autoregressive.pixel_cnn import build_stacks
from gencourse.autoregressive.pixel_rnn import build_row_lstm
from gencourse.diffusion import AncestralSampler, ConditionalDiffusionModel, DiffusionModel
from gencourse.flows import Glow, RealNVP
from gencourse.language import GPT, CharRNN, FineTunedGPT
from gencourse.layers import DiscretizedLogisticPixels, GaussianHead, SinusoidalPositionEmbedding
from gencourse.networks import Transformer
from gencourse.recipes.judge import build_judge


def digits() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    return generator.random((8, 28, 28, 1), "float32"), generator.integers(0, 10, 8, "int32")


def small_images(channels: int = 1) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 2, (8, 8, 8, channels)).astype("float32")


def windows() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 7, (8, 6)).astype("int32")


def build_gpt() -> GPT:
    return compiled(GPT(Transformer(7, 5, depth=1, heads=2, width=8, dropout=0.1)))


def write(model, n, seed):
    return model.sample(n, seed, length=4)


def draw(model, n, seed):
    return model.sample(n, seed=seed)


def compiled(model: keras.Model) -> keras.Model:
    model.compile(optimizer=keras.optimizers.Adam(0.01))
    return model


def build_autoencoder(cls=Autoencoder, **options) -> keras.Model:
    encoder = build_encoder((8, 8, 1), keras.layers.Dense(2), (16,))
    return compiled(cls(encoder, build_decoder((8, 8, 1), 2, (16,), activation="sigmoid"), **options))


def build_vae(cls=VAE) -> keras.Model:
    return compiled(cls(build_encoder((8, 8, 1), GaussianHead(2), (16,)), build_decoder((8, 8, 1), 2, (16,))))


def build_disentangled_vae() -> keras.Model:
    return build_vae(lambda encoder, decoder: DisentangledVAE(encoder, decoder, dataset_size=8))


def build_colour_vae() -> keras.Model:
    encoder = build_residual_encoder((8, 8, 3), GaussianHead(2), channels=2, width=8)
    decoder = build_residual_decoder((8, 8, 3), 2, channels=2, width=8, parameters=2)
    return compiled(VAE(encoder, decoder, DiscretizedLogisticPixels()))


def build_conditional_vae() -> keras.Model:
    label = label_condition(3)
    encoder = build_encoder((8, 8, 1), GaussianHead(2), (16,), label)
    return compiled(ConditionalVAE(encoder, build_decoder((8, 8, 1), 2, (16,), condition=label), classes=3))


def build_completion_vae() -> keras.Model:
    upper = image_condition((4, 8, 1), "upper")
    encoder = build_encoder((4, 8, 1), GaussianHead(2), (16,), upper)
    return compiled(ConditionalVAE(encoder, build_decoder((4, 8, 1), 2, (16,), condition=upper)))


def build_pixel_cnn() -> keras.Model:
    return compiled(PixelCNN((8, 8, 1), *build_stacks(blocks=1, width=4, classes=3), classes=3))


def build_pixel_rnn() -> keras.Model:
    return compiled(PixelRNN((8, 8, 1), *build_row_lstm(depth=1, units=4)))


def build_denoiser(**labels: int) -> keras.Model:
    inputs = {"image": keras.Input((8, 8, 1), name="image"), "angle": keras.Input((), name="angle")}
    given = {name: keras.Input((), dtype="int32", name=name) for name in labels}
    told = [SinusoidalPositionEmbedding(8)(inputs["angle"])]
    told += [keras.layers.Embedding(classes + 1, 8)(given[name]) for name, classes in labels.items()]
    told = keras.layers.Reshape((1, 1, 8))(keras.layers.Dense(8)(keras.layers.Concatenate()(told)))
    x = keras.layers.Activation("silu")(keras.layers.Conv2D(8, 3, padding="same")(inputs["image"]) + told)
    return keras.Model({**inputs, **given}, keras.layers.Conv2D(1, 3, padding="same", dtype="float32")(x))


def build_conditional_diffusion() -> keras.Model:
    return compiled(ConditionalDiffusionModel(build_denoiser(label=3), {"label": 3}, objective="velocity"))


def points() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(8, 2)).astype("float32")


def labelled(images: np.ndarray, label=(0, 1, 2, 0, 1, 2, 0, 1)) -> dict[str, np.ndarray]:
    return {"image": images, "label": np.array(label)}


def halves(lower_scale: float = 1.0, upper_scale: float = 1.0) -> dict[str, np.ndarray]:
    images = small_images()
    return {"image": images[:, 4:] * lower_scale, "upper": images[:, :4] * upper_scale}


BAD_IMAGES = {
    "pixels in [0, 255]": small_images() * 255,
    "pixels in [-1, 1]": small_images() * 2 - 1,
    "another size": small_images()[:, :7],
    "another number of channels": small_images(3),
    "not finite": small_images() * np.nan,
    "integers": small_images().astype("uint8"),
}

BAD_LABELLED = {
    **{what: labelled(images) for what, images in BAD_IMAGES.items()},
    "a label too large": labelled(small_images(), np.full(8, 3)),
    "a label below 0": labelled(small_images(), np.full(8, -1)),
    "labels of rank 2": labelled(small_images(), np.zeros((8, 1), "int32")),
    "one-hot labels": labelled(small_images(), np.eye(8, 3, dtype="float32")),
    "another key": {"image": small_images(), "class": np.zeros(8, "int32")},
    "no label": {"image": small_images()},
    "the label as y": (small_images(), np.zeros(8, "int32")),
}

BAD_PIXELS = {**BAD_IMAGES, "values between the levels": small_images() / 3}

BAD_POINTS = {
    "another size": points()[:, :1],
    "integers": points().astype("int32"),
    "not finite": points() * np.nan,
}

AUTOENCODER_PROMISES = {
    "data": small_images,
    "networks": ("encoder", "decoder"),
    "deterministic": ("encode", "reconstruct", "reconstruction_error"),
    "bad": BAD_IMAGES,
}
VAE_PROMISES = {
    "networks": ("encoder", "decoder"),
    "deterministic": ("encode", "reconstruct", "log_prob"),
    "sample": draw,
}
CONDITIONAL_PROMISES = {**VAE_PROMISES, "inputs": ("dict",), "sample": lambda m, n, seed: m.sample(n, seed, label=1)}
FLOW_PROMISES = {"deterministic": ("encode", "log_prob"), "sample": draw}
PIXEL_RNN_PROMISES = {"networks": ("stem", "head"), "deterministic": ("log_prob",), "sample": draw}

BAD_IDS = {"an id outside": windows() + 1, "floats": windows() / 2, "one token": windows()[:, :1]}

CASES = [
    Case(
        "judge",
        build=lambda: build_judge(widths=(4, 4, 4)),
        data=digits,
        inputs=("xy",),
        deterministic=("predict_on_batch",),  # a plain Keras model: it refuses what Keras refuses, so no `bad`
    ),
    Case("autoencoder", build_autoencoder, **AUTOENCODER_PROMISES),
    Case(
        "denoising-autoencoder", lambda: build_autoencoder(DenoisingAutoencoder, noise_std=0.3), **AUTOENCODER_PROMISES
    ),
    Case("sparse-autoencoder", lambda: build_autoencoder(SparseAutoencoder), **AUTOENCODER_PROMISES),
    Case("vae", build_vae, small_images, bad=BAD_IMAGES, **VAE_PROMISES),
    Case("beta-vae", lambda: build_vae(BetaVAE), small_images, bad=BAD_IMAGES, **VAE_PROMISES),
    Case("disentangled-vae", build_disentangled_vae, small_images, bad=BAD_IMAGES, **VAE_PROMISES),
    Case("colour-vae", build_colour_vae, lambda: small_images(3), bad={"one channel": small_images()}, **VAE_PROMISES),
    Case(
        "conditional-vae",
        build_conditional_vae,
        lambda: labelled(small_images()),
        bad=BAD_LABELLED,
        **CONDITIONAL_PROMISES,
    ),
    Case(
        "completion-vae",
        build_completion_vae,
        halves,
        bad={"the condition in bytes": halves(upper_scale=255), "the image in bytes": halves(lower_scale=255)},
        **{**CONDITIONAL_PROMISES, "sample": lambda m, n, seed: m.sample(n, seed, upper=small_images()[0, :4])},
    ),
    Case(
        "real-nvp",
        lambda: compiled(RealNVP((2,), couplings=2, width=8)),
        points,
        bad=BAD_POINTS,
        **FLOW_PROMISES,
    ),
    Case(
        "glow",
        lambda: compiled(Glow((8, 8, 1), scales=2, steps=1, width=2, levels=2)),
        small_images,
        bad=BAD_PIXELS,
        **FLOW_PROMISES,
    ),
    Case(
        "pixel-cnn",
        build_pixel_cnn,
        lambda: labelled(small_images()),
        inputs=("dict",),
        networks=("vertical", "horizontal"),
        deterministic=("log_prob",),
        sample=lambda m, n, seed: m.sample(n, seed, label=1),
        bad={**BAD_LABELLED, "values between the levels": labelled(small_images() / 3)},
    ),
    Case("pixel-rnn", build_pixel_rnn, small_images, bad=BAD_PIXELS, **PIXEL_RNN_PROMISES),
    Case(
        "diffusion",
        lambda: compiled(DiffusionModel(build_denoiser())),
        small_images,
        networks=("network",),
        sample=lambda m, n, seed: m.sample(n, seed, steps=3, sampler=AncestralSampler()),
        bad=BAD_IMAGES,
    ),
    Case(
        "conditional-diffusion",
        build_conditional_diffusion,
        lambda: labelled(small_images()),
        inputs=("dict",),
        networks=("network",),
        sample=lambda m, n, seed: m.sample(n, seed, steps=3, label=1, guidance=2.0),
        bad=BAD_LABELLED,
    ),
    Case(
        "gpt",
        build_gpt,
        windows,
        networks=("transformer",),
        deterministic=("log_prob",),
        sample=write,
        bad={**BAD_IDS, "more than the context": np.pad(windows(), ((0, 0), (0, 1)))},
    ),
    Case(
        "char-rnn",
        lambda: compiled(CharRNN(7, units=8, cell="gru", dropout=0.1)),
        windows,
        deterministic=("log_prob",),
        sample=write,
        bad=BAD_IDS,
    ),
    Case(
        "fine-tuned-gpt",
        lambda: compiled(FineTunedGPT(GPT(Transformer(7, 5, 1, 2, 8)), classes=3, pad=0, language_weight=0.5)),
        lambda: (1 + windows()[:, :5] % 6, np.arange(8, dtype="int32") % 3),
        inputs=("xy",),
        networks=("gpt", "head"),
        deterministic=("classify",),
        bad={"text after padding": (np.eye(8, 5, dtype="int32"), np.arange(8) % 3)},
    ),
]


@pytest.mark.parametrize("check", CHECKS, ids=check_name)
@pytest.mark.parametrize("case", runnable(CASES), ids=case_name)
def test_model(case, check):
    check(case)


def test_single_loss_models_under_jax():
    run_under_jax(__file__)
