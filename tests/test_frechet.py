"""The Fréchet distance against closed forms and SciPy's matrix square root."""

import keras
import numpy as np
import pytest
from scipy.linalg import sqrtm

from gencourse.datasets import mnist
from gencourse.metrics import FrechetDistance
from gencourse.metrics.frechet import RunningNormal, frechet_distance


def flat(size: int) -> keras.Model:
    """A feature network that gives the pixels themselves."""
    return keras.Sequential([keras.Input((1, size, 1)), keras.layers.Flatten()])


def correlated(n: int, d: int, seed: int) -> np.ndarray:
    """Images (n, 1, d, 1) in [0, 1] whose pixels depend on each other."""
    generator = np.random.default_rng(seed)
    points = generator.normal(size=(n, d)) @ generator.normal(size=(d, d))
    return (0.5 + 0.3 * np.tanh(0.3 * points + generator.normal(size=d) / 3)).astype("float32")[:, None, :, None]


def by_scipy(x: np.ndarray, y: np.ndarray) -> float:
    x, y = x.reshape(len(x), -1).astype("float64"), y.reshape(len(y), -1).astype("float64")
    one, other = np.cov(x.T), np.cov(y.T)
    return np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(one + other - 2 * np.real(sqrtm(one @ other)))


def test_distance_of_normals_that_share_their_axes_is_the_closed_form():
    m1, m2 = np.array([1.0, -2.0, 0.5]), np.array([0.0, 1.0, 0.5])
    s1, s2 = np.array([1.0, 2.0, 0.3]), np.array([0.5, 3.0, 0.3])
    expected = np.sum((m1 - m2) ** 2) + np.sum((s1 - s2) ** 2)
    assert frechet_distance(m1, np.diag(s1**2), m2, np.diag(s2**2)) == pytest.approx(expected, rel=1e-12)
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    turned = [rotation @ np.diag(s**2) @ rotation.T for s in (s1, s2)]
    value = frechet_distance(rotation @ m1, turned[0], rotation @ m2, turned[1])
    assert value == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("n", [200, 40])
def test_distance_is_scipys_on_correlated_images(n):
    real, generated = correlated(n, 8, seed=0), correlated(n, 8, seed=1)
    metric = FrechetDistance(flat(8))
    metric.update_state(real, generated)
    assert metric.result() == pytest.approx(by_scipy(real, generated), rel=1e-4)


def test_fewer_images_than_features_still_give_the_distance():
    """With n < d the covariances are singular. n images each span n - 1 dimensions, where SciPy's root is defined."""
    real, generated = correlated(10, 32, seed=0), correlated(12, 32, seed=1)
    metric = FrechetDistance(flat(32))
    metric.update_state(real, generated)
    x, y = (images.reshape(len(images), -1).astype("float64") for images in (real, generated))
    centred = [(points - points.mean(0)) / np.sqrt(len(points) - 1) for points in (x, y)]
    nuclear = np.linalg.svd(centred[0] @ centred[1].T, compute_uv=False).sum()  # tr (C₁ C₂)^½ = |A Bᵀ|_*
    expected = np.sum((x.mean(0) - y.mean(0)) ** 2) + sum(np.sum(c**2) for c in centred) - 2 * nuclear
    assert metric.result() == pytest.approx(expected, rel=1e-4)


def test_distance_to_itself_is_zero_and_to_a_shift_its_square():
    images = correlated(100, 4, seed=0)
    metric = FrechetDistance(flat(4))
    metric.update_state(images, images)
    assert metric.result() == pytest.approx(0, abs=1e-9)
    metric.reset_state()
    metric.update_state(images * 0.5, images * 0.5 + np.float32(0.25))
    assert metric.result() == pytest.approx(4 * 0.25**2, rel=1e-4)


def test_streaming_gives_what_one_batch_gives():
    real, generated = correlated(50, 4, seed=0), correlated(30, 4, seed=1)
    metric = FrechetDistance(flat(4))
    metric.update_state(real, generated)
    whole = metric.result()
    metric.reset_state()
    for images in (real[:7], real[7:8], real[8:]):
        metric.update_state(real=images)
    metric.update_state(generated=generated[:29])
    metric.update_state(generated=generated[29:])
    assert metric.result() == pytest.approx(whole, rel=1e-9)


def test_running_covariance_does_not_cancel_far_from_zero():
    points = np.random.default_rng(0).normal(size=(1000, 3)) + 1e6
    normal = RunningNormal()
    for batch in np.array_split(points, 7):
        normal.update(batch)
    np.testing.assert_allclose(normal.covariance, np.cov(points.T), rtol=1e-6, atol=1e-9)


def test_judge_tells_digits_from_noise():
    metric = FrechetDistance()
    half, other_half = np.split(mnist.load_arrays("test[:400]")[0], 2)
    metric.update_state(half, other_half)
    floor = metric.result()
    metric.reset_state()
    metric.update_state(half, np.random.default_rng(0).random(half.shape, "float32"))
    assert metric.result() > 20 * floor


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"real": np.zeros((3, 1, 5, 1), "float32")}, r"shape \(3, 1, 5, 1\)"),
        ({"generated": np.full((3, 1, 4, 1), 1.5, "float32")}, r"span \[1\.5, 1\.5\]"),
    ],
)
def test_bad_images_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        FrechetDistance(flat(4)).update_state(**arguments)


def test_result_needs_two_images_of_each_kind():
    metric = FrechetDistance(flat(4))
    metric.update_state(real=correlated(5, 4, 0), generated=correlated(1, 4, 0))
    with pytest.raises(ValueError, match="5 real and 1 generated images; accepted are 2 of each"):
        metric.result()


def test_feature_network_must_give_vectors():
    maps = keras.Sequential([keras.Input((1, 4, 1)), keras.layers.Conv2D(2, 1)])
    with pytest.raises(ValueError, match="accepted is one vector an image"):
        FrechetDistance(maps).update_state(real=correlated(5, 4, 0))
