"""Beam search: the texts that stay among the most probable, kept beside each other while they grow."""

import keras
import numpy as np
from keras import ops

from gencourse.guard import check_whole
from gencourse.language.language_model import LanguageModel, check_ids


def beam_search(model: LanguageModel, prompt, length: int, beams: int = 4, end: int | None = None):
    """Return the most probable continuations that a search of limited breadth finds.

    At each step every kept text is continued by every token, and of all these the `beams` of the largest
    Σ_t log p(x_t | x_1..x_{t-1}) are kept; a text that has ended stays as it is. One beam is greedy decoding.

    Args:
        model: with room for the prompt and `length` tokens.
        prompt: ids (t,), t >= 1.
        length: new tokens, at least 1.
        beams: how many texts are kept, at least 1.
        end: the id that ends a text, which is then filled up with it; None lets all run on.

    Returns:
        ids (beams, t + length), int32, and log-probabilities (beams,) of what follows the prompt, in nats, the largest
        first. If there are fewer texts than beams, as after one token of a small vocabulary, fewer rows.

    Raises:
        ValueError: an argument is refused, or the context has no room for so many tokens.
    """
    check_whole(length, "length", least=1)
    check_whole(beams, "beams", least=1)
    prompt = np.asarray(prompt)[None]
    check_ids(prompt, model.vocabulary, 1, None)
    if model.context is not None and prompt.shape[1] + length - 1 > model.context:
        raise ValueError(
            f"The prompt has {prompt.shape[1]} tokens and length is {length}; accepted are together at most "
            f"{model.context + 1}, one more than the context."
        )
    logits, state = model.read(prompt, model.begin(1))
    ids, totals = prompt, np.zeros(1)
    for i in range(length):
        if i:
            logits, state = model.read(ids[:, -1:], state)
        log_p = _log_softmax(ops.convert_to_numpy(logits))
        if end is not None and i:
            ended = ids[:, -1] == end
            log_p[ended] = -np.inf
            log_p[ended, end] = 0
        sums = totals[:, None] + log_p  # (rows, V)
        best = np.argsort(-sums, axis=None, kind="stable")[:beams]
        best = best[np.isfinite(sums.flat[best])]
        rows, tokens = np.unravel_index(best, sums.shape)
        ids, totals = np.hstack([ids[rows], tokens[:, None]]), sums[rows, tokens]
        state = keras.tree.map_structure(lambda x, rows=rows: ops.take(x, rows, axis=0) if len(x.shape) else x, state)
    return ids.astype("int32"), totals


def _log_softmax(logits):
    shifted = logits.astype("float64") - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
