"""The checker of notebook 23 accepts right solutions of any style and names the typical mistakes."""

import numpy as np
import pytest

from gencourse.exercises.conditional_vae import (
    check_completion_errors,
    check_label_posterior,
    check_linear_log_prob,
)
from gencourse.exercises.harness import NotYet


def stub(*arguments):
    raise NotImplementedError()


def gaussian(difference, C):
    """log N(difference; 0, C), from the precision matrix."""
    quadratic = np.sum(difference @ np.linalg.inv(C) * difference, axis=1)
    return -(quadratic + np.log(np.linalg.det(C)) + len(C) * np.log(2 * np.pi)) / 2


def linear_log_prob(x, label, W, offsets, variance):
    return gaussian(x - offsets[label], W @ W.T + variance * np.eye(len(W)))


def no_label(x, label, W, offsets, variance):
    return gaussian(x, W @ W.T + variance * np.eye(len(W)))


def every_label(x, label, W, offsets, variance):
    return gaussian(x - offsets.mean(axis=0), W @ W.T + variance * np.eye(len(W)))


def fixed_latent(x, label, W, offsets, variance):
    return gaussian(x - offsets[label], variance * np.eye(len(W)))


def squared_variance(x, label, W, offsets, variance):
    return linear_log_prob(x, label, W, offsets, variance**2)


def no_constant(x, label, W, offsets, variance):
    return linear_log_prob(x, label, W, offsets, variance) + len(W) / 2 * np.log(2 * np.pi)


def summed(x, label, W, offsets, variance):
    return linear_log_prob(x, label, W, offsets, variance).sum()


def label_posterior(log_prob, prior):
    odds = prior * np.exp(log_prob - log_prob.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def underflowing(log_prob, prior):
    with np.errstate(invalid="ignore"):
        odds = prior * np.exp(log_prob)
        return odds / odds.sum(axis=1, keepdims=True)


def no_prior(log_prob, prior):
    return label_posterior(log_prob, np.ones_like(prior))


def plain_prior(log_prob, prior):
    return label_posterior(log_prob, np.exp(prior))


def over_items(log_prob, prior):
    odds = prior * np.exp(log_prob - log_prob.max(axis=0))
    return odds / odds.sum(axis=0)


def log_posterior(log_prob, prior):
    return np.log(label_posterior(log_prob, prior))


def errors(completions, truth):
    squares = np.sum((completions - truth) ** 2, axis=2)
    return squares.mean(), np.sum((completions.mean(axis=0) - truth) ** 2, axis=1).mean(), squares.min(axis=0).mean()


def mean_of_numbers(completions, truth):
    return np.array(errors(completions, truth)) / truth.shape[1]


def sum_of_pictures(completions, truth):
    return np.array(errors(completions, truth)) * len(truth)


def best_of_all(completions, truth):
    single, mean, _ = errors(completions, truth)
    return single, mean, np.sum((completions - truth) ** 2, axis=2).min()


def best_of_each_number(completions, truth):
    single, mean, _ = errors(completions, truth)
    return single, mean, ((completions - truth) ** 2).min(axis=0).sum(axis=1).mean()


def squared_first(completions, truth):
    single, _, best = errors(completions, truth)
    return single, single, best


def other_order(completions, truth):
    single, mean, best = errors(completions, truth)
    return mean, single, best


def roots(completions, truth):
    return np.sqrt(errors(completions, truth))


@pytest.mark.parametrize(
    ("check", "right"),
    [
        (check_linear_log_prob, linear_log_prob),
        (check_label_posterior, label_posterior),
        (check_completion_errors, errors),
    ],
)
def test_a_right_solution_passes(check, right, capsys):
    check(right)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("check", "wrong", "sentence"),
    [
        (check_linear_log_prob, stub, "still a stub"),
        (check_linear_log_prob, no_label, "The label does nothing"),
        (check_linear_log_prob, every_label, "that of all labels"),
        (check_linear_log_prob, fixed_latent, "z varies too"),
        (check_linear_log_prob, squared_variance, "do not square it"),
        (check_linear_log_prob, no_constant, "ln 2π is missing"),
        (check_linear_log_prob, summed, "one number a row"),
        (check_label_posterior, stub, "still a stub"),
        (check_label_posterior, underflowing, r"Since exp\(-5000\) is 0"),
        (check_label_posterior, no_prior, "prior is missing"),
        (check_label_posterior, plain_prior, "logarithm of the prior"),
        (check_label_posterior, over_items, "columns sum to 1"),
        (check_label_posterior, log_posterior, "logarithm of the posterior"),
        (check_completion_errors, stub, "still a stub"),
        (check_completion_errors, mean_of_numbers, "sum over them"),
        (check_completion_errors, sum_of_pictures, "take their mean"),
        (check_completion_errors, best_of_all, "chosen for each picture"),
        (check_completion_errors, best_of_each_number, "for the whole picture"),
        (check_completion_errors, squared_first, "Average the completions first"),
        (check_completion_errors, other_order, "The order is"),
        (check_completion_errors, roots, "Those are roots"),
    ],
)
def test_a_wrong_solution_is_refused_with_the_telling_sentence(check, wrong, sentence):
    with pytest.raises(NotYet, match=sentence):
        check(wrong)
