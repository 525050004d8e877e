"""Checks of notebook 14: a histogram as a density, sampling from a table, a bigram model's nats a character."""

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from math import log

import numpy as np

from gencourse.exercises.harness import call, expect_close, likely_mistake, passed

HISTOGRAM_HINT = "Divide the counts by their sum, and by the area (x1 - x0) / w * (y1 - y0) / h of a cell."
TABLE_HINT = "Find i from the running sums of first, then j from the running sums of row i of second."
BIGRAM_HINT = "Average -ln q(b | a) over the pairs (a, b) of test, with n(a, b) + 1 over the row's sum of pairs plus V."


def check_histogram_density(histogram_density: Callable) -> None:
    """Check density = counts / (sum of counts · cell area).

    Args:
        histogram_density: `histogram_density(counts, extent)` with counts (h, w) and extent (x0, x1, y0, y1),
            returning (h, w).

    Raises:
        NotYet: with what is wrong.
    """
    rng = np.random.default_rng(0)
    for extent, shape in (
        ((-1.0, 1.0, -1.0, 1.5), (4, 4)),
        ((-3.0, 3.0, -1.0, 1.0), (5, 12)),
        ((2.0, 2.5, 0, 9), (3, 7)),
    ):
        counts = rng.integers(0, 50, size=shape)
        x0, x1, y0, y1 = extent
        x_edges, y_edges = np.linspace(x0, x1, shape[1] + 1), np.linspace(y0, y1, shape[0] + 1)
        row, column = np.indices(shape).reshape(2, -1)
        centres = (y_edges[row] + y_edges[row + 1]) / 2, (x_edges[column] + x_edges[column + 1]) / 2
        wanted, *_ = np.histogram2d(*centres, bins=(y_edges, x_edges), weights=counts.ravel(), density=True)
        shown = f"histogram_density(counts {shape}, {extent})"
        ours = call(histogram_density, counts, extent, shown=shown)
        probabilities, area = counts / counts.sum(), (x1 - x0) * (y1 - y0)
        cell_area = area / counts.size
        mistakes = {
            "Those are the probabilities of the cells: divide by the area of a cell too.": probabilities,
            "The counts are not divided by their sum.": counts / cell_area,
            "You divided by the area of the whole rectangle: a cell has 1 / (h w) of it.": probabilities / area,
            "You multiplied by the area of a cell: the same points on less area are denser.": probabilities * cell_area,
        }
        expect_close(ours, wanted, shown=shown, hint=likely_mistake(ours, mistakes, HISTOGRAM_HINT))
    passed("histogram_density agrees with NumPy's and integrates to 1.")


def check_sample_table(sample_table: Callable) -> None:
    """Check ancestral sampling: i inverts the running sum of q(i) at u_1, j that of q(j | i) at u_2.

    Args:
        sample_table: `sample_table(first, second, u)` with q(i) (B,), q(j | i) (B, B) and u (n, 2) in [0, 1),
            returning cells (n, 2).

    Raises:
        NotYet: with what is wrong.
    """
    rng = np.random.default_rng(0)
    forbidden = np.array([[0.0, 1.0, 0.0], [0.5, 0.0, 0.5], [0.0, 0.25, 0.75]])
    for first, second in (
        (np.array([0.25, 0.5, 0.25]), forbidden),
        (np.array([0.0, 1.0, 0.0]), forbidden),
        (rng.dirichlet(np.ones(6)), rng.dirichlet(np.ones(6), size=6)),
    ):
        u = rng.random((200, 2))
        shown = f"sample_table(first, second, u) with B = {len(first)}"
        ours = call(sample_table, first, second, u, shown=shown)
        i = [_invert(first, value) for value in u[:, 0]]
        wanted = np.array([(a, _invert(second[a], value)) for a, value in zip(i, u[:, 1], strict=True)])
        marginal = first @ second
        mistakes = {
            "Your j does not depend on i: use row i of second, not the mean row.": [
                (a, _invert(marginal, value)) for a, value in zip(i, u[:, 1], strict=True)
            ],
            "You used column i of second: q(j | i) stands in row i.": [
                (a, _invert(second[:, a], value)) for a, value in zip(i, u[:, 1], strict=True)
            ],
            "You used the same random number for i and j: the second is u[:, 1].": [
                (a, _invert(second[a], value)) for a, value in zip(i, u[:, 0], strict=True)
            ],
            "The two columns are swapped: return (i, j).": wanted[:, ::-1],
            "Your cells start at 1: indices start at 0.": wanted + 1,
        }
        expect_close(ours, wanted, shown=shown, hint=likely_mistake(ours, mistakes, TABLE_HINT))
    passed("sample_table inverts both running sums.")


def check_bigram_nats(bigram_nats: Callable) -> None:
    """Check -mean over the test pairs of ln q(b | a), with q(b | a) = (n(a, b) + 1) / (Σ_b' n(a, b') + V).

    Args:
        bigram_nats: `bigram_nats(train, test, alphabet)` with two str and the list of V characters, returning nats.

    Raises:
        NotYet: with what is wrong.
    """
    for train, test, alphabet in (
        ("abab", "aba", "ab"),
        ("the hen sees the fox.", "the fox sees it.", " .efhinostx"),
        ("aaaaab", "ba", "abc"),
    ):
        pairs, starts = Counter(pairwise(train)), Counter(train[:-1])
        tested = list(pairwise(test))

        def mean_nats(value, tested=tested):
            return -sum(log(value(a, b)) for a, b in tested) / len(tested)

        v = len(alphabet)
        shown = f"bigram_nats({train!r}, {test!r}, {alphabet!r})"
        wanted = mean_nats(lambda a, b: (pairs[a, b] + 1) / (starts[a] + v))  # noqa: B023
        ours = call(bigram_nats, train, test, list(alphabet), shown=shown)
        with np.errstate(divide="ignore"):
            plain = -np.mean([np.log(pairs[a, b] / max(starts[a], 1)) for a, b in tested])
        mistakes = {
            "The sign is turned round: return minus the mean log-probability.": -wanted,
            "That is in bits: use the natural logarithm.": wanted / log(2),
            "That is the sum over the text: divide by the number of pairs.": wanted * len(tested),
            "There are T - 1 pairs in a text of T characters: divide by T - 1.": wanted * len(tested) / len(test),
            "The added ones are missing: a pair that training never showed has probability 0.": plain,
            "The rows do not sum to 1: V ones were added to each, so add V below.": mean_nats(
                lambda a, b: (pairs[a, b] + 1) / max(starts[a], 1)  # noqa: B023
            ),
            "Normalise each row by itself: q(b | a) is no joint probability of the pair.": mean_nats(
                lambda a, b: (pairs[a, b] + 1) / (len(train) - 1 + v**2)  # noqa: B023
            ),
            "The last character of train begins no pair: divide by the row's sum of pairs.": mean_nats(
                lambda a, b: (pairs[a, b] + 1) / (train.count(a) + v)  # noqa: B023
            ),
        }
        expect_close(ours, wanted, shown=shown, hint=likely_mistake(ours, mistakes, BIGRAM_HINT))
    passed("bigram_nats agrees with counting by hand.")


def _invert(probabilities, u: float) -> int:
    """Return the first index whose running sum exceeds u."""
    return int(np.searchsorted(np.cumsum(probabilities), u, side="right"))
