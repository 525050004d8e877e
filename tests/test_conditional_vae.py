"""The conditional VAE: it obeys its condition, its bound is conditional, and it refuses what it was not built for."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import logsumexp
from scipy.stats import norm

from gencourse.autoencoders import ConditionalVAE
from gencourse.autoencoders.networks import (
    build_decoder,
    build_encoder,
    image_condition,
    label_condition,
)
from gencourse.layers import GaussianHead

SHAPE = (4, 4, 1)


def build(latent_size: int = 2, beta: float = 1.0) -> ConditionalVAE:
    condition = label_condition(2)
    model = ConditionalVAE(
        build_encoder(SHAPE, GaussianHead(latent_size), (16,), condition),
        build_decoder(SHAPE, latent_size, (16,), condition=condition),
        classes=2,
        beta=beta,
    )
    model.compile(keras.optimizers.Adam(0.01))
    return model


def build_completion(classes: int | None = None) -> ConditionalVAE:
    condition = image_condition((2, 4, 1), "upper")
    encoder = build_encoder((2, 4, 1), GaussianHead(2), (8,), condition)
    return ConditionalVAE(encoder, build_decoder((2, 4, 1), 2, (8,), condition=condition), classes)


def batch(n: int = 6) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    image = generator.integers(0, 2, (n, *SHAPE)).astype("float32")
    return {"image": image, "label": generator.integers(0, 2, n).astype("int32")}


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return build()


def test_label_decides_the_brightness():
    keras.utils.set_random_seed(0)
    generator = np.random.default_rng(0)
    label = np.arange(512, dtype="int32") % 2
    brightness = np.where(label == 1, 0.85, 0.15)[:, None, None, None]
    image = (generator.random((512, *SHAPE)) < brightness).astype("float32")
    model = build()
    model.fit({"image": image, "label": label}, batch_size=64, epochs=30, verbose=0)
    for label, expected in ((0, 0.15), (1, 0.85)):
        # The data's own mean over 256 x 16 pixels has deviation 0.0056, the 500 samples' next to none.
        assert abs(np.mean(model.sample(500, label=label, seed=1)) - expected) < 0.02


def test_label_weighs_against_the_latent_vector_from_the_start():
    keras.utils.set_random_seed(0)

    def variance_ratio(features, size):
        """Var over labels / Var over z, of what the first layer makes of each before training."""
        kernel = keras.initializers.GlorotUniform()((2 + size, 400))
        z = np.random.default_rng(0).standard_normal((2000, 2))
        return np.var(features @ kernel[2:], axis=0).mean() / np.var(z @ kernel[:2], axis=0).mean()

    ours = label_condition(10)(np.arange(10))
    small = keras.layers.Embedding(10, 50)(np.arange(10))  # Keras draws it within ±0.05
    # All entries of a kernel are alike: the ratio is that of the inputs' summed variances, 0.9 / 2 for one-hot vectors
    # and 0.9 · 50 · 0.05² / 3 / 2 = 0.019 for the embedding.
    assert np.isclose(variance_ratio(np.array(ours), 10), 0.45, rtol=0.1)
    assert variance_ratio(np.array(small), 50) < 0.03


def test_log_prob_is_conditional():
    """With one latent dimension the integral over z can be done on a grid, for each label."""
    keras.utils.set_random_seed(1)
    model = build(latent_size=1)
    z = np.linspace(-8, 8, 4001)
    x = batch(5)
    exact = {}
    for label in (0, 1):
        p = np.clip(model.decode(z[:, None].astype("float32"), label), 1e-12, 1).reshape(-1, 16)
        likelihood = x["image"].reshape(5, 16) @ np.log(p).T + (1 - x["image"].reshape(5, 16)) @ np.log1p(-p).T
        exact[label] = logsumexp(likelihood + norm.logpdf(z), axis=1) + np.log(z[1] - z[0])
    for label in (0, 1):
        estimate = model.log_prob({**x, "label": np.full(5, label)}, samples=50_000)
        # The weights vary by less than 4 times their mean, so the error has a deviation below 4 / √50,000 = 0.018.
        assert np.allclose(estimate, exact[label], atol=0.05)
    assert np.abs(exact[0] - exact[1]).max() > 0.2


@pytest.mark.parametrize("beta", [1.0, 4.0])
def test_evaluate_is_the_sum_of_both_terms(beta):
    scores = build(beta=beta).evaluate(batch(7), batch_size=3, verbose=0, return_dict=True)
    assert np.isclose(scores["loss"], scores["reconstruction"] + beta * scores["kl"], rtol=1e-5)


def test_decoding_with_the_own_label_is_the_reconstruction(model):
    x = batch()
    assert np.array_equal(model.decode(model.encode(x), x["label"]), model.reconstruct(x))
    other = model.decode(model.encode(x), 1 - x["label"])
    assert not np.allclose(other, model.reconstruct(x), atol=1e-4)


def test_one_label_stands_for_all(model):
    assert np.array_equal(model.sample(3, label=1, seed=0), model.sample(3, label=[1, 1, 1], seed=0))
    assert model.sample(1, label=[0], seed=0).shape == (1, *SHAPE)


def test_labels_may_be_a_list(model):
    x = batch(2)
    assert np.array_equal(model.encode({**x, "label": [0, 1]}), model.encode({**x, "label": np.array([0, 1])}))


def test_one_image_stands_for_all():
    model = build_completion()
    upper = np.random.default_rng(0).random((2, 4, 1), "float32")
    assert np.array_equal(model.sample(3, upper=upper, seed=0), model.sample(3, upper=np.stack([upper] * 3), seed=0))
    assert not np.allclose(model.sample(3, upper=upper, seed=0), model.sample(3, upper=1 - upper, seed=0), atol=1e-4)


X = batch()
BAD_INPUT = [
    ({**X, "label": np.full(6, 2)}, r"Labels span 2\.\.2; accepted are integers in 0\.\.1"),
    ({**X, "label": np.full(6, -1)}, r"Labels span -1\.\.-1"),
    ({**X, "label": X["label"][:, None]}, r"shape \(\w+, 1\); accepted"),
    ({**X, "label": X["label"].astype("float32")}, "Labels are float32"),
    ({**X, "image": X["image"] * 255}, "Images span"),
    ({"image": X["image"], "y": X["label"]}, r"keys \['image', 'y'\]; accepted is one dict of 'image' and 'label'"),
    ({"image": X["image"]}, r"keys \['image'\]; accepted"),
    (X["image"], "is no dict but"),
]  # fmt: skip


@pytest.mark.parametrize(("x", "sentence"), BAD_INPUT)
def test_bad_input_is_refused_eagerly_and_in_fit(model, x, sentence):
    for use in (model, model.encode, model.log_prob, model.fit, model.evaluate):
        with pytest.raises(ValueError, match=sentence):
            use(x)


@pytest.mark.parametrize(("x", "sentence"), BAD_INPUT)
def test_bad_batches_of_a_dataset_are_refused(model, x, sentence):
    for data in (tf.data.Dataset.from_tensor_slices(x).batch(3), tf.data.Dataset.from_tensor_slices((x, x)).batch(3)):
        with pytest.raises(ValueError, match=sentence):
            model.fit(data, verbose=0)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda model: model.sample(2, label=11), r"Labels span 11\.\.11; accepted are integers in 0\.\.1"),
        (lambda model: model.sample(2, label=1.0), "Labels are float"),
        (lambda model: model.sample(2, label=True), "Labels are bool"),
        (lambda model: model.sample(2, label=[0, 1, 0]), "3 conditions for 2 images"),
        (lambda model: model.sample(2), r"conditions \[\]; accepted is 'label' alone"),
        (lambda model: model.sample(2, upper=1), r"conditions \['upper'\]; accepted is 'label'"),
        (lambda model: model.sample(0, label=1), "n is 0"),
        (lambda model: model.sample(2, label=1, seed=-1), "seed is -1"),
        (lambda model: model.decode(np.zeros((2, 3)), 0), r"accepted is \(n, 2\)"),
        (lambda model: model.reconstruct(X["image"]), "is no dict"),
    ],
)
def test_bad_requests_are_refused(model, call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call(model)


def test_bad_condition_images_are_refused():
    model = build_completion()
    half = np.zeros((2, 2, 4, 1), "float32")
    for upper, sentence in (
        (half - 1, "'upper' span"),
        (half[:, :1], "'upper' have shape"),
        (half[:1], "1 conditions"),
    ):
        with pytest.raises(ValueError, match=sentence):
            model.encode({"image": half, "upper": upper})


def test_networks_that_do_not_fit_are_refused():
    label, upper = label_condition(2), image_condition((2, 4, 1), "upper")
    encoder = build_encoder(SHAPE, GaussianHead(2), (8,), label)
    decoder = build_decoder(SHAPE, 2, (8,), condition=label)
    for networks in (
        (build_encoder(SHAPE, GaussianHead(2), (8,)), decoder),
        (encoder, build_decoder(SHAPE, 2, (8,))),
        (encoder, build_decoder(SHAPE, 2, (8,), condition=upper)),
        (decoder, encoder),
    ):
        with pytest.raises(ValueError, match="accepted are 'image' and a condition"):
            ConditionalVAE(*networks, 2)
    with pytest.raises(ValueError, match="classes is None for the condition 'label'"):
        ConditionalVAE(encoder, decoder)
    with pytest.raises(ValueError, match="classes is 10 for the condition 'upper'"):
        build_completion(classes=10)
