"""Noise, the reparameterization, Gaussian heads and compilation, each against theory."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from gencourse.layers import GaussianHead, GaussianSampling, NoiseSource, compiled


def test_noise_is_standard_normal():
    noise = np.array(NoiseSource(seed=0).draw((200_000, 2)))
    # the standard errors of mean, variance and correlation are 0.0022, 0.0032 and 0.0022: five of each
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=0.011)
    np.testing.assert_allclose(noise.var(axis=0), 1, atol=0.016)
    assert abs(np.corrcoef(noise.T)[0, 1]) < 0.011


def test_noise_goes_on_without_a_seed_and_repeats_with_one():
    source = NoiseSource(seed=0)
    one, two = source.draw((3, 2)), source.draw((3, 2))
    assert not np.array_equal(one, two)
    np.testing.assert_array_equal(source.draw((3, 2), seed=5), NoiseSource(seed=1).draw((3, 2), seed=5))


@pytest.mark.parametrize(("shape", "seed"), [((0, 2), 0), ((-1, 2), 0), ((1.5, 2), 0), ((True, 2), 0)])
def test_noise_refuses_a_bad_number_of_items(shape, seed):
    with pytest.raises(ValueError, match=r"n is .*; accepted is a whole number >= 1"):
        NoiseSource().draw(shape, seed)


@pytest.mark.parametrize("seed", [-1, 0.5, "0", True])
def test_noise_refuses_a_bad_seed(seed):
    with pytest.raises(ValueError, match=r"seed is .*; accepted is a whole number >= 0"):
        NoiseSource().draw((2, 2), seed)


def test_sampling_has_the_moments_it_is_asked_for():
    n, mean, log_var = 100_000, np.float32([1.0, -2.0]), np.log(np.float32([4.0, 0.25]))
    z = np.array(GaussianSampling(seed=0)([np.tile(mean, (n, 1)), np.tile(log_var, (n, 1))]))
    std = np.exp(log_var / 2)
    # standard errors: std / sqrt(n) of the mean, std / sqrt(2 n) of the standard deviation; five of each
    assert np.all(np.abs(z.mean(axis=0) - mean) < 5 * std / np.sqrt(n))
    assert np.all(np.abs(z.std(axis=0) - std) < 5 * std / np.sqrt(2 * n))


def test_sampling_passes_the_gradient_of_the_reparameterization():
    mean, log_var = tf.Variable([[1.0, 2.0]]), tf.Variable([[0.5, -1.0]])
    with tf.GradientTape() as tape:
        z = GaussianSampling(seed=0)([mean, log_var])
    to_mean, to_log_var = tape.gradient(z, [mean, log_var])
    np.testing.assert_array_equal(to_mean, [[1.0, 1.0]])
    np.testing.assert_allclose(to_log_var, (z - mean) / 2, rtol=1e-6)


def test_sampling_survives_saving(tmp_path):
    mean, log_var = keras.Input((2,)), keras.Input((2,))
    model = keras.Model([mean, log_var], GaussianSampling(seed=3)([mean, log_var]))
    inputs = [np.zeros((4, 2)), np.zeros((4, 2))]
    model(inputs)
    model.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(model(inputs), copy(inputs))


def test_gaussian_head_is_two_maps_with_a_bounded_log_variance():
    head = GaussianHead(3)
    features = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    mean, log_var = head(features)
    np.testing.assert_allclose(mean, features @ np.array(head.mean.kernel), rtol=1e-5, atol=1e-6)
    raw = features @ np.array(head.log_var.kernel)
    np.testing.assert_allclose(log_var, 8 * np.tanh(raw / 8), rtol=1e-5, atol=1e-6)
    assert np.all(np.abs(head(1e6 * features)[1]) <= 8)


def test_gaussian_head_is_float32_under_mixed_precision():
    head = GaussianHead(2, dtype="mixed_float16")
    assert {output.dtype for output in head(ops.ones((1, 4)))} == {tf.float32}


class Doubler(keras.Model):
    def __init__(self):
        super().__init__()
        self.factor = self.add_weight(initializer="ones")
        self.traces = 0

    @compiled
    def scale(self, x):
        self.traces += 1
        return self.factor * x


def test_compiled_traces_once_and_sees_new_weights():
    model, x = Doubler(), ops.ones((2,))
    np.testing.assert_array_equal(model.scale(x), [1, 1])
    model.factor.assign(3.0)
    np.testing.assert_array_equal(model.scale(2 * x), [6, 6])
    assert model.traces == 1


def test_compiled_models_do_not_share_their_traces():
    one, other = Doubler(), Doubler()
    other.factor.assign(5.0)
    assert (float(one.scale(ops.ones(()))), float(other.scale(ops.ones(())))) == (1.0, 5.0)
