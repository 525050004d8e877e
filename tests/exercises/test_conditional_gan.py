"""The checker of notebook 32 accepts right solutions of any style and names the typical mistakes."""

import numpy as np
import pytest

from gencourse.exercises.conditional_gan import (
    check_balanced_labels,
    check_projection_logit,
    check_reading_shares,
)
from gencourse.exercises.harness import NotYet


def stub(*arguments):
    raise NotImplementedError()


def balanced_labels(n, classes, seed):
    return np.random.default_rng(seed).permutation(np.arange(n) % classes)


def cut_from_repeated(n, classes, seed):
    labels = np.tile(np.arange(classes), n // classes + 1)[:n]
    np.random.default_rng(seed).shuffle(labels)
    return labels


def independent(n, classes, seed):
    return np.random.default_rng(seed).integers(0, classes, n)


def in_blocks(n, classes, seed):
    return np.sort(np.arange(n) % classes)


def in_turn(n, classes, seed):
    return np.arange(n) % classes


def whole_rounds(n, classes, seed):
    return np.repeat(np.arange(classes), n // classes)


def as_floats(n, classes, seed):
    return balanced_labels(n, classes, seed).astype(float)


def from_one(n, classes, seed):
    return 1 + balanced_labels(n, classes, seed)


def unseeded(n, classes, seed):
    return balanced_labels(n, classes, None)


def one_seed(n, classes, seed):
    return balanced_labels(n, classes, 0)


def projection_logit(h, label, w, b, embeddings):
    return np.sum(h * (w + embeddings[label]), axis=1) + b


def averaged(h, label, w, b, embeddings):
    return h @ w + b + np.mean(h * embeddings[label], axis=1)


def no_score(h, label, w, b, embeddings):
    return projection_logit(h, label, 0 * w, 0, embeddings)


def no_label(h, label, w, b, embeddings):
    return h @ w + b


def no_bias(h, label, w, b, embeddings):
    return projection_logit(h, label, w, 0, embeddings)


def every_label(h, label, w, b, embeddings):
    return (h @ w + b)[:, None] + h @ embeddings.T


def probability(h, label, w, b, embeddings):
    return 1 / (1 + np.exp(-projection_logit(h, label, w, b, embeddings)))


def reading_shares(asked, read, classes):
    return np.stack([np.bincount(read[asked == label], minlength=classes) for label in range(classes)]) / np.bincount(
        asked
    ).reshape(-1, 1)


def counts(asked, read, classes):
    return reading_shares(asked, read, classes) * np.bincount(asked)[:, None]


def of_all(asked, read, classes):
    return counts(asked, read, classes) / len(asked)


def exchanged(asked, read, classes):
    return reading_shares(asked, read, classes).T


def by_reading(asked, read, classes):
    return counts(asked, read, classes) / np.bincount(read, minlength=classes)


def diagonal(asked, read, classes):
    return np.diag(reading_shares(asked, read, classes))


def overall(asked, read, classes):
    return np.mean(asked == read)


@pytest.mark.parametrize(
    ("check", "right"),
    [
        (check_balanced_labels, balanced_labels),
        (check_balanced_labels, cut_from_repeated),
        (check_projection_logit, projection_logit),
        (check_reading_shares, reading_shares),
    ],
)
def test_a_right_solution_passes(check, right, capsys):
    check(right)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("check", "wrong", "sentence"),
    [
        (check_balanced_labels, stub, "still a stub"),
        (check_balanced_labels, independent, "balance only on average"),
        (check_balanced_labels, in_blocks, "fixed pattern"),
        (check_balanced_labels, in_turn, "fixed pattern"),
        (check_balanced_labels, whole_rounds, r"has shape \(60,\), where \(64,\)"),
        (check_balanced_labels, as_floats, "whole numbers"),
        (check_balanced_labels, from_one, r"the labels are 0\.\.9"),
        (check_balanced_labels, unseeded, "Two calls with seed 0 differ"),
        (check_balanced_labels, one_seed, "the seed does nothing"),
        (check_projection_logit, stub, "still a stub"),
        (check_projection_logit, averaged, "sum them"),
        (check_projection_logit, no_score, "how real the image is"),
        (check_projection_logit, no_label, "The label does nothing"),
        (check_projection_logit, no_bias, "b is missing"),
        (check_projection_logit, every_label, "one logit for every label"),
        (check_projection_logit, probability, "return the logit"),
        (check_reading_shares, stub, "still a stub"),
        (check_reading_shares, counts, "Those are counts"),
        (check_reading_shares, of_all, "You divided by n"),
        (check_reading_shares, exchanged, "exchange them"),
        (check_reading_shares, by_reading, "how often a label was read"),
        (check_reading_shares, diagonal, "the diagonal alone"),
        (check_reading_shares, overall, "one share for all"),
    ],
)
def test_a_wrong_solution_is_refused_with_the_telling_sentence(check, wrong, sentence):
    with pytest.raises(NotYet, match=sentence):
        check(wrong)
