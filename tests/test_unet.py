"""The U-Net and the embedding of its time: what they see, what they give at first, and what they refuse."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gencourse.layers import SinusoidalPositionEmbedding
from gencourse.networks import build_unet


@pytest.mark.parametrize("dim", [2, 33, 64])
def test_products_of_embeddings_depend_on_the_distance_alone(dim):
    t = np.arange(0, 1000, 97)
    embedding = SinusoidalPositionEmbedding(dim)
    here, there = np.array(embedding(t)), np.array(embedding(t + 7))
    assert here.shape == (len(t), dim)
    frequencies = 10_000.0 ** (-np.arange(dim // 2) / (dim // 2))
    np.testing.assert_allclose(np.sum(here * there, axis=-1), np.cos(7 * frequencies).sum(), atol=1e-3)
    np.testing.assert_allclose(np.sum(here**2, axis=-1), dim // 2, rtol=1e-5)


def test_slowest_wave_has_the_period_asked_for():
    waves = np.array(SinusoidalPositionEmbedding(2, max_period=50.0)(np.float32([[0.0, np.pi / 2]])))
    np.testing.assert_allclose(waves, [[[0, 1], [1, 0]]], atol=1e-6)  # of one wave the first is also the fastest
    embedding = SinusoidalPositionEmbedding(200, max_period=50.0)
    slowest = np.array(embedding(np.float32([0.5 * np.pi * 50.0**0.99])))[0, 99]
    assert slowest == pytest.approx(1, abs=1e-6)


def test_embedding_survives_saving_and_float16():
    layer = SinusoidalPositionEmbedding(9, max_period=100.0, dtype="mixed_float16")
    copy = SinusoidalPositionEmbedding.from_config(layer.get_config())
    positions = np.float32([1000.0, 1000.4])  # in float16 both would be 1000.5
    assert layer(positions).dtype == "float32"
    np.testing.assert_array_equal(layer(positions), copy(positions))
    assert np.abs(np.diff(layer(positions), axis=0)).max() > 0.1


@pytest.mark.parametrize("arguments", [{"dim": 1}, {"dim": 8.0}, {"dim": 8, "max_period": 1.0}])
def test_impossible_embeddings_are_refused(arguments):
    with pytest.raises(ValueError, match="accepted is"):
        SinusoidalPositionEmbedding(**arguments)


@pytest.fixture(scope="module")
def tiny():
    keras.utils.set_random_seed(0)
    return build_unet((6, 8, 2), (8, 16), attention=(3,), labels={"label": 3})


def inputs(n: int = 3, **change):
    image = np.random.default_rng(0).normal(size=(n, 6, 8, 2)).astype("float32")
    return {"image": image, "angle": np.full(n, 0.7, "float32"), "label": np.zeros(n, "int32"), **change}


def test_unet_gives_zeros_at_first(tiny):
    output = np.array(tiny(inputs()))
    assert output.shape == (3, 6, 8, 2)
    assert not output.any()


def test_unet_hears_the_angle_and_the_label_at_every_pixel(tiny):
    generator = np.random.default_rng(0)
    start = tiny.get_weights()
    tiny.set_weights([w if w.any() else generator.normal(0, 0.1, w.shape) for w in start])
    told = np.array(tiny(inputs()))
    for change in ({"angle": np.full(3, 0.71, "float32")}, {"label": np.full(3, 3, "int32")}):  # 3 is the null label
        moved = np.abs(np.array(tiny(inputs(**change))) - told)
        assert moved.min() > 0
        assert moved.mean() > 1e-3 * np.abs(told).mean()
    tiny.set_weights(start)


def test_every_weight_of_the_unet_matters():
    keras.utils.set_random_seed(0)
    unet = build_unet((4, 4, 1), (8, 16), attention=(2,), labels={"label": 3})
    generator = np.random.default_rng(0)
    unet.set_weights([w if w.any() else generator.normal(0, 0.1, w.shape) for w in unet.get_weights()])
    image, angle = generator.normal(size=(4, 4, 4, 1)), np.linspace(0.1, 1.5, 4)
    with tf.GradientTape() as tape:
        output = unet({"image": image, "angle": angle, "label": np.arange(4)})
        loss = tf.reduce_sum(output * generator.normal(size=output.shape).astype("float32"))
    gradients = tape.gradient(loss, unet.trainable_variables)
    for variable, gradient in zip(unet.trainable_variables, gradients, strict=True):
        assert np.any(tf.convert_to_tensor(gradient)), variable.path


def test_unet_sees_the_whole_image_and_no_other():
    """A pixel in one corner changes the opposite one, far from where convolutions reach, and no other image."""
    keras.utils.set_random_seed(0)
    generator = np.random.default_rng(0)
    images = generator.normal(size=(2, 32, 32, 1)).astype("float32")
    changed = images.copy()
    changed[0, 0, 0] += 1
    unet = build_unet((32, 32, 1), (8, 8), attention=(16,))
    unet.set_weights([w if w.any() else generator.normal(0, 0.1, w.shape) for w in unet.get_weights()])
    before, after = (np.array(unet({"image": x, "angle": np.ones(2, "float32")})) for x in (images, changed))
    assert (before[0, -1, -1] != after[0, -1, -1]).any()
    np.testing.assert_array_equal(before[1], after[1])


def test_unet_survives_saving_and_float16(tmp_path):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        unet = build_unet((6, 8, 2), (8, 16), attention=(3,), labels={"label": 3})
    finally:
        keras.config.set_dtype_policy(before)
    generator = np.random.default_rng(0)
    unet.set_weights([w if w.any() else generator.normal(0, 0.1, w.shape) for w in unet.get_weights()])
    unet.save(tmp_path / "unet.keras")
    copy = keras.saving.load_model(tmp_path / "unet.keras")
    output = unet(inputs())
    assert output.dtype == "float32"
    assert np.isfinite(output).all()
    np.testing.assert_array_equal(output, copy(inputs()))


def test_unet_for_digits_has_the_size_that_two_cores_can_train():
    assert 5e5 < build_unet((28, 28, 1)).count_params() < 1e6


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"image_shape": (30, 28, 1)}, r"\(30, 28, 1\) for 3 levels; accepted are sides that are multiples of 4"),
        ({"image_shape": (28, 30, 1)}, "multiples of 4"),
        ({"widths": ()}, "widths is empty"),
        ({"widths": (0, 8, 8)}, "A width is 0"),
        ({"widths": (8.0, 8, 8)}, r"A width is 8\.0"),
        ({"widths": (8, 10, 8)}, "A width is 10; accepted are multiples of 4"),
        ({"blocks": 0}, "blocks is 0"),
        ({"attention": (8,)}, r"attention is \(8,\); accepted are heights of the levels, \[7, 14, 28\]"),
        ({"heads": 5}, "heads is 5 for 16 channels"),
        ({"labels": {"label": 0}}, "The number of classes of 'label' is 0"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        build_unet(**{"image_shape": (28, 28, 1), "widths": (8, 16, 16), "attention": (7,), **arguments})
