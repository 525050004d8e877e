"""Pixel models: causality, the blind spot, normalization by enumeration, samplers, and learning a known entropy."""

import functools
import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from scipy.special import expit, log_softmax, ndtr, softmax

from gencourse.autoregressive import PixelCNN, PixelRNN
from gencourse.autoregressive.pixel_cnn import build_stacks
from gencourse.autoregressive.pixel_rnn import build_diagonal_bilstm, build_row_lstm
from gencourse.autoregressive.spatial_lstm import DiagonalBiLSTM, DiagonalLSTM, RowLSTM, skew, unskew
from gencourse.layers import MaskedConv2D, causal_mask


def all_images(levels: int = 2, shape=(2, 2, 1)) -> np.ndarray:
    pixels = list(itertools.product(np.arange(levels) / (levels - 1), repeat=int(np.prod(shape))))
    return np.float32(pixels).reshape(-1, *shape)


def random_images(n: int, shape, levels: int = 2) -> np.ndarray:
    return (np.random.default_rng(1).integers(0, levels, (n, *shape)) / (levels - 1)).astype("float32")


def build_cnn(shape, levels=2, classes=None) -> PixelCNN:
    return PixelCNN(shape, *build_stacks(levels, blocks=2, width=4, classes=classes), classes)


MODELS = {
    "pixel-cnn": build_cnn,
    "row-lstm": lambda shape, levels=2: PixelRNN(shape, *build_row_lstm(levels, depth=2, units=4)),
    "diagonal-bilstm": lambda shape, levels=2: PixelRNN(shape, *build_diagonal_bilstm(levels, depth=2, units=4)),
}


@functools.cache
def model_of(name: str, shape=(2, 2, 1), levels: int = 2):
    """A model with weights large enough for its conditionals to differ."""
    keras.utils.set_random_seed(0)
    model, generator = MODELS[name](shape, levels), np.random.default_rng(0)
    for weight in model.trainable_weights:
        weight.assign_add(generator.normal(0, 0.4, weight.shape))
    return model


def pixels_seen(function, shape) -> np.ndarray:
    """|d output[t] / d x[s]|, summed over outputs at t and over images of T pixels: (T, T), row t, column s."""
    total, images = int(np.prod(shape)), 8  # of which several, since a rectifier may be shut in one
    x = tf.Variable(np.random.default_rng(0).random((images, *shape)).astype("float32").repeat(total, axis=0))
    with tf.GradientTape() as tape:
        outputs = tf.reshape(function(x), (images, total, total, -1))  # copy t of an image gives row t
        weights = tf.constant(np.random.default_rng(1).random(outputs.shape[-1]), tf.float32)
        own = tf.linalg.diag_part(tf.tensordot(outputs, weights, 1))
    return np.abs(np.array(tape.gradient(own, x)).reshape(images, total, total)).sum(axis=0)


def test_masks_are_what_comes_before():
    np.testing.assert_array_equal(causal_mask((3, 3), "A"), [[1, 1, 1], [1, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(causal_mask((3, 3), "B"), [[1, 1, 1], [1, 1, 0], [0, 0, 0]])
    np.testing.assert_array_equal(causal_mask((3, 3), "vertical A"), [[1, 1, 1], [0, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(causal_mask((3, 3), "vertical B"), [[1, 1, 1], [1, 1, 1], [0, 0, 0]])
    np.testing.assert_array_equal(causal_mask((1, 5), "A"), [[1, 1, 0, 0, 0]])


@pytest.mark.parametrize("mask", ["A", "B", "vertical A", "vertical B"])
@pytest.mark.parametrize("size", [(3, 3), (5, 3), (3, 7)])
def test_masked_convolution_is_a_convolution_with_a_masked_kernel(mask, size):
    layer, x = MaskedConv2D(5, size, mask), np.random.default_rng(0).normal(size=(2, 6, 7, 3)).astype("float32")
    layer.build(x.shape)
    layer.bias.assign(np.arange(5))
    y = layer(x)
    plain = keras.layers.Conv2D(5, size, padding="same")
    plain.build(x.shape)
    rows, columns = layer.taps.shape
    kernel = np.zeros((*size, 3, 5), "float32")
    kernel[:rows, :columns] = np.array(layer.kernel)
    plain.set_weights([kernel * causal_mask(size, mask)[..., None, None], layer.bias])
    np.testing.assert_allclose(y, plain(x), atol=1e-5)
    assert layer.compute_output_shape(x.shape) == y.shape


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((2, 4, "A"), r"kernel_size is \(4, 4\); accepted are odd"),
        ((2, 3, "C"), "mask is 'C'"),
        ((2, 1, "A"), "sees nothing"),
    ],
)
def test_masked_convolution_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        MaskedConv2D(*arguments)


def test_plain_masked_stack_has_a_blind_spot_and_two_stacks_have_none():
    shape = (5, 6, 1)
    before = np.tri(30, k=-1, dtype=bool)
    plain = keras.Sequential([MaskedConv2D(4, 3, "A"), *(MaskedConv2D(4, 3, "B") for _ in range(4))])
    seen = pixels_seen(plain, shape) > 0
    assert not seen[~before].any()
    row, column = np.divmod(np.arange(30), 6)
    up, right = row[:, None] - row, column - column[:, None]
    wedge = before & (up > 0) & (right > up)  # each layer climbs one row for each column it goes to the right
    assert wedge.any()
    np.testing.assert_array_equal(seen, before & ~wedge)
    gated = model_of("pixel-cnn", shape)
    np.testing.assert_array_equal(pixels_seen(gated.logits, shape) > 0, before)


@pytest.mark.parametrize("name", MODELS)
def test_no_pixel_leaks_to_itself_or_to_those_before(name):
    shape = (4, 5, 1)
    seen = pixels_seen(model_of(name, shape).logits, shape)
    before = np.tri(20, k=-1, dtype=bool)
    assert np.all(seen[~before] == 0)
    row, column = np.divmod(np.arange(20), 5)
    up, right = row[:, None] - row, column - column[:, None]
    if name == "diagonal-bilstm":  # which misses the last pixel of the row above, unless the 7x7 convolution sees it
        before &= ~((up == 1) & (column == 4) & (right > 3))
    if name == "row-lstm":  # whose triangle is this wide at each row above, after the first convolution's 3
        before &= (up > 0) & (right <= 3)
    assert np.all(seen[before] > 0)


@pytest.mark.parametrize("name", MODELS)
def test_a_flipped_pixel_changes_no_logit_at_or_before_it(name):
    shape = (3, 4, 1)
    model, image = model_of(name, shape), random_images(1, (3, 4, 1))
    flipped = np.abs(image - np.eye(12, dtype="float32").reshape(12, *shape))
    logits, base = (np.array(model(x)).reshape(12, 12, -1) for x in (flipped, image.repeat(12, axis=0)))
    for t in range(12):
        np.testing.assert_array_equal(logits[t, : t + 1], base[t, : t + 1])


@pytest.mark.parametrize(("name", "levels"), [(name, 2) for name in MODELS] + [("pixel-cnn", 4)])
def test_probabilities_of_all_images_sum_to_one(name, levels):
    model = model_of(name, levels=levels)
    log_prob = model.log_prob(all_images(levels))
    assert np.exp(log_prob).sum() == pytest.approx(1, abs=1e-5)
    assert log_prob.std() > 0.1


def test_log_prob_is_the_sum_of_the_conditionals():
    model, x = model_of("pixel-cnn", (3, 4, 1), 4), random_images(5, (3, 4, 1), 4)
    each = np.take_along_axis(log_softmax(np.array(model(x)), axis=-1), np.round(3 * x).astype(int), axis=-1)
    np.testing.assert_allclose(model.log_prob(x), each.sum(axis=(1, 2, 3)), rtol=1e-5)


def naive_sample(model, x, known, noise):
    """The whole network again for each pixel."""
    logits = tf.function(model.logits)
    image, uniform = np.where(known, x, 0).astype("float32"), ndtr(np.float64(noise))
    for i, j in np.ndindex(*model.image_shape[:2]):
        p = softmax(np.array(logits(tf.constant(image)))[:, i, j], axis=-1)
        level = (uniform[:, i, j] >= np.cumsum(p, axis=-1)[:, :-1]).sum(axis=-1, keepdims=True)
        image[:, i, j] = np.where(known[:, i, j], image[:, i, j], level / (model.levels - 1))
    return image


@pytest.mark.parametrize(("name", "levels"), [("pixel-cnn", 4), ("row-lstm", 2), ("diagonal-bilstm", 2)])
def test_sampler_is_the_naive_one_to_the_pixel(name, levels):
    shape = (8, 4, 1) if name == "pixel-cnn" else (6, 3, 1)  # higher than the network's reach
    model = model_of(name, shape, levels)
    noise = model.prior.draw((3, *shape), seed=5)
    nothing = np.zeros((3, *shape), bool)
    sampled = np.array(model.sample(3, seed=5))
    np.testing.assert_array_equal(sampled, naive_sample(model, nothing, nothing, noise))
    assert len(np.unique(sampled)) == levels
    x, known = random_images(3, shape, levels), np.random.default_rng(0).random((3, *shape)) < 0.5
    completed = np.array(model.complete(x, known, seed=5))
    np.testing.assert_array_equal(completed, naive_sample(model, x, known, noise))
    np.testing.assert_array_equal(completed[known], x[known])


def counts_of(images) -> np.ndarray:
    return np.bincount((np.reshape(images, (-1, 4)) @ [8, 4, 2, 1]).astype(int), minlength=16)


@pytest.mark.parametrize("name", MODELS)
def test_samples_come_as_often_as_log_prob_says(name):
    model, n = model_of(name), 4000
    expected = n * np.exp(np.float64(model.log_prob(all_images())))
    counts = counts_of(model.sample(n, seed=0))
    common = expected > 5  # rarer images are pooled: the chi-square needs several of each
    observed, expected = (np.append(v[common], v[~common].sum()) for v in (counts, expected))
    seen = expected > 0
    assert stats.chisquare(observed[seen], (expected * n / expected.sum())[seen]).pvalue > 1e-3


def test_completions_come_as_often_as_the_conditional_says():
    model, n = model_of("pixel-cnn"), 4000
    known = np.zeros((2, 2, 1), bool)
    known[0] = True
    x = np.float32([1, 0, 0, 0]).reshape(1, 2, 2, 1).repeat(n, axis=0)
    counts = counts_of(model.complete(x, known, seed=0))
    p = np.exp(np.float64(model.log_prob(all_images())))[8:12]  # the images whose upper row is (1, 0)
    assert counts[8:12].sum() == n
    assert stats.chisquare(counts[8:12], n * p / p.sum()).pvalue > 1e-3


def test_each_label_has_a_distribution_of_its_own():
    keras.utils.set_random_seed(0)
    model, images = build_cnn((2, 2, 1), classes=2), all_images()
    x = {"image": np.concatenate([images[[0] * 8], images[[15] * 8]]), "label": np.repeat(np.int32([0, 1]), 8)}
    model.compile(keras.optimizers.Adam(0.03))
    model.fit(x, epochs=30, batch_size=16, verbose=0)
    totals = [np.exp(model.log_prob({"image": images, "label": np.full(16, y, "int32")})).sum() for y in (0, 1)]
    np.testing.assert_allclose(totals, 1, atol=1e-5)
    assert np.mean(model.sample(20, seed=0, label=0)) < 0.1
    assert np.mean(model.sample(20, seed=0, label=np.ones(20, int))) > 0.9
    completed = model.complete({**x, "image": 0 * x["image"]}, np.zeros((2, 2, 1), bool), seed=0)
    assert np.mean(completed[8:]) > 0.9


def test_skewing_moves_diagonals_to_columns_and_back():
    x = np.arange(2 * 3 * 4 * 5, dtype="float32").reshape(2, 3, 4, 5) + 1
    skewed = np.array(skew(x))
    assert skewed.shape == (2, 3, 6, 5)
    for i in range(3):
        np.testing.assert_array_equal(skewed[:, i, i : i + 4], x[:, i])
    assert np.count_nonzero(skewed) == x.size
    np.testing.assert_array_equal(unskew(skewed), x)


def test_diagonal_lstm_is_the_same_by_diagonals_and_by_rows():
    layer = DiagonalLSTM(3)
    x = np.random.default_rng(0).normal(size=(2, 4, 5, 2)).astype("float32")
    by_diagonals, above = np.array(layer(x)), np.zeros((2, 5, 3), "float32")
    for i in range(4):
        above = np.array(layer.row(x[:, i], above))
        np.testing.assert_allclose(by_diagonals[:, i], above, atol=1e-5)


def markov_mesh(n: int, size: int, seed: int):
    """Binary images with p(x = 1 | left, above) = sigmoid(2.5 (left + above) - 2.5), and log p of each."""
    generator = np.random.default_rng(seed)
    x, log_p = np.zeros((n, size + 1, size + 1), "float32"), np.zeros(n)
    for i, j in itertools.product(range(1, size + 1), repeat=2):
        p = expit(2.5 * (x[:, i, j - 1] + x[:, i - 1, j]) - 2.5)
        x[:, i, j] = generator.random(n) < p
        log_p += np.log(np.where(x[:, i, j] == 1, p, 1 - p))
    return x[:, 1:, 1:, None], log_p


def test_markov_mesh_is_learnt_to_its_entropy():
    keras.utils.set_random_seed(0)
    model = PixelCNN((6, 6, 1), *build_stacks(blocks=1, width=8))
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.02, 300)))
    model.fit(markov_mesh(300 * 128, 6, seed=0)[0], batch_size=128, verbose=0)
    x, log_p = markov_mesh(4000, 6, seed=1)
    gap = log_p - model.log_prob(x)  # its mean estimates KL(data || model) >= 0
    entropy = -log_p.mean()
    assert -5 * gap.std() / np.sqrt(4000) < gap.mean() < 0.01 * entropy


@pytest.mark.parametrize("layer", [RowLSTM(3), DiagonalBiLSTM(3)], ids=lambda layer: layer.name)
def test_recurrent_layers_survive_their_config(layer):
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 2)).astype("float32")
    y = layer(x)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    copy.set_weights(layer.get_weights())
    np.testing.assert_array_equal(copy(x), y)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: build_stacks(levels=257), "levels is 257"),
        (lambda: build_row_lstm(levels=1), "levels is 1"),
        (lambda: build_diagonal_bilstm(depth=0), "depth is 0"),
        (lambda: build_cnn((4, 4, 3)), r"\(4, 4, 3\); accepted is \(height, width, 1\)"),
        (lambda: PixelCNN((4, 4, 1), *build_stacks(blocks=1, width=2), classes=2), "what the stacks were built with"),
        (lambda: model_of("pixel-cnn").log_prob(all_images() / 2), "accepted are 0 and 1"),
        (lambda: model_of("pixel-cnn", levels=4).log_prob(all_images() / 2), "accepted are multiples of 1/3"),
        (lambda: model_of("pixel-cnn")(all_images() * 2), r"span \[0, 2\]"),
        (lambda: model_of("pixel-cnn").log_prob(all_images(2, (1, 2, 1))), r"shape \(4, 1, 2, 1\)"),
        (lambda: model_of("row-lstm").sample(0), "n is 0"),
        (lambda: model_of("pixel-cnn").sample(2, seed=-1), "seed is -1"),
        (lambda: model_of("pixel-cnn").sample(2, label=1), "label is 1; accepted is None"),
        (lambda: build_cnn((2, 2, 1), classes=2).sample(2), "label is None; accepted is one"),
        (lambda: build_cnn((2, 2, 1), classes=2).sample(2, label=2), r"accepted are integers in 0\.\.1"),
        (lambda: model_of("pixel-cnn").complete(all_images(), np.zeros((2, 2, 1))), "known is float64"),
        (lambda: model_of("pixel-cnn").complete(all_images(), np.zeros((2, 1), bool)), r"bool of shape \(2, 1\)"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
