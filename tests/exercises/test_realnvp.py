import numpy as np
import pytest
from scipy.stats import norm

from gencourse.exercises import realnvp
from gencourse.exercises.harness import NotYet


def linear_flow_log_prob(x, A, b):
    return norm.logpdf(x @ A.T + b).sum(axis=-1) + np.linalg.slogdet(A).logabsdet


def coupling_inverse(y, s, t):
    kept, changed = np.split(y, 2, axis=1)
    return np.concatenate([kept, (changed - t(kept)) * np.exp(-s(kept))], axis=1), -s(kept).sum(axis=1)


def image_bits(log_p_y, v, margin):
    d, p = v.shape[1], margin + (1 - 2 * margin) * v
    log_slope = np.log((1 - 2 * margin) / (p * (1 - p))).sum(axis=1)
    return (d * np.log(256) - log_p_y - log_slope) / (d * np.log(2))


def test_right_solutions_pass(capsys):
    realnvp.check_linear_flow_log_prob(linear_flow_log_prob)
    realnvp.check_coupling_inverse(coupling_inverse)
    realnvp.check_image_bits(image_bits)
    assert capsys.readouterr().out.count("✓") == 3


def without_determinant(x, A, b):
    return norm.logpdf(x @ A.T + b).sum(axis=-1)


def transposed(x, A, b):
    return linear_flow_log_prob(x, A.T, b)


def signed(x, A, b):
    return without_determinant(x, A, b) + np.log(np.linalg.det(A))


def shift_last(y, s, t):
    kept, changed = np.split(y, 2, axis=1)
    return np.concatenate([kept, changed * np.exp(-s(kept)) - t(kept)], axis=1), -s(kept).sum(axis=1)


def of_the_changed_half(y, s, t):
    kept, changed = np.split(y, 2, axis=1)
    return np.concatenate([kept, (changed - t(changed)) * np.exp(-s(changed))], axis=1), -s(changed).sum(axis=1)


@pytest.mark.parametrize(
    ("check", "wrong", "sentence"),
    [
        ("linear_flow_log_prob", without_determinant, "log-determinant is missing"),
        (
            "linear_flow_log_prob",
            lambda x, A, b: 2 * without_determinant(x, A, b) - linear_flow_log_prob(x, A, b),
            "is added, not subtracted",
        ),
        ("linear_flow_log_prob", signed, "absolute value counts"),
        ("coupling_inverse", lambda y, s, t: y, "must return x and the log-determinant"),
        ("coupling_inverse", shift_last, "take it off first"),
        ("coupling_inverse", of_the_changed_half, "the half that stays"),
        ("coupling_inverse", lambda *a: (coupling_inverse(*a)[0], -coupling_inverse(*a)[1]), "the opposite sign"),
        ("image_bits", lambda log_p_y, v, margin: image_bits(log_p_y, v, margin) - 8, "256 levels are missing"),
        ("image_bits", lambda log_p_y, v, margin: v.shape[1] * image_bits(log_p_y, v, margin), "number of pixels"),
        ("image_bits", lambda log_p_y, v, margin: np.log(2) * image_bits(log_p_y, v, margin), "divide by ln 2"),
        (
            "image_bits",
            lambda log_p_y, v, margin: 8 - log_p_y / (v.shape[1] * np.log(2)),
            "logit's log-determinant is missing",
        ),
    ],
)
def test_typical_mistakes_are_named(check, wrong, sentence):
    with pytest.raises(NotYet, match=sentence):
        getattr(realnvp, f"check_{check}")(wrong)


def test_a_transposed_matrix_is_named():
    """In one dimension it is no mistake; the check goes on to two."""
    with pytest.raises(NotYet, match=r"in 2 dimensions.*x @ A\.T \+ b"):
        realnvp.check_linear_flow_log_prob(transposed)


def test_stub_is_recognized():
    def stub(*arguments):
        raise NotImplementedError()

    for name in ("linear_flow_log_prob", "coupling_inverse", "image_bits"):
        with pytest.raises(NotYet, match="still a stub"):
            getattr(realnvp, f"check_{name}")(stub)
