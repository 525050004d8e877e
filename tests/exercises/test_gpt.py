"""The checker of notebook 62 accepts right solutions of any style and names the typical mistakes."""

import numpy as np
import pytest

from gencourse.exercises.gpt import check_beam_over_table, check_nucleus, check_perplexity_and_bits
from gencourse.exercises.harness import NotYet


def stub(*arguments):
    raise NotImplementedError()


def nucleus(p, mass, more=0):
    order = np.argsort(-p)
    count = np.searchsorted(np.cumsum(p[order]), mass) + 1 + more
    return np.isin(np.arange(len(p)), order[:count])


def one_by_one(p, mass):
    kept, total = [False] * len(p), 0.0
    while total < mass:
        best = max((i for i in range(len(p)) if not kept[i]), key=lambda i: p[i])
        kept[best], total = True, total + p[best]
    return kept


def one_short(p, mass):
    return nucleus(p, mass, more=-1)


def one_more(p, mass):
    return nucleus(p, mass, more=1)


def each_alone(p, mass):
    return p >= mass


def in_order_of_ids(p, mass):
    return np.cumsum(p) - p < mass


def by_rank(p, mass):
    return np.arange(len(p)) < nucleus(p, mass).sum()


def forbidden(p, mass):
    return ~nucleus(p, mass)


def as_ids(p, mass):
    return np.flatnonzero(nucleus(p, mass))


def perplexity_and_bits(nats, tokens, characters):
    return np.exp(nats), nats * tokens / characters / np.log(2)


def by_total(nats, tokens, characters):
    total = nats * tokens
    return [np.exp(total / tokens), np.log2(np.exp(1)) * total / characters]


def in_nats(nats, tokens, characters):
    return np.exp(nats), nats * tokens / characters


def bits_a_token(nats, tokens, characters):
    return np.exp(nats), nats / np.log(2)


def ratio_turned(nats, tokens, characters):
    return np.exp(nats), nats * characters / tokens / np.log(2)


def power_of_two(nats, tokens, characters):
    return 2**nats, nats * tokens / characters / np.log(2)


def swapped(nats, tokens, characters):
    return perplexity_and_bits(nats, tokens, characters)[::-1]


def one_number(nats, tokens, characters):
    return np.exp(nats)


def beam_over_table(log_p, start, length, beams):
    kept = [(0.0, [start])]
    for _ in range(length):
        longer = [(total + log_p[ids[-1], b], [*ids, b]) for total, ids in kept for b in range(len(log_p))]
        kept = sorted(longer, key=lambda pair: -pair[0])[:beams]
    return np.array(kept[0][1])


def by_arrays(log_p, start, length, beams):
    ids, totals = np.array([[start]]), np.zeros(1)
    for _ in range(length):
        sums = totals[:, None] + log_p[ids[:, -1]]
        best = np.argsort(-sums, axis=None)[:beams]
        rows, tokens = np.unravel_index(best, sums.shape)
        ids, totals = np.hstack([ids[rows], tokens[:, None]]), sums[rows, tokens]
    return ids[0]


def greedy(log_p, start, length, beams):
    return beam_over_table(log_p, start, length, 1)


def exhaustive(log_p, start, length, beams):
    return beam_over_table(log_p, start, length, len(log_p) ** length)


def without_start(log_p, start, length, beams):
    return beam_over_table(log_p, start, length, beams)[1:]


def smallest(log_p, start, length, beams):
    return beam_over_table(-log_p, start, length, len(log_p) ** length)


@pytest.mark.parametrize(
    ("check", "right"),
    [
        (check_nucleus, nucleus),
        (check_nucleus, one_by_one),
        (check_perplexity_and_bits, perplexity_and_bits),
        (check_perplexity_and_bits, by_total),
        (check_beam_over_table, beam_over_table),
        (check_beam_over_table, by_arrays),
    ],
)
def test_a_right_solution_passes(check, right, capsys):
    check(right)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("check", "wrong", "sentence"),
    [
        (check_nucleus, stub, "still a stub"),
        (check_nucleus, one_short, "stops one before it"),
        (check_nucleus, one_more, "one token too many"),
        (check_nucleus, each_alone, "compare their sum"),
        (check_nucleus, in_order_of_ids, "not in the order of the ids"),
        (check_nucleus, by_rank, "You marked ranks"),
        (check_nucleus, forbidden, "yours is the opposite"),
        (check_nucleus, as_ids, "has shape"),
        (check_perplexity_and_bits, stub, "still a stub"),
        (check_perplexity_and_bits, in_nats, "divide it by ln 2"),
        (check_perplexity_and_bits, bits_a_token, "divide by the characters"),
        (check_perplexity_and_bits, ratio_turned, "turn the ratio round"),
        (check_perplexity_and_bits, power_of_two, "not 2"),
        (check_perplexity_and_bits, swapped, "in the other order"),
        (check_perplexity_and_bits, one_number, "two numbers are wanted"),
        (check_beam_over_table, stub, "still a stub"),
        (check_beam_over_table, greedy, "That is greedy"),
        (check_beam_over_table, exhaustive, "keep only `beams`"),
        (check_beam_over_table, without_start, "first id of the text"),
        (check_beam_over_table, smallest, "sort from the largest"),
    ],
)
def test_a_wrong_solution_is_refused_with_the_telling_sentence(check, wrong, sentence):
    with pytest.raises(NotYet, match=sentence):
        check(wrong)
