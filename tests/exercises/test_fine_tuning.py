"""The checker of notebook 63 accepts right solutions of any style and names the typical mistakes."""

import keras
import numpy as np
import pytest

from gencourse.exercises.fine_tuning import check_answer_weights, check_mean_hidden, check_merge_lora
from gencourse.exercises.harness import NotYet


def stub(*arguments):
    raise NotImplementedError()


def answer_weights(starts, ends, length):
    token = np.arange(1, length)
    inside = (token >= starts[:, None]) & (token < ends[:, None])
    return inside / inside.sum(axis=1, keepdims=True)


def by_loop(starts, ends, length):
    weights = np.zeros((len(starts), length - 1))
    for row, start, end in zip(weights, starts, ends, strict=True):
        row[start - 1 : end - 1] = 1 / (end - start)
    return weights


def one_late(starts, ends, length):
    weights = np.zeros((len(starts), length - 1))
    for row, start, end in zip(weights, starts, ends, strict=True):
        row[start:end] = 1 / (end - start)
    return weights


def zeros_and_ones(starts, ends, length):
    return (answer_weights(starts, ends, length) > 0).astype("float32")


def one_late_and_ones(starts, ends, length):
    return (one_late(starts, ends, length) > 0).astype("float32")


def sum_over_all(starts, ends, length):
    return answer_weights(starts, ends, length) / len(starts)


def prompt_too(starts, ends, length):
    return answer_weights(np.ones_like(starts), ends, length)


def padding_too(starts, ends, length):
    return answer_weights(starts, np.full_like(ends, length), length)


def prompt_alone(starts, ends, length):
    return answer_weights(np.ones_like(starts), np.maximum(starts, 2), length) * (starts > 1)[:, None]


def merge_lora(kernel, a, b, alpha):
    return kernel + alpha / a.shape[1] * a @ b


def by_keras(kernel, a, b, alpha):
    layer = keras.layers.Dense(kernel.shape[1], use_bias=False)
    layer.build((None, len(kernel)))
    layer.enable_lora(a.shape[1], lora_alpha=alpha)
    for weight in layer.weights:
        weight.assign({"kernel": kernel, "lora_kernel_a": a, "lora_kernel_b": b}[weight.name])
    return np.array(layer(np.eye(len(kernel))))


def without_alpha(kernel, a, b, alpha):
    return kernel + a @ b


def alpha_alone(kernel, a, b, alpha):
    return kernel + alpha * a @ b


def update_alone(kernel, a, b, alpha):
    return alpha / a.shape[1] * a @ b


def turned(kernel, a, b, alpha):
    return kernel + alpha / a.shape[1] * b @ a


def mean_hidden(hidden, ids, pad):
    real = (ids != pad)[..., None]
    return (real * hidden).sum(axis=1) / real.sum(axis=1)


def masked_array(hidden, ids, pad):
    mask = np.repeat((ids == pad)[..., None], hidden.shape[-1], axis=-1)
    return np.ma.array(hidden, mask=mask).mean(axis=1).data


def over_all(hidden, ids, pad):
    return hidden.mean(axis=1)


def divided_by_t(hidden, ids, pad):
    return ((ids != pad)[..., None] * hidden).mean(axis=1)


def last_real(hidden, ids, pad):
    return hidden[np.arange(len(ids)), (ids != pad).sum(axis=1) - 1]


def of_padding(hidden, ids, pad):
    padding = (ids == pad)[..., None]
    return (padding * hidden).sum(axis=1) / np.maximum(padding.sum(axis=1), 1)


@pytest.mark.parametrize(
    ("check", "right"),
    [
        (check_answer_weights, answer_weights),
        (check_answer_weights, by_loop),
        (check_merge_lora, merge_lora),
        (check_mean_hidden, mean_hidden),
        (check_mean_hidden, masked_array),
    ],
)
def test_a_right_solution_passes(check, right, capsys):
    check(right)
    assert "✓" in capsys.readouterr().out


def test_what_the_check_wants_is_what_keras_computes():
    rng = np.random.default_rng(0)
    kernel, a, b = rng.normal(size=(5, 3)), rng.normal(size=(5, 2)), rng.normal(size=(2, 3))
    np.testing.assert_allclose(by_keras(kernel, a, b, 6.0), merge_lora(kernel, a, b, 6.0), atol=1e-5)


@pytest.mark.parametrize(
    ("check", "wrong", "sentence"),
    [
        (check_answer_weights, stub, "still a stub"),
        (check_answer_weights, one_late, "Shifted by one"),
        (check_answer_weights, one_late_and_ones, "Shifted by one, and"),
        (check_answer_weights, zeros_and_ones, "a long answer counts more"),
        (check_answer_weights, sum_over_all, "whole batch sums to 1"),
        (check_answer_weights, prompt_too, "prompts have a weight too"),
        (check_answer_weights, padding_too, "padding has a weight too"),
        (check_answer_weights, prompt_alone, "Those are the prompts"),
        (check_merge_lora, stub, "still a stub"),
        (check_merge_lora, without_alpha, "is missing"),
        (check_merge_lora, alpha_alone, "not by α / r"),
        (check_merge_lora, update_alone, "update alone"),
        (check_merge_lora, turned, "stopped with ValueError"),
        (check_mean_hidden, stub, "still a stub"),
        (check_mean_hidden, over_all, "leave them out"),
        (check_mean_hidden, divided_by_t, "divide by the real tokens"),
        (check_mean_hidden, last_real, "last real token"),
        (check_mean_hidden, of_padding, "mean of the padding"),
    ],
)
def test_a_wrong_solution_is_refused_with_the_telling_sentence(check, wrong, sentence):
    with pytest.raises(NotYet, match=sentence):
        check(wrong)
