import numpy as np
import pytest

from gencourse.exercises import glow
from gencourse.exercises.harness import NotYet


def actnorm_inverse(y, log_scale, bias, mean, std):
    n, h, w, _ = y.shape
    x = (y - bias) * np.exp(-log_scale) * std + mean
    return x, np.full(n, h * w * np.sum(np.log(std) - log_scale))


def unsqueeze(y):
    n, h, w, channels = y.shape
    x = np.empty((n, 2 * h, 2 * w, channels // 4))
    for corner in range(4):
        x[:, corner // 2 :: 2, corner % 2 :: 2] = np.split(y, 4, axis=-1)[corner]
    return x


def lu_convolution(x, P, L, U, sign, log_s):
    n, h, w, c = x.shape
    W = P @ (np.tril(L, -1) + np.eye(c)) @ (np.triu(U, 1) + np.diag(sign * np.exp(log_s)))
    return x @ W.T, np.full(n, h * w * np.sum(log_s))


def test_right_solutions_pass(capsys):
    glow.check_actnorm_inverse(actnorm_inverse)
    glow.check_unsqueeze(unsqueeze)
    glow.check_lu_convolution(lu_convolution)
    assert capsys.readouterr().out.count("✓") == 3


def bias_last(y, log_scale, bias, mean, std):
    return y * np.exp(-log_scale) * std + mean - bias, actnorm_inverse(y, log_scale, bias, mean, std)[1]


def divided_by_std(y, log_scale, bias, mean, std):
    return (y - bias) * np.exp(-log_scale) / std + mean, actnorm_inverse(y, log_scale, bias, mean, std)[1]


def once_in_all(y, log_scale, bias, mean, std):
    return actnorm_inverse(y, log_scale, bias, mean, std)[0], np.full(len(y), np.sum(np.log(std) - log_scale))


def forward_sign(y, *parameters):
    x, log_det = actnorm_inverse(y, *parameters)
    return x, -log_det


def one_number(y, *parameters):
    x, log_det = actnorm_inverse(y, *parameters)
    return x, log_det[0]


def reshaped(y):
    n, h, w, channels = y.shape
    return y.reshape(n, 2 * h, 2 * w, channels // 4)


def corners_exchanged(y):
    first, second, third, fourth = np.split(y, 4, axis=-1)
    return unsqueeze(np.concatenate([first, third, second, fourth], axis=-1))


def channel_slow(y):
    n, h, w, channels = y.shape
    return y.reshape(n, h, w, channels // 4, 2, 2).transpose(0, 1, 4, 2, 5, 3).reshape(n, 2 * h, 2 * w, channels // 4)


def unmasked(x, P, L, U, sign, log_s):
    W = P @ (L + np.eye(len(L))) @ (U + np.diag(sign * np.exp(log_s)))
    return x @ W.T, lu_convolution(x, P, L, U, sign, log_s)[1]


def transposed(x, P, L, U, sign, log_s):
    W = P @ (np.tril(L, -1) + np.eye(len(L))) @ (np.triu(U, 1) + np.diag(sign * np.exp(log_s)))
    return x @ W, lu_convolution(x, P, L, U, sign, log_s)[1]


def unsigned(x, P, L, U, sign, log_s):
    return lu_convolution(x, P, L, U, np.ones_like(sign), log_s)


def a_sum_of_channels(x, P, L, U, sign, log_s):
    return lu_convolution(x, P, L, U, sign, log_s)[0], np.full(len(x), np.sum(log_s))


@pytest.mark.parametrize(
    ("check", "wrong", "sentence"),
    [
        ("actnorm_inverse", bias_last, "subtract the bias before"),
        ("actnorm_inverse", divided_by_std, "the inverse multiplies by it"),
        ("actnorm_inverse", once_in_all, r"factor h · w is missing"),
        ("actnorm_inverse", forward_sign, "sign is wrong"),
        ("actnorm_inverse", one_number, "one number an image"),
        ("actnorm_inverse", lambda y, *parameters: y, "must return the images and the log-determinants"),
        ("unsqueeze", reshaped, "reshape alone"),
        ("unsqueeze", corners_exchanged, "are exchanged"),
        ("unsqueeze", channel_slow, "the slow index"),
        ("lu_convolution", unmasked, "numbers that do not count"),
        ("lu_convolution", transposed, r"x @ W\.T"),
        ("lu_convolution", unsigned, "signs are missing"),
        ("lu_convolution", a_sum_of_channels, r"factor h · w is missing"),
    ],
)
def test_typical_mistakes_are_named(check, wrong, sentence):
    with pytest.raises(NotYet, match=sentence):
        getattr(glow, f"check_{check}")(wrong)


def test_stub_is_recognized():
    def stub(*arguments):
        raise NotImplementedError()

    for name in ("actnorm_inverse", "unsqueeze", "lu_convolution"):
        with pytest.raises(NotYet, match="still a stub"):
            getattr(glow, f"check_{name}")(stub)
