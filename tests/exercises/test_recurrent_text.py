"""The checker of notebook 60 accepts right solutions of any style and names the typical mistakes."""

import math
from itertools import pairwise

import numpy as np
import pytest

from gencourse.exercises.harness import NotYet
from gencourse.exercises.recurrent_text import check_bigram_nats, check_carried_batches, check_clip_by_global_norm


def stub(*arguments):
    raise NotImplementedError()


def table(train, vocabulary, alpha):
    counts = np.full((vocabulary, vocabulary), float(alpha))
    np.add.at(counts, (train[:-1], train[1:]), 1)
    return counts


def bigram_nats(train, held_out, vocabulary, alpha):
    p = table(train, vocabulary, alpha)
    p /= p.sum(axis=1, keepdims=True)
    return -np.log(p[held_out[:-1], held_out[1:]]).mean()


def by_dictionaries(train, held_out, vocabulary, alpha):
    pairs, firsts = {}, {}
    for a, b in pairwise(train):
        pairs[a, b] = pairs.get((a, b), 0) + 1
        firsts[a] = firsts.get(a, 0) + 1
    total = 0.0
    for a, b in pairwise(held_out):
        total -= math.log((pairs.get((a, b), 0) + alpha) / (firsts.get(a, 0) + alpha * vocabulary))
    return total / (len(held_out) - 1)


def wrong_count(train, held_out, vocabulary, alpha):
    return bigram_nats(train, held_out, vocabulary, alpha) * (len(held_out) - 1) / len(held_out)


def bits(train, held_out, vocabulary, alpha):
    return bigram_nats(train, held_out, vocabulary, alpha) / math.log(2)


def columns(train, held_out, vocabulary, alpha):
    p = table(train, vocabulary, alpha)
    p /= p.sum(axis=0, keepdims=True)
    return -np.log(p[held_out[:-1], held_out[1:]]).mean()


def joint(train, held_out, vocabulary, alpha):
    p = table(train, vocabulary, alpha)
    return -np.log(p / p.sum())[held_out[:-1], held_out[1:]].mean()


def one_alpha(train, held_out, vocabulary, alpha):
    p = table(train, vocabulary, alpha)
    p /= (p - alpha).sum(axis=1, keepdims=True) + alpha
    return -np.log(p[held_out[:-1], held_out[1:]]).mean()


def clip(gradients, limit):
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    return gradients if norm <= limit else [g * limit / norm for g in gradients]


def clip_as_tuple(gradients, limit):
    norm = math.hypot(*np.concatenate([g.ravel() for g in gradients]))
    return tuple(g / max(1.0, norm / limit) for g in gradients)


def each_alone(gradients, limit):
    return [g * min(1, limit / np.linalg.norm(g)) for g in gradients]


def by_number(gradients, limit):
    return [np.clip(g, -limit, limit) for g in gradients]


def always(gradients, limit):
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    return [g * limit / norm for g in gradients]


def not_at_zero(gradients, limit):
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    return [g * min(1, limit / norm) if norm else g + np.nan for g in gradients]


def flat(gradients, limit):
    return [g.ravel() for g in clip(gradients, limit)]


def carried_batches(ids, n, t):
    m = (len(ids) - 1) // (n * t)
    return np.array([[ids[i * m * t + k * t :][: t + 1] for i in range(n)] for k in range(m)])


def by_reshaping(ids, n, t):
    m = (len(ids) - 1) // (n * t)
    inputs, targets = (x[: m * n * t].reshape(n, m, t).swapaxes(0, 1) for x in (ids, ids[1:]))
    return np.concatenate([inputs, targets[..., -1:]], axis=-1)


def following(ids, n, t):
    m = (len(ids) - 1) // (n * t)
    return np.array([[ids[(k * n + i) * t :][: t + 1] for i in range(n)] for k in range(m)])


def rows_first(ids, n, t):
    return carried_batches(ids, n, t).swapaxes(0, 1)


def without_target(ids, n, t):
    return carried_batches(ids, n, t)[..., :-1]


@pytest.mark.parametrize(
    ("check", "right"),
    [
        (check_bigram_nats, bigram_nats),
        (check_bigram_nats, by_dictionaries),
        (check_clip_by_global_norm, clip),
        (check_clip_by_global_norm, clip_as_tuple),
        (check_carried_batches, carried_batches),
        (check_carried_batches, by_reshaping),
    ],
)
@pytest.mark.filterwarnings("error")
def test_a_right_solution_passes(check, right, capsys):
    check(right)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("check", "wrong", "sentence"),
    [
        (check_bigram_nats, stub, "still a stub"),
        (check_bigram_nats, wrong_count, "t - 1 pairs"),
        (check_bigram_nats, bits, "in bits"),
        (check_bigram_nats, columns, "how often b comes second"),
        (check_bigram_nats, joint, "loss of the pair"),
        (check_bigram_nats, one_alpha, "larger by αV"),
        (check_clip_by_global_norm, stub, "still a stub"),
        (check_clip_by_global_norm, each_alone, "a norm of its own"),
        (check_clip_by_global_norm, by_number, "Each number was cut off"),
        (check_clip_by_global_norm, always, "must stay as they are"),
        (check_clip_by_global_norm, not_at_zero, "A norm of 0"),
        (check_clip_by_global_norm, flat, "gave shapes"),
        (check_carried_batches, stub, "still a stub"),
        (check_carried_batches, following, "give each row a strand"),
        (check_carried_batches, rows_first, "the batches come first"),
        (check_carried_batches, without_target, "t \\+ 1 ids"),
    ],
)
def test_a_wrong_solution_is_refused_with_the_telling_sentence(check, wrong, sentence):
    with pytest.raises(NotYet, match=sentence):
        check(wrong)
