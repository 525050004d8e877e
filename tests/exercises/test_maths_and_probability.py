"""The checker of notebook 10 accepts right solutions of any style and names the typical mistakes."""

import numpy as np
import pytest
from scipy.special import rel_entr

from gencourse.exercises.harness import NotYet
from gencourse.exercises.maths_and_probability import check_affine_log_prob, check_gradient, check_kl_divergence


def stub(*arguments):
    raise NotImplementedError()


def gradient(f, x, step):
    return [(f(x + step * e) - f(x - step * e)) / (2 * step) for e in np.eye(len(x))]


def one_sided(f, x, step):
    return np.array([(f(x + step * e) - f(x)) / step for e in np.eye(len(x))])


def twice_the_gradient(f, x, step):
    return 2 * np.array(gradient(f, x, step))


def all_at_once(f, x, step):
    return (f(x + step) - f(x - step)) / (2 * step)


def never_moves_back(f, x, step):
    slopes = np.zeros(len(x))
    for i in range(len(x)):
        x[i] += step
        above = f(x)
        x[i] -= 2 * step
        slopes[i] = (above - f(x)) / (2 * step)
    return slopes


def own_step(f, x, step):
    return gradient(f, x, 1e-5)


def kl_divergence(p, q):
    return rel_entr(p, q).sum()


def without_zeros(p, q):
    possible = p > 0
    with np.errstate(divide="ignore"):
        return float((p[possible] * (np.log(p[possible]) - np.log(q[possible]))).sum())


def reverse(p, q):
    return rel_entr(q, p).sum()


def in_bits(p, q):
    return rel_entr(p, q).sum() / np.log(2)


def cross_entropy(p, q):
    return -(p * np.log(q)).sum()


def mean_of_logs(p, q):
    return rel_entr(p, q).mean()


def nan_at_zero(p, q):
    with np.errstate(all="ignore"):
        return (p * np.log(p / q)).sum()


def finite_at_impossible(p, q):
    return rel_entr(p, np.maximum(q, 1e-12)).sum()


def affine_log_prob(x, A, b):
    z = np.linalg.solve(A, (x - b).T).T
    return -0.5 * (z**2 + np.log(2 * np.pi)).sum(axis=1) - np.linalg.slogdet(A)[1]


def volume_added(x, A, b):
    return affine_log_prob(x, A, b) + 2 * np.linalg.slogdet(A)[1]


def volume_forgotten(x, A, b):
    return affine_log_prob(x, A, b) + np.linalg.slogdet(A)[1]


def transposed(x, A, b):
    return affine_log_prob(x, A.T, b)


def signed_determinant(x, A, b):
    with np.errstate(invalid="ignore"):
        return volume_forgotten(x, A, b) - np.log(np.linalg.det(A))


def a_density(x, A, b):
    return np.exp(affine_log_prob(x, A, b))


def one_number(x, A, b):
    return affine_log_prob(x, A, b).sum()


@pytest.mark.parametrize(
    ("check", "right"),
    [
        (check_gradient, gradient),
        (check_kl_divergence, kl_divergence),
        (check_kl_divergence, without_zeros),
        (check_affine_log_prob, affine_log_prob),
    ],
)
def test_a_right_solution_passes(check, right, capsys):
    check(right)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("check", "wrong", "sentence"),
    [
        (check_gradient, stub, "still a stub"),
        (check_gradient, one_sided, "one-sided difference"),
        (check_gradient, twice_the_gradient, "twice the gradient"),
        (check_gradient, all_at_once, "one coordinate at a time"),
        (check_gradient, never_moves_back, "from the same x"),
        (check_gradient, own_step, "Use the step that was given"),
        (check_kl_divergence, stub, "still a stub"),
        (check_kl_divergence, reverse, r"KL\(q \|\| p\)"),
        (check_kl_divergence, in_bits, "in bits"),
        (check_kl_divergence, cross_entropy, "subtract the entropy"),
        (check_kl_divergence, mean_of_logs, "mean over k"),
        (check_kl_divergence, nan_at_zero, "0 log 0 counts as 0"),
        (check_kl_divergence, finite_at_impossible, "where inf is wanted"),
        (check_affine_log_prob, stub, "still a stub"),
        (check_affine_log_prob, volume_added, "sign of"),
        (check_affine_log_prob, volume_forgotten, "volume term is missing"),
        (check_affine_log_prob, transposed, "A transposed"),
        (check_affine_log_prob, signed_determinant, "loses its sign"),
        (check_affine_log_prob, a_density, "return its logarithm"),
        (check_affine_log_prob, one_number, r"has shape \(\), where \(5,\) is wanted"),
    ],
)
def test_a_wrong_solution_is_refused_with_the_telling_sentence(check, wrong, sentence):
    with pytest.raises(NotYet, match=sentence):
        check(wrong)
