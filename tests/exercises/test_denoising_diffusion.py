import numpy as np
import pytest

from gencourse.exercises import denoising_diffusion
from gencourse.exercises.harness import NotYet


def noised(image, betas, t, noise):
    kept = np.cumprod(np.append(1, 1 - betas))[t][:, None, None, None]
    return np.sqrt(kept) * image + np.sqrt(1 - kept) * noise


def variance_for_rate(image, betas, t, noise):
    kept = np.cumprod(np.append(1, 1 - betas))[t][:, None, None, None]
    return np.sqrt(kept) * image + (1 - kept) * noise


def without_roots(image, betas, t, noise):
    kept = np.cumprod(np.append(1, 1 - betas))[t][:, None, None, None]
    return kept * image + (1 - kept) * noise


def one_step_late(image, betas, t, noise):
    return noised(image, np.append(betas, 0), t + 1, noise)


def step_back(x, predicted_noise, betas, t, cut=1):
    kept = np.cumprod(np.append(1, 1 - betas))
    now, before, beta = kept[t], kept[t - 1], betas[t - 1]
    image = np.clip((x - np.sqrt(1 - now) * predicted_noise) / np.sqrt(now), -cut, cut)
    mean = np.sqrt(before) * beta / (1 - now) * image + np.sqrt(1 - beta) * (1 - before) / (1 - now) * x
    return mean, np.sqrt(beta * (1 - before) / (1 - now))


def estimated_image(x, predicted_noise, betas, t):
    kept = np.cumprod(np.append(1, 1 - betas))[t]
    return np.clip((x - np.sqrt(1 - kept) * predicted_noise) / np.sqrt(kept), -1, 1), 0.0


def printed_variance(x, predicted_noise, betas, t):
    bar, beta = np.prod(1 - betas[:t]), betas[t - 1]
    return step_back(x, predicted_noise, betas, t)[0], np.sqrt(beta * (1 - bar) / (1 - bar - beta))


def snr(betas):
    kept = np.cumprod(1 - betas)
    return kept / (1 - kept)


def bound_weights(betas):
    return (snr(betas)[:-1] / snr(betas)[1:] - 1) / 2


def test_right_solutions_pass(capsys):
    denoising_diffusion.check_noised(noised)
    denoising_diffusion.check_step_back(step_back)
    denoising_diffusion.check_bound_weights(bound_weights)
    assert capsys.readouterr().out.count("✓") == 3


@pytest.mark.parametrize(
    ("check", "wrong", "sentence"),
    [
        ("noised", variance_for_rate, "the root of 1 - ᾱ_t"),
        ("noised", without_roots, "Both rates are roots"),
        ("noised", one_step_late, "t = 0 is the clean image"),
        ("noised", lambda x, b, t, e: noised(x, 1 - b, t, e), "not of β"),
        ("noised", lambda x, b, t, e: noised(x, b, np.sort(t), e), "each image with its own t"),
        ("step_back", lambda x, e, b, t: step_back(x, e, b, t, cut=np.inf), r"Cut the estimated image to \[-1, 1\]"),
        ("step_back", estimated_image, "also depends on x_t"),
        ("step_back", lambda x, e, b, t: step_back(x, e, b, t)[0], "must return the mean and the deviation"),
        ("step_back", printed_variance, "upside down"),
        ("step_back", lambda x, e, b, t: (step_back(x, e, b, t)[0], np.sqrt(b[t - 1])), "is the step forward"),
        (
            "step_back",
            lambda x, e, b, t: (step_back(x, e, b, t)[0], step_back(x, e, b, t)[1] ** 2),
            "its root is wanted",
        ),
        ("bound_weights", lambda b: 2 * bound_weights(b), "One half is missing"),
        ("bound_weights", lambda b: (snr(b)[:-1] - snr(b)[1:]) / 2, "the error of x_0"),
        ("bound_weights", lambda b: (snr(b)[1:] / snr(b)[:-1] - 1) / 2, "above 1"),
        ("bound_weights", lambda b: (np.sqrt(snr(b)[:-1] / snr(b)[1:]) - 1) / 2, "without roots"),
    ],
)
def test_typical_mistakes_are_named(check, wrong, sentence):
    with pytest.raises(NotYet, match=sentence):
        getattr(denoising_diffusion, f"check_{check}")(wrong)


@pytest.mark.parametrize("check", ["noised", "step_back", "bound_weights"])
def test_stub_is_recognized(check):
    def stub(*arguments):
        raise NotImplementedError()

    with pytest.raises(NotYet, match="still a stub"):
        getattr(denoising_diffusion, f"check_{check}")(stub)
