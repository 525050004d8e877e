"""The checker of notebook 61 accepts right solutions of any style and names the typical mistakes."""

import numpy as np
import pytest

from gencourse.exercises.attention import check_attend_to_stream, check_rotate, check_window_mask
from gencourse.exercises.harness import NotYet


def stub(*arguments):
    raise NotImplementedError()


def window_mask(t, reach):
    distance = np.arange(t)[:, None] - np.arange(t)[None, :]
    return (distance >= 0) & (distance <= reach)


def by_triangles(t, reach):
    return np.tril(np.ones((t, t), bool)) & ~np.tril(np.ones((t, t), bool), -reach - 1)


def transposed(t, reach):
    return window_mask(t, reach).T


def both_ways(t, reach):
    return window_mask(t, reach) | window_mask(t, reach).T


def narrow(t, reach):
    return window_mask(t, reach - 1)


def endless(t, reach):
    return np.tril(np.ones((t, t), bool))


def whole_numbers(t, reach):
    return window_mask(t, reach).astype(int)


def rotate(x, p, h=None, sign=1):
    h = h or len(x) // 2
    angle = sign * p * 10_000.0 ** (-np.arange(len(x) // 2) / h)
    a, b = np.split(x, 2)
    return np.concatenate([a * np.cos(angle) - b * np.sin(angle), b * np.cos(angle) + a * np.sin(angle)])


def by_matrices(x, p):
    h = len(x) // 2
    turned = np.zeros(2 * h)
    for i in range(h):
        a = p * 10_000.0 ** (-i / h)
        turned[[i, i + h]] = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) @ x[[i, i + h]]
    return turned


def backwards(x, p):
    return rotate(x, p, sign=-1)


def neighbours(x, p):
    return rotate(np.concatenate([x[::2], x[1::2]]), p).reshape(2, -1).T.ravel()


def wrong_half(x, p):
    return rotate(x, p, h=len(x))


def attend_to_stream(q, stream):
    keys, values = (np.array(part) for part in zip(*stream, strict=True))
    scores = keys @ q / np.sqrt(len(q))
    e = np.exp(scores - scores.max())
    return e @ values / e.sum()


def online(q, stream, scale=None, rescale=True):
    m, total, gathered = -np.inf, 0.0, 0.0
    for k, v in stream:
        s = q @ k * (scale or len(q) ** -0.5)
        new = max(m, s)
        shrink = np.exp(m - new) if rescale or m == -np.inf else 1.0
        total, gathered, m = total * shrink + np.exp(s - new), gathered * shrink + np.exp(s - new) * v, new
    return gathered / total


def unscaled(q, stream):
    return online(q, stream, scale=1.0)


def not_rescaled(q, stream):
    return online(q, stream, rescale=False)


def overflowing(q, stream):
    total = gathered = 0.0
    with np.errstate(all="ignore"):
        for k, v in stream:
            e = np.exp(q @ k / np.sqrt(len(q)))
            total, gathered = total + e, gathered + e * v
        return gathered / total


def not_divided(q, stream):
    keys, values = (np.array(part) for part in zip(*stream, strict=True))
    scores = keys @ q / np.sqrt(len(q))
    return np.exp(scores - scores.max()) @ values


def best_alone(q, stream):
    return max(stream, key=lambda pair: q @ pair[0])[1]


@pytest.mark.parametrize(
    ("check", "right"),
    [
        (check_window_mask, window_mask),
        (check_window_mask, by_triangles),
        (check_rotate, rotate),
        (check_rotate, by_matrices),
        (check_attend_to_stream, attend_to_stream),
        (check_attend_to_stream, online),
    ],
)
def test_a_right_solution_passes(check, right, capsys):
    check(right)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("check", "wrong", "sentence"),
    [
        (check_window_mask, stub, "still a stub"),
        (check_window_mask, transposed, "yours is transposed"),
        (check_window_mask, both_ways, "must not see later ones"),
        (check_window_mask, narrow, "one too narrow"),
        (check_window_mask, endless, "all that came before"),
        (check_window_mask, whole_numbers, "booleans are wanted"),
        (check_rotate, stub, "still a stub"),
        (check_rotate, backwards, "the other way"),
        (check_rotate, neighbours, "not two neighbours"),
        (check_rotate, wrong_half, "half of the vector"),
        (check_attend_to_stream, stub, "still a stub"),
        (check_attend_to_stream, unscaled, "Divide the scores by"),
        (check_attend_to_stream, not_rescaled, "must be multiplied by"),
        (check_attend_to_stream, overflowing, "is not finite"),
        (check_attend_to_stream, not_divided, "Divide o by ℓ"),
        (check_attend_to_stream, best_alone, "the best key alone"),
    ],
)
def test_a_wrong_solution_is_refused_with_the_telling_sentence(check, wrong, sentence):
    with pytest.raises(NotYet, match=sentence):
        check(wrong)
