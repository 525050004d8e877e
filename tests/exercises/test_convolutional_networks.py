import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from gencourse.exercises import convolutional_networks
from gencourse.exercises.harness import NotYet


def conv_shape(n, channels, filters, kernel, stride, padding):
    side = -(-n // stride) if padding == "same" else (n - kernel) // stride + 1
    return side, kernel * kernel * channels * filters + filters


def receptive_field(stack):
    r, j = 1, 1
    for kernel, stride, dilation in stack:
        r, j = r + (kernel - 1) * dilation * j, j * stride
    return r


def separable_conv(x, D, P):
    windows = sliding_window_view(x, D.shape[:2], axis=(0, 1))  # (h', w', C, k, k)
    return np.einsum("ijcuv,uvc,cf->ijf", windows, D, P)


def test_right_solutions_pass(capsys):
    convolutional_networks.check_conv_shape(conv_shape)
    convolutional_networks.check_receptive_field(receptive_field)
    convolutional_networks.check_separable_conv(separable_conv)
    assert capsys.readouterr().out.count("✓") == 3


def side_without_rounding_up(n, channels, filters, kernel, stride, padding):
    side = n // stride if padding == "same" else (n - kernel) // stride + 1
    return side, conv_shape(n, channels, filters, kernel, stride, padding)[1]


def parameters_without_channels(n, channels, filters, kernel, stride, padding):
    return conv_shape(n, channels, filters, kernel, stride, padding)[0], kernel * kernel * filters + filters


def stride_before_reach(stack):
    r, j = 1, 1
    for kernel, stride, dilation in stack:
        j *= stride
        r += (kernel - 1) * dilation * j
    return r


def stub(*arguments):
    raise NotImplementedError()


@pytest.mark.parametrize(
    ("check", "wrong", "sentence"),
    [
        ("conv_shape", side_without_rounding_up, "rounded up"),
        ("conv_shape", lambda *case: (conv_shape(*case)[0], conv_shape(*case)[1] - case[2]), "left out the biases"),
        ("conv_shape", parameters_without_channels, "every channel of the input"),
        ("conv_shape", lambda *case: conv_shape(*case)[0], "must return two numbers"),
        ("receptive_field", lambda stack: 1 + sum((k - 1) * a for k, _, a in stack), "Multiply the jump"),
        ("receptive_field", stride_before_reach, "after the layer has added"),
        ("receptive_field", lambda stack: receptive_field([(k, s, 1) for k, s, _ in stack]), "dilation of a spreads"),
        ("separable_conv", lambda x, D, P: separable_conv(x, D[::-1, ::-1], P), "turned by 180"),
        (
            "separable_conv",
            lambda x, D, P: separable_conv(np.pad(x, ((1, 1), (1, 1), (0, 0))), D, P),
            "inside the image",
        ),
        ("separable_conv", lambda x, D, P: separable_conv(x, D, np.eye(len(P))), "mix the channels"),
    ],
)
def test_typical_mistakes_are_named(check, wrong, sentence):
    with pytest.raises(NotYet, match=sentence):
        getattr(convolutional_networks, f"check_{check}")(wrong)


@pytest.mark.parametrize("check", ["conv_shape", "receptive_field", "separable_conv"])
def test_stubs_are_recognised(check):
    with pytest.raises(NotYet, match="still a stub"):
        getattr(convolutional_networks, f"check_{check}")(stub)
