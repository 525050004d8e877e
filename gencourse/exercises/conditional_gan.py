"""Checks the exercises of notebook 32, conditional GAN."""

from collections.abc import Callable

import numpy as np

from gencourse.exercises.harness import call, expect, expect_close, likely_mistake, passed

LOGIT_HINT = "For each row i: h[i] · w + b + embeddings[label[i]] · h[i], a number for each image."
SHARE_HINT = "Entry (a, r) is the share, among the pictures for which label a was asked, of those read as r."


def check_balanced_labels(balanced_labels: Callable) -> None:
    """Check labels of which each stands as often as any other, up to one, in an order that the seed decides.

    Args:
        balanced_labels: `balanced_labels(n, classes, seed)` returning n whole numbers in 0..classes - 1.

    Raises:
        NotYet: with what is wrong.
    """
    for n, classes in ((1000, 10), (64, 10), (7, 3), (40, 2), (3, 8)):
        shown = f"balanced_labels({n}, {classes}, seed=0)"
        labels = np.asarray(call(balanced_labels, n, classes, 0, shown=shown))
        expect(labels.shape == (n,), f"`{shown}` has shape {labels.shape}, where ({n},) is wanted.")
        expect(np.issubdtype(labels.dtype, np.integer), f"`{shown}` gave {labels.dtype}: labels are whole numbers.")
        expect(
            labels.min() >= 0 and labels.max() < classes,
            f"`{shown}` spans {labels.min()}..{labels.max()}: the labels are 0..{classes - 1}.",
        )
        counts = np.bincount(labels, minlength=classes)
        expect(
            np.ptp(counts) <= 1,
            f"`{shown}` holds one label {counts.max()} times and another {counts.min()} times: independent draws "
            "balance only on average. Repeat 0, 1, ..., classes - 1, and shuffle.",
        )
    many = [
        np.asarray(call(balanced_labels, 1000, 10, seed, shown="balanced_labels(1000, 10, seed)")) for seed in (0, 0, 1)
    ]
    expect(np.array_equal(many[0], many[1]), "Two calls with seed 0 differ: draw from np.random.default_rng(seed).")
    expect(
        np.mean(many[0][:-1] <= many[0][1:]) < 0.9 and np.mean((many[0][:-1] + 1) % 10 == many[0][1:]) < 0.9,
        "The labels stand in a fixed pattern: shuffle them, so that every batch of them is mixed.",
    )
    expect(not np.array_equal(many[0], many[2]), "Seeds 0 and 1 give the same order: the seed does nothing.")
    passed("balanced_labels gives every label its turn, in an order that the seed decides.")


def check_projection_logit(projection_logit: Callable) -> None:
    """Check w · h + b + e(y) · h, one logit an image.

    Args:
        projection_logit: `projection_logit(h, label, w, b, embeddings)` with features h (n, k), label (n,), w (k,), a
            number b and embeddings (classes, k), returning (n,).

    Raises:
        NotYet: with what is wrong.
    """
    rng = np.random.default_rng(0)
    for n, k, classes in ((5, 4, 3), (3, 9, 10), (4, 2, 4)):
        h, w, b = rng.standard_normal((n, k)), rng.standard_normal(k), 0.5 + rng.random()
        embeddings, label = rng.standard_normal((classes, k)), rng.integers(0, classes, n)
        agreement = np.einsum("ik,ik->i", np.take(embeddings, label, axis=0), h)
        score = np.einsum("ik,k->i", h, w)
        wanted = score + b + agreement
        shown = f"projection_logit(h {h.shape}, label, w {w.shape}, b, embeddings {embeddings.shape})"
        ours = call(projection_logit, h, label, w, b, embeddings, shown=shown)
        mistakes = {
            "The score w · h + b is missing: it says how real the image is, whatever its label.": agreement,
            "The label does nothing: e(y) · h is missing.": score + b,
            "b is missing.": wanted - b,
            "That is one logit for every label: take row label[i] of the embeddings for image i.": (
                (score + b)[:, None] + h @ embeddings.T
            ),
            "That is e(y) · h averaged over the features: sum them.": score + b + agreement / k,
            "That is D = sigmoid(logit): return the logit.": 1 / (1 + np.exp(-wanted)),
        }
        expect_close(ours, wanted, shown=shown, hint=likely_mistake(ours, mistakes, LOGIT_HINT))
    passed("projection_logit is the score of the image plus the agreement of its features with its label.")


def check_reading_shares(reading_shares: Callable) -> None:
    """Check the table of shares: for each asked label, how its pictures were read.

    Args:
        reading_shares: `reading_shares(asked, read, classes)` with asked (n,) and read (n,), returning (classes,
            classes) whose rows sum to 1.

    Raises:
        NotYet: with what is wrong.
    """
    rng = np.random.default_rng(0)
    for n, classes in ((60, 3), (500, 10), (9, 2)):
        asked = rng.permutation(np.arange(n) % classes)
        read = np.where(rng.random(n) < 0.7, asked, rng.integers(0, classes, n))
        counts = np.zeros((classes, classes))
        for a, r in zip(asked, read, strict=True):
            counts[a, r] += 1
        wanted = counts / counts.sum(axis=1, keepdims=True)
        by_reading = counts / np.maximum(counts.sum(axis=0), 1)
        shown = f"reading_shares(asked ({n},), read ({n},), {classes})"
        ours = call(reading_shares, asked, read, classes, shown=shown)
        mistakes = {
            "Those are counts: divide each row by how often its label was asked.": counts,
            "You divided by n: divide each row by how often its label was asked.": counts / n,
            "Your rows are the readings and your columns the asked labels: exchange them.": wanted.T,
            "You divided by how often a label was read: divide by how often it was asked.": by_reading,
            "You divided by how often a label was read, and exchanged rows and columns.": by_reading.T,
            "That is the diagonal alone: return the whole table.": np.diag(wanted),
            "That is one share for all: return one for each pair of labels.": np.mean(asked == read),
        }
        expect_close(ours, wanted, shown=shown, hint=likely_mistake(ours, mistakes, SHARE_HINT))
    passed("reading_shares shows for each asked label what was read instead.")
