"""The checker of notebook 43 accepts right solutions of any style and names the typical mistakes."""

import math

import numpy as np
import pytest
import tensorflow as tf

from gencourse.autoregressive.pixel_rnn import build_row_lstm
from gencourse.exercises.harness import NotYet
from gencourse.exercises.pixelrnn import (
    _seen_by_row_lstms,
    check_nats_and_bits,
    check_row_lstm_sees,
    check_skew_down,
)


def stub(*arguments):
    raise NotImplementedError()


def skew_down(x):
    n, h, w = x.shape
    i, j = np.indices((h, w))
    skewed = np.zeros((n, h + w - 1, w))
    skewed[:, i + j, j] = x
    return skewed


def by_recutting(x):
    n, h, w = x.shape
    padded = np.pad(np.swapaxes(x, 1, 2), [(0, 0), (0, 0), (0, w)])
    return np.swapaxes(padded.reshape(n, -1)[:, : w * (w + h - 1)].reshape(n, w, w + h - 1), 1, 2)


def skew_rows(x):
    return np.swapaxes(skew_down(np.swapaxes(x, 1, 2)), 1, 2)


def mirrored(x):
    return skew_down(x[:, :, ::-1])[:, :, ::-1]


def cut(x):
    return skew_down(x)[:, : x.shape[1]]


def wrapped(x):
    return np.stack([np.roll(x[:, :, j], j, axis=1) for j in range(x.shape[2])], axis=2)


def row_lstm_sees(up, right, depth):
    return right >= -(3 + depth + up) and (right < 0 if up == 0 else right <= up + 2)


def symmetric(up, right, depth):
    return abs(right) <= up + 2 if up else -(depth + 3) <= right < 0


def sees_right(up, right, depth):
    return -(3 + depth + up) <= right <= up + 2


def narrow(up, right, depth):
    return row_lstm_sees(up, right, depth) and (up == 0 or right <= up)


def as_count(up, right, depth):
    return int(row_lstm_sees(up, right, depth))


def nats_and_bits(size, images, dimensions):
    bits = 8 * size / images
    return bits * math.log(2), bits / dimensions


def exchanged(size, images, dimensions):
    return nats_and_bits(size, images, dimensions)[::-1]


def bits_twice(size, images, dimensions):
    return 8 * size / images, 8 * size / images / dimensions


def bytes_alone(size, images, dimensions):
    return nats_and_bits(size / 8, images, dimensions)


def whole_file(size, images, dimensions):
    return nats_and_bits(size, 1, dimensions)


@pytest.mark.parametrize("depth", [1, 3])
def test_the_counted_triangle_is_what_the_gradient_sees(depth):
    stem, recurrent, _ = build_row_lstm(depth=depth, units=2)
    x = tf.constant(np.random.default_rng(0).random((4, 5, 25, 1)), "float32")
    with tf.GradientTape() as tape:
        tape.watch(x)
        features = stem(x)
        for layer in recurrent:
            features = layer(features)
        output = features[:, 4, 12] @ tf.constant(np.random.default_rng(1).normal(size=(4, 1)), "float32")
    gradient = np.abs(tape.gradient(output, x)).sum(axis=0)[..., 0]
    counted = _seen_by_row_lstms(depth, rows=5, reach=12)
    np.testing.assert_array_equal(gradient[::-1] > 0, counted)


@pytest.mark.parametrize(
    ("check", "right"),
    [
        (check_skew_down, skew_down),
        (check_skew_down, by_recutting),
        (check_row_lstm_sees, row_lstm_sees),
        (check_nats_and_bits, nats_and_bits),
    ],
)
def test_a_right_solution_passes(check, right, capsys):
    check(right)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("check", "wrong", "sentence"),
    [
        (check_skew_down, stub, "still a stub"),
        (check_skew_down, skew_rows, "shifted the rows to the right"),
        (check_skew_down, mirrored, "The last column stays"),
        (check_skew_down, cut, "below is lost"),
        (check_skew_down, wrapped, "has come back above"),
        (check_row_lstm_sees, stub, "still a stub"),
        (check_row_lstm_sees, symmetric, "On the left"),
        (check_row_lstm_sees, sees_right, "only to its left"),
        (check_row_lstm_sees, narrow, "On the right"),
        (check_row_lstm_sees, as_count, "gave int, where a bool"),
        (check_nats_and_bits, stub, "still a stub"),
        (check_nats_and_bits, exchanged, "Nats first"),
        (check_nats_and_bits, bits_twice, "The first is in bits"),
        (check_nats_and_bits, bytes_alone, "A byte has eight bits"),
        (check_nats_and_bits, whole_file, "divide by the number of images"),
    ],
)
def test_a_wrong_solution_is_refused_with_the_telling_sentence(check, wrong, sentence):
    with pytest.raises(NotYet, match=sentence):
        check(wrong)
