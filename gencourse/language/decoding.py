"""From logits to one token: temperature, top-k, top-p, and no repeated n-gram."""

import numbers

from keras import ops

from gencourse.guard import check_whole


def check_decoding(temperature: float, top_k: int | None, top_p: float, no_repeat: int | None) -> None:
    """Refuse what `LanguageModel.sample` does not accept of these, with a ValueError."""
    if not isinstance(temperature, numbers.Real) or not 0 <= temperature < float("inf"):
        raise ValueError(f"temperature is {temperature!r}; accepted is a number >= 0 (0 takes the most probable).")
    if not isinstance(top_p, numbers.Real) or not 0 < top_p <= 1:
        raise ValueError(f"top_p is {top_p!r}; accepted is a number above 0 and at most 1.")
    for name, value in (("top_k", top_k), ("no_repeat", no_repeat)):
        if value is not None:
            check_whole(value, name, least=1)


def narrow(logits, temperature, top_k, top_p):
    """Return log-probabilities (n, V), up to a constant a row, with -1e30 for the tokens that may not be drawn.

        p = softmax(logits / temperature);   kept: p >= the k-th largest, and then the fewest largest that reach top_p

    Args:
        logits: (n, V).
        temperature: above 0.
        top_k: 1 or more, as a float; V or more keeps all.
        top_p: 0 < p <= 1; 1 keeps all.

    Source: Fan, Lewis and Dauphin, "Hierarchical Neural Story Generation", 2018 (top-k); Holtzman et al., "The Curious
    Case of Neural Text Degeneration", 2020, equations 2 and 3 (top-p).
    """
    vocabulary = logits.shape[-1]
    logits = logits / temperature
    largest = ops.flip(ops.sort(logits, axis=-1), axis=-1)
    kth = ops.take(largest, ops.minimum(ops.cast(top_k, "int32"), vocabulary) - 1, axis=-1)[:, None]
    logits = ops.where(logits >= kth, logits, -1e30)
    largest = ops.where(largest >= kth, largest, -1e30)
    probability = ops.softmax(largest)
    before = ops.cumsum(probability, axis=-1) - probability  # what the more probable ones have together
    least = ops.min(ops.where(before < top_p, largest, 1e30), axis=-1, keepdims=True)
    return ops.where((logits >= least) | (top_p >= 1), logits, -1e30)


def choose(logits, uniform, temperature, top_k, top_p):
    """Return one token (n,), int32: that whose share of [0, 1], in the order of the ids, holds the number `uniform`.

    Args:
        logits: (n, V).
        uniform: (n,) in [0, 1].
        temperature: >= 0; 0 takes the most probable.
        top_k: as in `narrow`.
        top_p: as in `narrow`.
    """
    kept = narrow(logits, ops.where(temperature > 0, temperature, 1.0), top_k, top_p)
    cumulative = ops.where(kept > -1e29, ops.cumsum(ops.softmax(kept), axis=-1), 0.0)
    threshold = uniform[:, None] * ops.max(cumulative, axis=-1, keepdims=True)  # the largest is 1 up to rounding
    drawn = ops.argmax(ops.where((cumulative >= threshold) & (cumulative > 0), 1, 0), axis=-1)
    return ops.cast(ops.where(temperature > 0, drawn, ops.argmax(logits, axis=-1)), "int32")


def repeats(ids, i, ngram, vocabulary):
    """Return (n, V), True for each token that at place i would end an n-gram that ids[:, :i] already has.

    Where that is every token of the vocabulary, none is marked.

    Args:
        ids: (n, T); from i on anything.
        i: how many tokens there are.
        ngram: tokens of the n-gram, as a tensor; 0 forbids nothing.
        vocabulary: V.
    """
    n, places = ops.shape(ids)
    place = ops.arange(places)

    def longer(back, run):
        """run: (n, T), how many tokens before each place agree with as many before i, `back` of them at most."""
        ahead = ops.take(ids, ops.maximum(i - back, 0), axis=1)[:, None]
        agrees = (ops.roll(ids, back, axis=1) == ahead) & (place >= back) & (back <= i)
        return ops.where(agrees & (run == back - 1), back, run)

    run = ops.fori_loop(1, ngram, longer, ops.zeros((n, places), "int32"))
    ends = (run == ngram - 1) & (place < i) & (place >= ngram - 1) & (ngram > 0)  # (n, T)
    rows = ops.broadcast_to(ops.arange(n)[:, None], (n, places))
    cells = ops.reshape(ops.stack([rows, ids], axis=-1), (-1, 2))
    marked = ops.scatter(cells, ops.reshape(ops.cast(ends, "int32"), (-1,)), (n, vocabulary)) > 0
    return marked & ~ops.all(marked, axis=-1, keepdims=True)
