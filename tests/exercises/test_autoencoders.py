"""The checker of notebook 20 accepts right solutions of any style and names the typical mistakes."""

import numpy as np
import pytest

from gencourse.exercises.autoencoders import check_allocate_bits, check_best_linear_error, check_sparsity_gradient
from gencourse.exercises.harness import NotYet


def stub(*arguments):
    raise NotImplementedError()


def best_linear_error(x, k):
    singular = np.linalg.svd(x - x.mean(axis=0), compute_uv=False)
    return (singular[k:] ** 2).sum() / len(x)


def unbiased(x, k):
    return np.linalg.eigvalsh(np.cov(x.T))[:-k].sum()


def mean_over_pixels(x, k):
    return best_linear_error(x, k) / x.shape[1]


def summed_over_points(x, k):
    return best_linear_error(x, k) * len(x)


def kept(x, k):
    return np.linalg.eigvalsh(np.cov(x.T, bias=True))[-k:].sum()


def uncentred(x, k):
    return np.linalg.eigvalsh(x.T @ x / len(x))[:-k].sum()


def sparsity_gradient(target, activation):
    return (activation - target) / (activation * (1 - activation))


def downhill(target, activation):
    return -sparsity_gradient(target, activation)


def half(target, activation):
    return -target / activation


def outer_only(target, activation):
    return -target / activation - (1 - target) / (1 - activation)


def reversed_divergence(target, activation):
    return np.log(activation / target) - np.log((1 - activation) / (1 - target))


def divergence(target, activation):
    return target * np.log(target / activation) + (1 - target) * np.log((1 - target) / (1 - activation))


def added_up(target, activation):
    return sparsity_gradient(target, activation).sum()


def allocate_bits(variances, total, gain=4):
    bits = [0] * len(variances)
    for _ in range(total):
        bits[int(np.argmax(variances / float(gain) ** np.array(bits)))] += 1
    return bits


def alike(variances, total):
    return np.full(len(variances), total // len(variances))


def halved(variances, total):
    return allocate_bits(variances, total, gain=2)


def winner_takes_all(variances, total):
    return total * np.eye(len(variances), dtype=int)[np.argmax(variances)]


def fractions(variances, total):
    return total * variances / variances.sum()


def one_too_many(variances, total):
    return allocate_bits(variances, total + 1)


def reversed_order(variances, total):
    return allocate_bits(variances, total)[::-1]


def one_number(variances, total):
    return total


@pytest.mark.parametrize(
    ("check", "right"),
    [
        (check_best_linear_error, best_linear_error),
        (check_sparsity_gradient, sparsity_gradient),
        (check_allocate_bits, allocate_bits),
    ],
)
def test_a_right_solution_passes(check, right, capsys):
    check(right)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("check", "wrong", "sentence"),
    [
        (check_best_linear_error, stub, "still a stub"),
        (check_best_linear_error, unbiased, "divided by n - 1"),
        (check_best_linear_error, mean_over_pixels, "mean over the d coordinates"),
        (check_best_linear_error, summed_over_points, "take the mean"),
        (check_best_linear_error, kept, "which the code keeps"),
        (check_best_linear_error, uncentred, "did not subtract the mean"),
        (check_sparsity_gradient, stub, "still a stub"),
        (check_sparsity_gradient, downhill, "sign is turned round"),
        (check_sparsity_gradient, half, "second term is missing"),
        (check_sparsity_gradient, outer_only, "has a plus"),
        (check_sparsity_gradient, reversed_divergence, "target stands first"),
        (check_sparsity_gradient, divergence, "differentiate it"),
        (check_sparsity_gradient, added_up, "without adding them up"),
        (check_allocate_bits, stub, "still a stub"),
        (check_allocate_bits, alike, "more to those that vary more"),
        (check_allocate_bits, halved, "quarters the squared error"),
        (check_allocate_bits, winner_takes_all, "All bits went to the largest"),
        (check_allocate_bits, fractions, "whole numbers"),
        (check_allocate_bits, one_too_many, "7 bits in all, where 6 are wanted"),
        (check_allocate_bits, reversed_order, "one bit at a time"),
        (check_allocate_bits, one_number, "one number of bits a variance"),
    ],
)
def test_a_wrong_solution_is_refused_with_the_telling_sentence(check, wrong, sentence):
    with pytest.raises(NotYet, match=sentence):
        check(wrong)
