"""The checker of notebook 14 accepts right solutions of any style and names the typical mistakes."""

from itertools import pairwise

import numpy as np
import pytest

from gencourse.exercises.harness import NotYet
from gencourse.exercises.what_a_generative_model_is import (
    check_bigram_nats,
    check_histogram_density,
    check_sample_table,
)


def stub(*arguments):
    raise NotImplementedError()


def histogram_density(counts, extent):
    x0, x1, y0, y1 = extent
    return counts * counts.size / (counts.sum() * (x1 - x0) * (y1 - y0))


def cell_probabilities(counts, extent):
    return counts / counts.sum()


def unnormalised(counts, extent):
    x0, x1, y0, y1 = extent
    return counts * counts.size / ((x1 - x0) * (y1 - y0))


def whole_area(counts, extent):
    x0, x1, y0, y1 = extent
    return counts / counts.sum() / ((x1 - x0) * (y1 - y0))


def multiplied(counts, extent):
    x0, x1, y0, y1 = extent
    return counts / counts.sum() * ((x1 - x0) * (y1 - y0) / counts.size)


def flattened(counts, extent):
    return histogram_density(counts, extent).ravel()


def sample_table(first, second, u):
    cells = []
    for u_1, u_2 in u:
        i = np.searchsorted(first.cumsum(), u_1, side="right")
        cells.append((i, np.searchsorted(second[i].cumsum(), u_2, side="right")))
    return cells


def independent(first, second, u):
    return sample_table(first, np.tile(first @ second, (len(first), 1)), u)


def columns_for_rows(first, second, u):
    return sample_table(first, second.T, u)


def one_number_twice(first, second, u):
    return sample_table(first, second, u[:, [0, 0]])


def swapped(first, second, u):
    return np.array(sample_table(first, second, u))[:, ::-1]


def from_one(first, second, u):
    return np.array(sample_table(first, second, u)) + 1


def own_noise(first, second, u):
    return sample_table(first, second, np.random.default_rng(7).random(u.shape))


def bigram(train, test, alphabet, added=1, below=None, end=-1):
    below = len(alphabet) if below is None else below
    with np.errstate(divide="ignore"):
        return -np.mean(
            [
                np.log((list(pairwise(train)).count((a, b)) + added) / max(train[:end].count(a) + below, 1))
                for a, b in pairwise(test)
            ]
        )


def positive_sign(train, test, alphabet):
    return -bigram(train, test, alphabet)


def in_bits(train, test, alphabet):
    return bigram(train, test, alphabet) / np.log(2)


def summed(train, test, alphabet):
    return bigram(train, test, alphabet) * (len(test) - 1)


def one_too_many(train, test, alphabet):
    return bigram(train, test, alphabet) * (len(test) - 1) / len(test)


def unsmoothed(train, test, alphabet):
    return bigram(train, test, alphabet, added=0, below=0)


def smoothed_above_only(train, test, alphabet):
    return bigram(train, test, alphabet, below=0)


def all_characters_counted(train, test, alphabet):
    return bigram(train, test, alphabet, end=None)


def joint(train, test, alphabet):
    pairs = list(pairwise(train))
    total = len(pairs) + len(alphabet) ** 2
    return -np.mean([np.log((pairs.count(pair) + 1) / total) for pair in pairwise(test)])


@pytest.mark.parametrize(
    ("check", "right"),
    [
        (check_histogram_density, histogram_density),
        (check_sample_table, sample_table),
        (check_bigram_nats, bigram),
    ],
)
def test_a_right_solution_passes(check, right, capsys):
    check(right)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("check", "wrong", "sentence"),
    [
        (check_histogram_density, stub, "still a stub"),
        (check_histogram_density, cell_probabilities, "the probabilities of the cells"),
        (check_histogram_density, unnormalised, "not divided by their sum"),
        (check_histogram_density, whole_area, "area of the whole rectangle"),
        (check_histogram_density, multiplied, "multiplied by the area"),
        (check_histogram_density, flattened, r"has shape \(16,\), where \(4, 4\) is wanted"),
        (check_sample_table, stub, "still a stub"),
        (check_sample_table, independent, "does not depend on i"),
        (check_sample_table, columns_for_rows, "column i of second"),
        (check_sample_table, one_number_twice, "same random number"),
        (check_sample_table, swapped, "columns are swapped"),
        (check_sample_table, from_one, "indices start at 0"),
        (check_sample_table, own_noise, "running sums"),
        (check_bigram_nats, stub, "still a stub"),
        (check_bigram_nats, positive_sign, "sign is turned round"),
        (check_bigram_nats, in_bits, "in bits"),
        (check_bigram_nats, summed, "divide by the number of pairs"),
        (check_bigram_nats, one_too_many, "divide by T - 1"),
        (check_bigram_nats, unsmoothed, "added ones are missing"),
        (check_bigram_nats, smoothed_above_only, "add V below"),
        (check_bigram_nats, all_characters_counted, "begins no pair"),
        (check_bigram_nats, joint, "no joint probability"),
    ],
)
def test_a_wrong_solution_is_refused_with_the_telling_sentence(check, wrong, sentence):
    with pytest.raises(NotYet, match=sentence):
        check(wrong)
