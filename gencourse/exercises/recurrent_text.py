"""Checks for notebook 60: a smoothed bigram, clipping by the global norm, batches whose rows go on."""

from collections.abc import Callable

import numpy as np

from gencourse.exercises.harness import call, expect, expect_close, likely_mistake, passed


def check_bigram_nats(bigram_nats: Callable) -> None:
    """Check the held-out loss of a bigram table with added counts against a count of each pair by itself.

    Args:
        bigram_nats: `bigram_nats(train, held_out, vocabulary, alpha)` returning nats a character.

    Raises:
        NotYet: with what is wrong.
    """
    rng = np.random.default_rng(0)
    for vocabulary, alpha in ((4, 1.0), (7, 0.1), (3, 2.0)):
        train, held_out = (
            rng.integers(0, vocabulary, 60).astype("int32"),
            rng.integers(0, vocabulary, 25).astype("int32"),
        )
        train[::3] = 0  # so that a transposed table differs
        seen = list(zip(train[:-1].tolist(), train[1:].tolist(), strict=True))
        pairs = list(zip(held_out[:-1].tolist(), held_out[1:].tolist(), strict=True))
        both = np.array([seen.count(pair) for pair in pairs])
        first = np.array([sum(a == x for x, _ in seen) for a, _ in pairs])
        second = np.array([sum(b == y for _, y in seen) for _, b in pairs])
        nats = -np.log((both + alpha) / (first + alpha * vocabulary)).mean()
        shown = f"bigram_nats(train, held_out, {vocabulary}, {alpha})"
        ours = call(bigram_nats, train, held_out, vocabulary, alpha, shown=shown)
        mistakes = {
            f"You divided by {len(held_out)}: t characters have t - 1 pairs.": nats * len(pairs) / len(held_out),
            "That is the sum over the pairs: divide it by their number.": nats * len(pairs),
            "That is in bits: take the natural logarithm.": nats / np.log(2),
            "That is the mean of ln p: the loss has a minus.": -nats,
            "Each of the V counts of a row got α, so its sum is larger by αV.": -np.log(
                (both + alpha) / (first + alpha)
            ).mean(),
            "You divided by how often b comes second: p(b | a) divides by how often a comes first.": -np.log(
                (both + alpha) / (second + alpha * vocabulary)
            ).mean(),
            "That is the loss of the pair, p(a, b): divide each row of the table by its own sum.": -np.log(
                (both + alpha) / (len(seen) + alpha * vocabulary**2)
            ).mean(),
        }
        hint = likely_mistake(ours, mistakes, "Count on `train`, add α everywhere, divide each row by its sum.")
        expect_close(ours, nats, shown=shown, hint=hint)
    passed("bigram_nats scores new text, its unseen pairs included.")


def check_clip_by_global_norm(clip_by_global_norm: Callable) -> None:
    """Check that gradients above the limit are shortened together, and others left alone.

    Args:
        clip_by_global_norm: `clip_by_global_norm(gradients, limit)` returning a list of arrays.

    Raises:
        NotYet: with what is wrong.
    """
    rng = np.random.default_rng(0)
    for shapes, limit, scale in (([(2, 3), (4,)], 1.0, 5.0), ([(3,), (2, 2), (1,)], 10.0, 0.1), ([(5,)], 0.5, 2.0)):
        gradients = [scale * rng.normal(size=shape) for shape in shapes]
        flat = np.concatenate([g.ravel() for g in gradients])
        norm = np.linalg.norm(flat)
        wanted = flat if norm <= limit else flat * limit / norm
        shown = f"clip_by_global_norm(gradients, {limit}) for a norm of {norm:.3g}"
        ours = call(clip_by_global_norm, [g.copy() for g in gradients], limit, shown=shown)
        expect(isinstance(ours, (list, tuple)), f"`{shown}` gave {type(ours).__name__}, where a list is wanted.")
        expect(
            [np.shape(g) for g in ours] == shapes,
            f"`{shown}` gave shapes {[np.shape(g) for g in ours]}, where those of the gradients are wanted: {shapes}.",
        )
        ours = np.concatenate([np.ravel(g) for g in ours])
        norms = [np.linalg.norm(g) for g in gradients]
        mistakes = {
            "The norm was below the limit, and the gradients must stay as they are.": flat * limit / norm,
            "Each array was clipped by a norm of its own, which turns the direction: use one factor.": np.concatenate(
                [g.ravel() * min(1, limit / n) for g, n in zip(gradients, norms, strict=True)]
            ),
            "Each number was cut off at the limit, which turns the direction: use one factor.": flat.clip(
                -limit, limit
            ),
            "The factor has the squared norm: take the root of the sum of squares.": flat * min(1, limit / norm**2),
            "The norms of the arrays were added: add the squares, then take the root.": flat
            * min(1, limit / sum(norms)),
            "They came back unchanged: the norm is above the limit.": flat,
        }
        hint = likely_mistake(ours, mistakes, "One factor for all: limit / norm, but never above 1.")
        expect_close(ours, wanted, shown=shown, hint=hint)
    zeros = call(clip_by_global_norm, [np.zeros(3)], 1.0, shown="clip_by_global_norm([zeros], 1.0)")
    hint = "A norm of 0 must not be divided by."
    expect_close(zeros[0], np.zeros(3), shown="clip_by_global_norm([zeros], 1.0)", hint=hint)
    passed("clip_by_global_norm shortens a long gradient and keeps its direction.")


def check_carried_batches(carried_batches: Callable) -> None:
    """Check that row i of each batch goes on where row i of the batch before ended.

    Args:
        carried_batches: `carried_batches(ids, n, t)` returning windows (m, n, t + 1).

    Raises:
        NotYet: with what is wrong.
    """
    for length, n, t in ((25, 2, 3), (40, 3, 4), (31, 1, 5), (24, 2, 4)):
        ids = 100 + np.arange(length, dtype="int32")
        m = (length - 1) // (n * t)
        strands = [ids[row * m * t : (row + 1) * m * t + 1] for row in range(n)]
        wanted = np.array([[strand[k * t : k * t + t + 1] for strand in strands] for k in range(m)])
        windows = np.lib.stride_tricks.sliding_window_view(ids, t + 1)
        shown = f"carried_batches(ids, {n}, {t}) for {length} ids"
        ours = call(carried_batches, ids, n, t, shown=shown)
        mistakes = {
            "The rows of a batch follow each other, and no state can be handed to the next batch: give each row a "
            "strand of its own.": windows[np.arange(m * n) * t].reshape(m, n, t + 1),
            "The axes are (row, batch, place): the batches come first.": wanted.transpose(1, 0, 2),
            "A window has t + 1 ids: the t that are read, and the last target.": wanted[:, :, :t],
            "The last target of a window is the first id of the next one: step by t, not by t + 1.": windows[
                np.minimum(np.arange(n) * m * t + np.arange(m)[:, None] * (t + 1), len(windows) - 1)
            ],
        }
        hint = likely_mistake(ours, mistakes, "Window k of row i begins at i·m·t + k·t and has t + 1 ids.")
        expect_close(ours, wanted, shown=shown, hint=hint)
    passed("carried_batches lets every row go on where it ended.")
