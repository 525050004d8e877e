"""The mathematics of the plain, the denoising and the sparse autoencoder."""

import keras
import numpy as np
import pytest
from scipy.linalg import subspace_angles
from scipy.stats import entropy
from sklearn.decomposition import PCA

from gencourse.autoencoders import Autoencoder, DenoisingAutoencoder, SparseAutoencoder
from gencourse.autoencoders.autoencoder import bernoulli_kl
from gencourse.autoencoders.networks import build_decoder, build_encoder

SHAPE = (4, 4, 3)


def images(n: int = 8, shape=SHAPE) -> np.ndarray:
    return np.random.default_rng(0).random((n, *shape), "float32")


def networks(code: int = 3, shape=SHAPE, widths=(16,), activation="sigmoid"):
    keras.utils.set_random_seed(0)
    return (
        build_encoder(shape, keras.layers.Dense(code), widths),
        build_decoder(shape, code, widths, activation=activation),
    )


def identity(shape=SHAPE) -> tuple[keras.Model, keras.Model]:
    """An encoder and a decoder that change nothing."""
    inputs = keras.Input(shape), keras.Input(shape)
    return tuple(keras.Model(x, keras.layers.Identity()(x)) for x in inputs)


def evaluate(model, x, batch_size=8) -> dict[str, float]:
    model.compile()
    return model.evaluate(x, batch_size=batch_size, verbose=0, return_dict=True)


def train(model, x, rate: float, steps: int) -> None:
    """Train on all of x at once, with a falling rate."""
    model.compile(optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps)))
    for _ in range(steps):
        model.train_on_batch(x)


def test_the_loss_sums_over_pixels_and_channels_and_averages_over_images():
    model, x = Autoencoder(*networks()), images()
    errors = ((x.astype("float64") - np.asarray(model.reconstruct(x))) ** 2).sum(axis=(1, 2, 3))
    assert np.isclose(evaluate(model, x, batch_size=3)["loss"], errors.mean(), rtol=1e-5)
    assert np.allclose(model.reconstruction_error(x), errors, rtol=1e-5)


def test_a_sigmoid_keeps_decoded_images_in_range_and_a_linear_layer_is_not_clipped():
    codes = np.full((2, 3), 1e3, "float32") * [[1], [-1]]
    bounded = np.asarray(Autoencoder(*networks()).decode(codes))
    free = np.asarray(Autoencoder(*networks(activation=None)).decode(codes))
    assert bounded.min() >= 0
    assert bounded.max() <= 1
    assert free.min() < 0
    assert free.max() > 1


def test_a_linear_autoencoder_finds_the_subspace_and_the_error_of_pca():
    generator = np.random.default_rng(0)
    blocks = np.repeat(np.eye(4), 4, axis=1)[:3]  # three patches that are switched on and off, and some noise
    pixels = generator.integers(0, 2, (200, 3)) * [0.9, 0.7, 0.5] @ blocks + 0.1 * generator.random((200, 16))
    pca = PCA(3).fit(pixels)
    least = ((pixels - pca.inverse_transform(pca.transform(pixels))) ** 2).sum(axis=1).mean()

    model = Autoencoder(*networks(3, (4, 4, 1), widths=(), activation=None))
    x = pixels.reshape(-1, 4, 4, 1).astype("float32")
    train(model, x, rate=0.1, steps=400)
    kernel, _ = model.decoder.layers[1].get_weights()  # (3, 16)

    assert np.rad2deg(subspace_angles(kernel.T, pca.components_.T)).max() < 1
    assert least <= np.mean(model.reconstruction_error(x)) < 1.2 * least  # no linear map of rank 3 does better


def test_denoising_asks_for_the_clean_image_behind_clipped_noise():
    std, n = 0.1, 128
    model = DenoisingAutoencoder(*identity(), noise_std=std)
    pixels = np.prod(SHAPE)
    tolerance = 5 * np.sqrt(5 / (n * pixels))  # 5 deviations: the square of half a normal has var/mean² = 5
    for value, energy in ((0.5, std**2), (0.0, std**2 / 2), (1.0, std**2 / 2)):  # at the ends, half is clipped away
        loss = evaluate(model, np.full((n, *SHAPE), value, "float32"), batch_size=n)["loss"]
        assert np.isclose(loss / (pixels * energy), 1, atol=tolerance), value


def test_denoising_draws_new_noise_in_every_pass_and_none_in_reconstruct():
    model, x = DenoisingAutoencoder(*identity(), noise_std=0.1), images()
    assert evaluate(model, x)["loss"] != evaluate(model, x)["loss"]
    assert np.array_equal(model.reconstruct(x), x)
    noisy = np.asarray(model(x)[1])
    assert not np.array_equal(noisy, x)
    assert noisy.min() >= 0
    assert noisy.max() <= 1


@pytest.mark.parametrize("target", [0.05, 0.5, 0.9])
def test_the_divergence_of_two_coins(target):
    activation = np.linspace(0.01, 0.99, 21)
    oracle = [entropy([target, 1 - target], [a, 1 - a]) for a in activation]
    assert np.allclose(bernoulli_kl(target, activation), oracle, atol=1e-6)
    assert np.isclose(bernoulli_kl(target, np.float32(target)), 0, atol=1e-7)
    assert np.isfinite(np.asarray(bernoulli_kl(target, np.array([0.0, 1.0], "float32")))).all()


def test_the_sparse_loss_is_error_plus_weighted_divergence_of_the_batch_mean():
    x = images()
    model = SparseAutoencoder(*networks(), target=0.1, sparsity_weight=7.0)
    codes = np.asarray(model.encode(x), "float64")
    assert codes.min() > 0
    assert codes.max() < 1
    scores = evaluate(model, x)
    penalty = sum(entropy([0.1, 0.9], [mean, 1 - mean]) for mean in codes.mean(axis=0))
    assert np.isclose(scores["reconstruction"], np.mean(model.reconstruction_error(x)), rtol=1e-5)
    assert np.isclose(scores["loss"], scores["reconstruction"] + 7 * penalty, rtol=1e-5)
    assert np.isclose(scores["activation"], codes.mean(), rtol=1e-5)


def test_a_heavy_penalty_brings_every_unit_to_the_target():
    # At the optimum weight · dKL/dρ̂ balances the error's gradient, so |ρ̂ - ρ| is of order ρ (1 - ρ) / weight.
    x = images(64)
    model = SparseAutoencoder(*networks(code=8), target=0.2, sparsity_weight=1000.0)
    train(model, x, rate=0.03, steps=200)
    assert np.allclose(np.asarray(model.encode(x)).mean(axis=0), 0.2, atol=0.02)


def test_codes_may_be_feature_maps():
    image, code = keras.Input((8, 8, 1)), keras.Input((4, 4, 2))
    encoder = keras.Model(image, keras.layers.Conv2D(2, 2, strides=2)(image))
    decoder = keras.Model(code, keras.layers.Conv2DTranspose(1, 2, strides=2)(code))
    model = Autoencoder(encoder, decoder)
    assert model.encode(images(2, (8, 8, 1))).shape == (2, 4, 4, 2)
    with pytest.raises(ValueError, match=r"accepted is \(n, 4, 4, 2\)"):
        model.decode(np.zeros((2, 32), "float32"))


def test_networks_that_do_not_fit_together_are_refused():
    encoder, _ = networks()
    for wrong in (build_decoder(SHAPE, 4, (8,)), build_decoder((4, 4, 1), 3, (8,))):
        with pytest.raises(ValueError, match=r"accepted behind this encoder is \(3,\) to \(4, 4, 3\)"):
            Autoencoder(encoder, wrong)


@pytest.mark.parametrize(
    ("cls", "options", "sentence"),
    [
        (DenoisingAutoencoder, {"noise_std": 0.0}, "noise_std is 0.0"),
        (DenoisingAutoencoder, {"noise_std": float("nan")}, "noise_std is nan"),
        (SparseAutoencoder, {"target": 0.0}, "target is 0.0"),
        (SparseAutoencoder, {"target": 1.0}, "target is 1.0"),
        (SparseAutoencoder, {"sparsity_weight": -1.0}, "sparsity_weight is -1.0"),
    ],
)
def test_numbers_out_of_range_are_refused(cls, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        cls(*networks(), **options)


@pytest.mark.parametrize(
    "model",
    [
        lambda: Autoencoder(*networks()),
        lambda: DenoisingAutoencoder(*networks(), noise_std=0.1),
        lambda: SparseAutoencoder(*networks()),
    ],
)
def test_every_entry_refuses_pixels_out_of_range(model):
    model = model()
    for entry in (model, model.encode, model.reconstruct, model.reconstruction_error):
        with pytest.raises(ValueError, match=r"accepted are floats in \[0, 1\] of shape \(n, 4, 4, 3\)"):
            entry(images() * 2)
