"""Every flow layer against its own inverse and the autodiff Jacobian, and each against what defines it."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import special, stats

from gencourse.flows.networks import build_conv_network, build_dense_network, build_split_network
from gencourse.layers import (
    ActNorm,
    AffineCoupling,
    CheckerboardCoupling,
    Dequantization,
    InvertibleConv1x1,
    Logit,
    Split,
    Squeeze,
    VariationalDequantization,
)

IMAGE = (4, 2, 4)

LAYERS = {
    "affine coupling of vectors": (lambda: AffineCoupling(build_dense_network(2, 6, 8)), (5,)),
    "affine coupling, swapped": (lambda: AffineCoupling(build_dense_network(3, 4, 8), swap=True), (5,)),
    "affine coupling of channels": (lambda: AffineCoupling(build_conv_network((4, 2, 2), 4, 4)), IMAGE),
    "checkerboard coupling": (lambda: CheckerboardCoupling(build_conv_network(IMAGE, 8, 4)), IMAGE),
    "checkerboard, swapped": (lambda: CheckerboardCoupling(build_conv_network(IMAGE, 8, 4), swap=True), IMAGE),
    "actnorm": (lambda: ActNorm(4), IMAGE),
    "actnorm of vectors": (lambda: ActNorm(5), (5,)),
    "invertible convolution": (lambda: InvertibleConv1x1(4), IMAGE),
    "invertible matrix": (lambda: InvertibleConv1x1(5), (5,)),
    "squeeze": (Squeeze, IMAGE),
    "split": (lambda: Split(build_split_network((4, 2, 2))), IMAGE),
    "logit": (lambda: Logit(0.05), IMAGE),
}


def shaken(layer, seed: int = 0, scale: float = 0.2):
    """The layer with weights of a training that has gone on for a while: none is 0 or the identity."""
    generator = np.random.default_rng(seed)
    for weight in layer.trainable_weights:
        weight.assign_add(generator.normal(0, scale, weight.shape))
    return layer


def layer_and_input(name: str, n: int = 6):
    keras.utils.set_random_seed(0)
    build, shape = LAYERS[name]
    layer, generator = build(), np.random.default_rng(1)
    x = generator.random((n, *shape)) if name == "logit" else generator.normal(0, 1.5, (n, *shape))
    layer(x.astype("float32"), training=True)  # what actnorm learns from its first batch
    return shaken(layer), tf.constant(x, "float32")


def flat(y) -> tf.Tensor:
    return tf.concat([tf.reshape(part, (len(part), -1)) for part in tf.nest.flatten(y)], axis=1)


def log_det_by_autodiff(function, x: tf.Tensor) -> float:
    """log |det| of the whole Jacobian at one input x (1, ...): d copies of x, of which copy i gives row i."""
    d = int(tf.size(x))
    copies = tf.Variable(tf.repeat(x, d, axis=0))
    with tf.GradientTape() as tape:
        diagonal = tf.linalg.diag_part(flat(function(copies)))
    jacobian = flat(tape.gradient(diagonal, copies))
    return np.linalg.slogdet(np.float64(jacobian)).logabsdet


@pytest.mark.parametrize("name", LAYERS)
def test_inverse_undoes_forward(name):
    layer, x = layer_and_input(name)
    y, forward_log_det = layer.forward(x)
    back, inverse_log_det = layer.inverse(y)
    np.testing.assert_allclose(back, x, atol=1e-5)
    np.testing.assert_allclose(forward_log_det, -inverse_log_det, atol=1e-4)
    assert forward_log_det.shape == inverse_log_det.shape == (len(x),)


@pytest.mark.parametrize("name", LAYERS)
def test_log_determinant_is_autodiffs(name):
    layer, x = layer_and_input(name, n=2)
    expected = [log_det_by_autodiff(lambda v: layer.forward(v)[0], x[i : i + 1]) for i in range(len(x))]
    np.testing.assert_allclose(layer.forward(x)[1], expected, atol=2e-4)


@pytest.mark.parametrize("name", LAYERS)
def test_layers_survive_their_config(name):
    layer, x = layer_and_input(name)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    copy.set_weights(layer.get_weights())
    np.testing.assert_array_equal(flat(copy.forward(x)[0]), flat(layer.forward(x)[0]))


@pytest.mark.parametrize("name", ["affine coupling of channels", "actnorm", "split"])
def test_layers_are_float32_under_mixed_precision(name):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        layer, x = layer_and_input(name)
        y, log_det = layer(x)
        assert {part.dtype for part in [*tf.nest.flatten(y), log_det]} == {tf.float32}
    finally:
        keras.config.set_dtype_policy("float32")


def test_actnorm_normalizes_its_first_batch_and_only_that():
    layer, generator = ActNorm(3), np.random.default_rng(0)
    first, second = generator.normal([5, -2, 0], [3, 0.1, 1], (2, 500, 2, 2, 3)).astype("float32")
    np.testing.assert_array_equal(layer(first)[0], first)  # not in training: still the identity
    y = np.array(layer(first, training=True)[0])
    np.testing.assert_allclose(y.mean(axis=(0, 1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(y.std(axis=(0, 1, 2)), 1, rtol=1e-3)
    before = layer.get_weights()
    layer(10 * second, training=True)
    for old, new in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_invertible_convolution_starts_as_a_rotation_and_keeps_its_determinant():
    layer = InvertibleConv1x1(6)
    w = np.array(layer.matrix())
    np.testing.assert_allclose(w @ w.T, np.eye(6), atol=1e-5)
    w = np.float64(shaken(layer).matrix())
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 6)).astype("float32")
    y, log_det = layer.forward(x)
    np.testing.assert_allclose(y[1, 2, 4], w @ x[1, 2, 4], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(log_det, 15 * np.linalg.slogdet(w).logabsdet, rtol=1e-4)


def test_squeeze_stacks_the_corners_of_each_block():
    x = np.arange(2 * 4 * 6 * 3, dtype="float32").reshape(2, 4, 6, 3)
    y = np.array(Squeeze().forward(x)[0])
    corners = [x[:, 0::2, 0::2], x[:, 0::2, 1::2], x[:, 1::2, 0::2], x[:, 1::2, 1::2]]
    np.testing.assert_array_equal(y, np.concatenate(corners, axis=-1))
    with pytest.raises(ValueError, match=r"\(3, 4, 1\); accepted are even sides"):
        Squeeze().forward(np.zeros((2, 3, 4, 1)))


@pytest.mark.parametrize("swap", [False, True])
def test_couplings_keep_what_the_network_sees(swap):
    x = np.random.default_rng(0).normal(size=(3, 4, 4, 4)).astype("float32")
    half = slice(2, None) if swap else slice(2)
    y = np.array(shaken(AffineCoupling(build_conv_network((4, 4, 2), 4, 4), swap)).forward(x)[0])
    np.testing.assert_array_equal(y[..., half], x[..., half])
    kept = np.indices((4, 4)).sum(axis=0) % 2 == swap
    y = np.array(shaken(CheckerboardCoupling(build_conv_network((4, 4, 4), 8, 4), swap)).forward(x)[0])
    np.testing.assert_array_equal(np.all(y == x, axis=(0, 3)), kept)


def test_split_is_a_gaussian_given_the_kept_half():
    layer, x = layer_and_input("split")
    (kept, z), log_det = layer.forward(x)
    np.testing.assert_array_equal(kept, x[..., :2])
    mean, log_std = np.split(np.float64(layer.network(kept)), 2, axis=-1)
    expected = stats.norm.logpdf(x[..., 2:], mean, np.exp(log_std)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(stats.norm.logpdf(z).sum(axis=(1, 2, 3)) + log_det, expected, rtol=1e-4)


def test_logit_is_scipys():
    x = np.random.default_rng(0).random((3, 2, 2, 1)).astype("float32")
    np.testing.assert_allclose(Logit(0.1).forward(x)[0], special.logit(0.1 + 0.8 * x), atol=1e-5)
    with pytest.raises(ValueError, match=r"margin is 0\.5; accepted is a number between 0 and 0\.5"):
        Logit(0.5)


@pytest.mark.parametrize("levels", [2, 5, 256])
def test_dequantization_fills_the_interval_of_each_level_evenly(levels):
    layer = Dequantization(levels)
    k = np.random.default_rng(0).integers(0, levels, (500, 4, 5, 1))
    x = (k / (levels - 1)).astype("float32")
    v, log_volume = layer.forward(x)
    noise = np.array(v) * levels - k
    assert noise.min() >= -1e-4
    assert noise.max() <= 1 + 1e-4
    # the deviation of a uniform mean is 1 / sqrt(12 n); five of them
    assert abs(noise.mean() - 0.5) < 5 / np.sqrt(12 * noise.size)
    assert abs(noise.var() - 1 / 12) < 5 * np.sqrt(1 / 180 / noise.size)
    np.testing.assert_allclose(log_volume, -20 * np.log(levels), rtol=1e-6)
    np.testing.assert_allclose(layer.inverse(v)[0], x, atol=1e-6)


def test_dequantization_draws_anew_and_takes_a_given_noise():
    layer, x = Dequantization(2), np.zeros((3, 2, 2, 1), "float32")
    assert not np.array_equal(layer.forward(x)[0], layer.forward(x)[0])
    noise = layer.draw(x.shape, seed=3)
    np.testing.assert_array_equal(noise, layer.draw(x.shape, seed=3))
    np.testing.assert_array_equal(layer.forward(x, noise)[0], noise / 2)


@pytest.mark.parametrize("levels", [1, 257, 2.5])
def test_dequantization_refuses_unknown_levels(levels):
    with pytest.raises(ValueError, match=r"levels is .*; accepted is a whole number"):
        Dequantization(levels)


def variational(levels: int = 3) -> VariationalDequantization:
    keras.utils.set_random_seed(0)
    networks = [build_conv_network((2, 2, 2), 2, 4) for _ in range(2)]
    return VariationalDequantization(
        [CheckerboardCoupling(network, swap) for network, swap in zip(networks, (False, True), strict=True)], levels
    )


def test_variational_dequantization_starts_uniform():
    layer, x = variational(), np.full((2000, 2, 2, 1), 0.5, "float32")
    v, log_volume = layer.forward(x)
    np.testing.assert_allclose(log_volume, -4 * np.log(3), atol=1e-5)
    assert stats.kstest(np.ravel(v), stats.uniform(1 / 3, 1 / 3).cdf).pvalue > 1e-3


def test_variational_dequantization_is_the_density_of_its_noise():
    """-log q(u | x) is the log-determinant of ε → v, corrected by log N(ε) and the width of the levels."""
    layer = shaken(variational())
    x = np.float32([0, 0.5, 1, 0.5]).reshape(1, 2, 2, 1)
    noise = tf.constant(layer.draw((1, 2, 2, 1), seed=0))
    v, change = layer.forward(x, noise)
    expected = log_det_by_autodiff(lambda e: layer.forward(np.repeat(x, 4, axis=0), e)[0], noise)
    assert float(change[0]) == pytest.approx(expected - stats.norm.logpdf(noise).sum(), abs=1e-4)
    np.testing.assert_allclose(layer.inverse(v)[0], x, atol=1e-6)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    copy.set_weights(layer.get_weights())
    np.testing.assert_array_equal(copy.forward(x, noise)[0], v)
