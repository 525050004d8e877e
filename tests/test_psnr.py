"""The peak signal-to-noise ratio against its definition and TensorFlow's."""

import keras
import numpy as np
import pytest

from gencourse.metrics import PSNR, psnr


def pairs(n: int = 6, channels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    references = generator.random((n, 8, 8, channels), "float32")
    sizes = np.logspace(-3, 0, n).astype("float32").reshape(-1, 1, 1, 1)
    noise = generator.standard_normal(references.shape).astype("float32")
    return references, np.clip(references + sizes * noise, 0, 1)


def test_a_uniform_error_of_a_tenth_has_20_decibels():
    images = np.full((2, 4, 4, 1), 0.5, "float32")
    assert np.allclose(psnr(images + 0.1, images), 20.0, atol=1e-4)  # 10 log10(1 / 0.01); a peak of 255 gives 68.13


def test_psnr_agrees_with_tensorflow_image_by_image():
    import tensorflow as tf

    references, images = pairs()
    assert np.allclose(psnr(images, references), tf.image.psnr(images, references, max_val=1.0), atol=1e-3)


def test_the_metric_is_the_mean_over_images_and_not_the_psnr_of_the_mean_error():
    references, images = pairs()
    metric = PSNR()
    metric.update_state(references[:4], images[:4])
    metric.update_state(references[4:], images[4:])
    errors = ((references.astype("float64") - images) ** 2).mean(axis=(1, 2, 3))
    assert np.isclose(float(metric.result()), np.mean(-10 * np.log10(errors)), atol=1e-3)
    assert float(metric.result()) > -10 * np.log10(errors.mean()) + 1
    metric.reset_state()
    metric.update_state(references[:1], images[:1])
    assert np.isclose(float(metric.result()), -10 * np.log10(errors[0]), atol=1e-3)


def test_an_image_that_equals_its_reference_has_infinite_psnr():
    references, images = pairs(2)
    images[1] = references[1]
    values = np.asarray(psnr(images, references))
    assert np.isfinite(values[0])
    assert np.isposinf(values[1])


def test_fit_reports_the_metric():
    references, images = pairs(channels=1)
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Identity()])
    model.compile(loss="mse", metrics=[PSNR()])
    scores = model.evaluate(images, references, batch_size=4, verbose=0, return_dict=True)
    assert np.isclose(scores["psnr"], np.mean(psnr(images, references)), atol=1e-3)


@pytest.mark.parametrize(
    ("images", "references", "sentence"),
    [
        (np.zeros((2, 4, 4, 1), "float32"), np.zeros((2, 4, 4, 3), "float32"), "accepted is one shape"),
        (np.zeros((1, 4, 4, 1), "float32"), np.zeros((2, 4, 4, 1), "float32"), "accepted is one shape"),
        (np.full((1, 4, 4, 1), 255.0), np.zeros((1, 4, 4, 1)), r"Images span \[255, 255\]"),
        (np.zeros((1, 4, 4, 1)), np.full((1, 4, 4, 1), -1.0), r"References span \[-1, -1\]"),
        (np.zeros((1, 4, 4, 1), "uint8"), np.zeros((1, 4, 4, 1), "uint8"), "divide bytes by 255"),
        (np.zeros((4, 4, 1)), np.zeros((4, 4, 1)), "Images have shape"),
    ],
)
def test_bad_input_is_refused(images, references, sentence):
    with pytest.raises(ValueError, match=sentence):
        psnr(images, references)
    with pytest.raises(ValueError, match=sentence):
        PSNR().update_state(references, images)
