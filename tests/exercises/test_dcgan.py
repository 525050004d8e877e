import numpy as np
import pytest
from scipy.special import expit

from gencourse.exercises import dcgan
from gencourse.exercises.harness import NotYet


def gan_losses(real, fake):
    discriminator = np.logaddexp(0, -real).mean() + np.logaddexp(0, fake).mean()
    return discriminator, np.logaddexp(0, -fake).mean()


def mode_coverage(points, modes, std, reach=3):
    close = np.linalg.norm(points[:, None] - modes[None], axis=-1) <= reach * std
    return close.any(axis=0).sum(), close.any(axis=1).mean()


def mean_over_real(logits, values):
    ratio = np.exp(logits - logits.max())
    return np.sum(ratio * values) / np.sum(ratio)


def naive_losses(real, fake):
    return -np.log(expit(real)).mean() - np.log(1 - expit(fake)).mean(), np.logaddexp(0, -fake).mean()


def nearest_modes(points, modes, std):
    return len(set(np.linalg.norm(points[:, None] - modes[None], axis=-1).argmin(axis=1))), 1.0


def test_right_solutions_pass(capsys):
    dcgan.check_gan_losses(gan_losses)
    dcgan.check_mode_coverage(mode_coverage)
    dcgan.check_mean_over_real(mean_over_real)
    assert capsys.readouterr().out.count("✓") == 3


@pytest.mark.parametrize(
    ("check", "wrong", "sentence"),
    [
        ("gan_losses", lambda r, f: (gan_losses(r, f)[0] / 2, 0), "do not average them"),
        ("gan_losses", lambda r, f: (np.logaddexp(0, -r).mean() + np.logaddexp(0, -f).mean(), 0), "its term is ln"),
        ("gan_losses", lambda r, f: (gan_losses(r, f)[0], -np.logaddexp(0, f).mean()), "That is the minimax loss"),
        ("gan_losses", lambda r, f: gan_losses(r, f)[0], "must return two numbers"),
        ("gan_losses", naive_losses, r"ln\(1 \+ e\^"),
        ("mode_coverage", lambda p, m, s: mode_coverage(p, m, s, reach=1), "three deviations away, not one"),
        ("mode_coverage", nearest_modes, "not if it is some point's nearest"),
        ("mode_coverage", lambda p, m, s: (mode_coverage(p, m, s)[0], 1.0), "over all of them"),
        ("mean_over_real", lambda a, f: np.sum(expit(a) * f) / expit(a).sum(), r"D itself is p / \(p \+ q\)"),
        ("mean_over_real", lambda a, f: np.sum(np.exp(a) * f), "Divide by the sum"),
        ("mean_over_real", lambda a, f: f.mean(), "plain mean over fakes"),
        ("mean_over_real", lambda a, f: np.sum(np.exp(a) * f) / np.exp(a).sum(), "Subtract the largest logit"),
    ],
)
def test_typical_mistakes_are_named(check, wrong, sentence):
    with pytest.raises(NotYet, match=sentence):
        getattr(dcgan, f"check_{check}")(wrong)


@pytest.mark.parametrize("check", [dcgan.check_gan_losses, dcgan.check_mode_coverage, dcgan.check_mean_over_real])
def test_stub_is_recognized(check):
    def stub(*arguments):
        raise NotImplementedError()

    with pytest.raises(NotYet, match="still a stub"):
        check(stub)
