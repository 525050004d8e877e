import numpy as np
import pytest
from scipy.special import logsumexp

from gencourse.exercises import variational_autoencoder
from gencourse.exercises.harness import NotYet


def kl_between_normals(m1, l1, m2, l2):
    return ((l2 - l1) - 1 + np.exp(l1 - l2) + (m1 - m2) ** 2 / np.exp(l2)).sum(axis=-1) / 2


def reparameterized_gradient(mean, log_var, noise, slope):
    return slope, slope * np.exp(log_var / 2) * noise / 2


def importance_weighted_bound(log_weights):
    return logsumexp(log_weights, axis=0) - np.log(len(log_weights))


def test_right_solutions_pass(capsys):
    variational_autoencoder.check_kl_between_normals(kl_between_normals)
    variational_autoencoder.check_reparameterized_gradient(reparameterized_gradient)
    variational_autoencoder.check_importance_weighted_bound(importance_weighted_bound)
    assert capsys.readouterr().out.count("✓") == 3


@pytest.mark.parametrize(
    ("check", "wrong", "sentence"),
    [
        ("kl_between_normals", lambda m1, l1, m2, l2: kl_between_normals(m2, l2, m1, l1), "swap the two normals"),
        ("kl_between_normals", lambda *a: kl_between_normals(*a) / a[0].shape[1], "do not average"),
        ("kl_between_normals", lambda m1, l1, m2, l2: kl_between_normals(m1, 2 * l1, m2, 2 * l2), "the variance"),
        ("reparameterized_gradient", lambda m, v, e, s: s, "must return two arrays"),
        ("reparameterized_gradient", lambda m, v, e, s: (s * e, s), "dz/dmean = 1"),
        ("reparameterized_gradient", lambda m, v, e, s: (s, s * np.exp(v / 2) * e), "comes down as a factor"),
        ("reparameterized_gradient", lambda m, v, e, s: (s, s * e), "for the standard deviation"),
        ("importance_weighted_bound", lambda w: np.log(np.exp(w).mean(axis=0)), "largest log-weight"),
        ("importance_weighted_bound", lambda w: w.mean(axis=0), "the mean stands inside"),
        ("importance_weighted_bound", lambda w: logsumexp(w, axis=0), "subtract ln k"),
    ],
)
def test_typical_mistakes_are_named(check, wrong, sentence):
    with pytest.raises(NotYet, match=sentence):
        getattr(variational_autoencoder, f"check_{check}")(wrong)


def test_stub_is_recognized():
    def stub(*arguments):
        raise NotImplementedError()

    for name in ("kl_between_normals", "reparameterized_gradient", "importance_weighted_bound"):
        with pytest.raises(NotYet, match="still a stub"):
            getattr(variational_autoencoder, f"check_{name}")(stub)
