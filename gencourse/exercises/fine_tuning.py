"""Checks for notebook 63: weights of the answers' tokens, merging a low-rank update, the mean of the real tokens."""

from collections.abc import Callable

import numpy as np

from gencourse.exercises.harness import call, expect_close, likely_mistake, passed


def check_answer_weights(answer_weights: Callable) -> None:
    """Check that each answer's predictions share a weight of 1, and that nothing else has any.

    Args:
        answer_weights: `answer_weights(starts, ends, length)` returning weights (n, length - 1).

    Raises:
        NotYet: with what is wrong.
    """
    for starts, ends, length in (([2], [5], 8), ([3, 1, 5], [4, 6, 7], 7), ([4, 2], [9, 4], 10)):
        tokens = [list(range(start, end)) for start, end in zip(starts, ends, strict=True)]
        wanted = np.array([[(k in row) / len(row) for k in range(1, length)] for row in tokens])
        late = np.array([[(k in row) / len(row) for k in range(length - 1)] for row in tokens])
        prompts = np.array([[k + 1 < row[0] for k in range(length - 1)] for row in tokens])
        real = np.array([[k < row[-1] for k in range(length - 1)] for row in tokens])
        to_the_end = np.array([[k + 1 >= row[0] for k in range(length - 1)] for row in tokens])
        shown = f"answer_weights({starts}, {ends}, {length})"
        ours = call(answer_weights, np.array(starts), np.array(ends), length, shown=shown)
        mistakes = {
            "Shifted by one: prediction k is of token k + 1, so the first weight of an answer is k = start - 1.": late,
            "Shifted by one, and the rows do not sum to 1: prediction k is of token k + 1.": late > 0,
            "These are 0 and 1, so a long answer counts more: let each row sum to 1.": wanted > 0,
            "The whole batch sums to 1: let each row sum to 1.": wanted / len(starts),
            "You divided by the number of predictions, not by the number of tokens in the answer.": (wanted > 0)
            / (length - 1),
            "Those are the prompts: the answers have the weight.": prompts
            / np.maximum(prompts.sum(1, keepdims=True), 1),
            "The prompts have a weight too: only tokens start to end - 1 are the answer.": real
            / real.sum(1, keepdims=True),
            "The padding has a weight too: the answer is over before token `end`.": to_the_end
            / to_the_end.sum(1, keepdims=True),
        }
        hint = likely_mistake(ours, mistakes, "Prediction k, of token k + 1, has weight 1 / (end - start) or 0.")
        expect_close(ours, wanted, shown=shown, hint=hint)
    passed("answer_weights lets every answer count alike, and nothing else.")


def check_merge_lora(merge_lora: Callable) -> None:
    """Check the kernel that does the work of a frozen kernel and its low-rank update.

    Args:
        merge_lora: `merge_lora(kernel, a, b, alpha)` returning a kernel (inputs, outputs).

    Raises:
        NotYet: with what is wrong.
    """
    rng = np.random.default_rng(0)
    for inputs, outputs, rank, alpha in ((5, 3, 2, 2.0), (4, 4, 3, 6.0), (2, 6, 1, 0.5)):
        kernel = rng.normal(size=(inputs, outputs))
        a, b = rng.normal(size=(inputs, rank)), rng.normal(size=(rank, outputs))
        update = sum(np.outer(a[:, k], b[k]) for k in range(rank))
        wanted = kernel + alpha / rank * update
        shown = f"merge_lora(kernel, a, b, {alpha}) for a of shape {a.shape}"
        ours = call(merge_lora, kernel, a, b, alpha, shown=shown)
        mistakes = {
            "Without the kernel this is the update alone: add it to the kernel.": alpha / rank * update,
            "You multiplied by α, and not by α / r, where r is the rank.": kernel + alpha * update,
            "The factor α / r is missing.": kernel + update,
            "That is A B / r: the factor is α / r.": kernel + update / rank,
            "The factor is α / r, not r / α.": kernel + rank / alpha * update,
            "You scaled the kernel too: the factor α / r belongs to the update alone.": alpha
            / rank
            * (kernel + update),
            "You subtracted the update: add it.": kernel - alpha / rank * update,
        }
        hint = likely_mistake(ours, mistakes, "W + (α / r) A B, with r the number of columns of A.")
        expect_close(ours, wanted, shown=shown, hint=hint)
    passed("merge_lora gives one kernel, and the adapter costs nothing when the model is used.")


def check_mean_hidden(mean_hidden: Callable) -> None:
    """Check the mean of the hidden vectors of a text's real tokens.

    Args:
        mean_hidden: `mean_hidden(hidden, ids, pad)` returning vectors (n, width).

    Raises:
        NotYet: with what is wrong.
    """
    rng = np.random.default_rng(0)
    for lengths, t, pad in (([3, 5], 6, 0), ([1, 4, 2], 4, 7), ([2], 5, 3)):
        ids = np.full((len(lengths), t), pad, "int32")
        for row, length in zip(ids, lengths, strict=True):
            row[:length] = rng.choice([k for k in range(9) if k != pad], length)
        hidden = rng.normal(size=(len(lengths), t, 4))
        real = [hidden[i, :length] for i, length in enumerate(lengths)]
        wanted = np.array([vectors.sum(axis=0) / len(vectors) for vectors in real])
        shown = f"mean_hidden(hidden, ids, {pad}) for texts of {lengths} tokens in rows of {t}"
        ours = call(mean_hidden, hidden, ids, pad, shown=shown)
        mistakes = {
            "The padding's vectors are in the mean: leave them out.": hidden.mean(axis=1),
            "The padding is out of the sum, but not of the number: divide by the real tokens.": np.array(
                [vectors.sum(axis=0) / t for vectors in real]
            ),
            "That is the sum: divide it by the number of real tokens.": np.array([v.sum(axis=0) for v in real]),
            "That is the vector at the last real token: here the mean of all real ones is wanted.": np.array(
                [vectors[-1] for vectors in real]
            ),
            "That is the vector at the last position, which may be padding.": hidden[:, -1],
            "That is the mean of the padding: you kept where `ids == pad`.": np.array(
                [hidden[i, n:].sum(axis=0) / max(t - n, 1) for i, n in enumerate(lengths)]
            ),
        }
        hint = likely_mistake(ours, mistakes, "Σ_t [x_t ≠ pad] h_t, divided by Σ_t [x_t ≠ pad].")
        expect_close(ours, wanted, shown=shown, hint=hint)
    passed("mean_hidden is the same however long the padding is.")
