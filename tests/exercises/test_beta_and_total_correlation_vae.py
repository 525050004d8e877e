"""The checker of notebook 22 accepts right solutions of any style and names the typical mistakes."""

import numpy as np
import pytest

from gencourse.exercises.beta_and_total_correlation_vae import (
    check_gaussian_total_correlation,
    check_information_gap,
    check_stratified_weights,
)
from gencourse.exercises.harness import NotYet


def stub(*arguments):
    raise NotImplementedError()


def gaussian(covariance):
    std = np.sqrt(np.diag(covariance))
    return -np.linalg.slogdet(covariance / np.outer(std, std))[1] / 2


def doubled(covariance):
    return 2 * gaussian(covariance)


def negative(covariance):
    return -gaussian(covariance)


def unscaled(covariance):
    return -np.linalg.slogdet(covariance)[1] / 2


def standard_deviations(covariance):
    return (np.log(np.sqrt(np.diag(covariance))).sum() - np.linalg.slogdet(covariance)[1]) / 2


def in_bits(covariance):
    return gaussian(covariance) / np.log(2)


def weights(n, size):
    off = (size - 1) / (size * (n - 1))
    return off + (1 / size - off) * np.eye(n)


def equal(n, size):
    return np.ones((n, n)) / n


def weighted(n, size):
    return np.ones((n, n)) / (n * size)


def too_much(n, size):
    return np.where(np.eye(n) == 1, 1 / size, 1 / (n - 1))


def divided_by_n(n, size):
    return np.where(np.eye(n) == 1, 1 / size, (1 - 1 / size) / n)


def logarithms(n, size):
    return np.log(weights(n, size))


def one_row(n, size):
    return weights(n, size)[0]


def gap(information, entropies):
    ordered = -np.sort(-information, axis=0)
    return ((ordered[0] - ordered[1]) / entropies).mean()


def no_entropy(information, entropies):
    return gap(information, np.ones_like(entropies))


def summed(information, entropies):
    return gap(information, entropies) * len(entropies)


def pooled(information, entropies):
    ordered = -np.sort(-information, axis=0)
    return (ordered[0] - ordered[1]).sum() / entropies.sum()


def best_only(information, entropies):
    return np.mean(information.max(axis=0) / entropies)


def smallest(information, entropies):
    return np.mean(np.ptp(information, axis=0) / entropies)


def mean_of_all(information, entropies):
    return np.mean((information.max(axis=0) - information.mean(axis=0)) / entropies)


def across_factors(information, entropies):
    ordered = np.sort(information, axis=1)
    return np.mean(ordered[:, -1] - ordered[:, -2])


@pytest.mark.parametrize(
    ("check", "right"),
    [
        (check_gaussian_total_correlation, gaussian),
        (check_stratified_weights, weights),
        (check_information_gap, gap),
    ],
)
def test_a_right_solution_passes(check, right, capsys):
    check(right)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("check", "wrong", "sentence"),
    [
        (check_gaussian_total_correlation, stub, "still a stub"),
        (check_gaussian_total_correlation, doubled, "Half of it is missing"),
        (check_gaussian_total_correlation, negative, "sign is turned round"),
        (check_gaussian_total_correlation, unscaled, "marginal variances"),
        (check_gaussian_total_correlation, standard_deviations, "standard deviations where variances belong"),
        (check_gaussian_total_correlation, in_bits, "in bits"),
        (check_stratified_weights, stub, "still a stub"),
        (check_stratified_weights, equal, "equal weights 1/n"),
        (check_stratified_weights, weighted, "weighted sampling"),
        (check_stratified_weights, too_much, "already given to the item itself"),
        (check_stratified_weights, divided_by_n, "n - 1 others"),
        (check_stratified_weights, logarithms, "not their logarithms"),
        (check_stratified_weights, one_row, r"has shape \(2,\), where \(2, 2\) is wanted"),
        (check_information_gap, stub, "still a stub"),
        (check_information_gap, no_entropy, "by the entropy of its factor"),
        (check_information_gap, summed, "do not add them"),
        (check_information_gap, pooled, "its own entropy"),
        (check_information_gap, best_only, "subtract the second best"),
        (check_information_gap, smallest, "not the smallest"),
        (check_information_gap, mean_of_all, "not the mean"),
        (check_information_gap, across_factors, "not the factors that one dimension knows"),
    ],
)
def test_a_wrong_solution_is_refused_with_the_telling_sentence(check, wrong, sentence):
    with pytest.raises(NotYet, match=sentence):
        check(wrong)
