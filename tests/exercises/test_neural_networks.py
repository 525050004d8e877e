"""The checkers of notebook 12 pass the right solution and name what is wrong in the usual wrong ones."""

import numpy as np
import pytest

from gencourse.exercises.harness import NotYet
from gencourse.exercises.neural_networks import check_cross_entropy, check_nesterov_step, check_sigmoid_layer_backward


def stub(*arguments):
    raise NotImplementedError()


def sigmoid_layer_backward(x, W, b, dh):
    h = 1 / (1 + np.exp(-(x @ W + b)))
    delta = dh * h * (1 - h)
    return delta @ W.T, x.T @ delta, delta.sum(axis=0)


def without_slope(x, W, b, dh):
    return dh @ W.T, x.T @ dh, dh.sum(axis=0)


def with_mean(x, W, b, dh):
    dx, dW, db = sigmoid_layer_backward(x, W, b, dh)
    return dx, dW, db / len(x)


def with_transposed_weights(x, W, b, dh):
    dx, dW, db = sigmoid_layer_backward(x, W, b, dh)
    return dx, dW.T, db


def only_weights(x, W, b, dh):
    return sigmoid_layer_backward(x, W, b, dh)[1]


def nesterov_step(theta, v, gradient, lr, beta):
    v = beta * v - lr * gradient(theta + beta * v)
    return theta + v, v


def plain_momentum(theta, v, gradient, lr, beta):
    v = beta * v - lr * gradient(theta)
    return theta + v, v


def uphill(theta, v, gradient, lr, beta):
    v = beta * v + lr * gradient(theta + beta * v)
    return theta + v, v


def forgets_velocity(theta, v, gradient, lr, beta):
    return theta - lr * gradient(theta)


def cross_entropy(logits, labels):
    s = logits - logits.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(s).sum(axis=1)) - s[np.arange(len(s)), labels])


def naive(logits, labels):
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return -np.mean(np.log(p[np.arange(len(p)), labels]))


def clipped(logits, labels):
    s = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = s / s.sum(axis=1, keepdims=True)
    return -np.mean(np.log(np.clip(p[np.arange(len(p)), labels], 1e-7, 1)))


def summed(logits, labels):
    return cross_entropy(logits, labels) * len(logits)


def per_example(logits, labels):
    s = logits - logits.max(axis=1, keepdims=True)
    return np.repeat(cross_entropy(logits, labels), len(s) + 1)


@pytest.mark.parametrize(
    ("check", "solution"),
    [
        (check_sigmoid_layer_backward, sigmoid_layer_backward),
        (check_nesterov_step, nesterov_step),
        (check_cross_entropy, cross_entropy),
    ],
)
def test_the_right_solution_passes(check, solution, capsys):
    check(solution)
    assert capsys.readouterr().out.startswith("✓")


@pytest.mark.parametrize(
    ("check", "wrong", "sentence"),
    [
        (check_sigmoid_layer_backward, stub, "still a stub"),
        (check_sigmoid_layer_backward, without_slope, "slope of the sigmoid left out"),
        (check_sigmoid_layer_backward, with_mean, "sum of δ over the examples"),
        (check_sigmoid_layer_backward, with_transposed_weights, "dW = xᵀ δ"),
        (check_sigmoid_layer_backward, only_weights, "must return three arrays"),
        (check_nesterov_step, stub, "still a stub"),
        (check_nesterov_step, plain_momentum, "This is plain momentum"),
        (check_nesterov_step, uphill, "beta v - lr gradient"),
        (check_nesterov_step, forgets_velocity, "must return two arrays"),
        (check_cross_entropy, stub, "still a stub"),
        (check_cross_entropy, naive, "subtract each row's maximum"),
        (check_cross_entropy, clipped, "never form log"),
        (check_cross_entropy, summed, "the mean is wanted"),
        (check_cross_entropy, per_example, "must return one number"),
    ],
)
def test_a_wrong_solution_is_told_why(check, wrong, sentence):
    with pytest.raises(NotYet, match=sentence):
        check(wrong)
