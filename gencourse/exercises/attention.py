"""Checks for notebook 61: a sliding window, rotary positions, attention one key at a time."""

from collections.abc import Callable

import numpy as np

from gencourse.exercises.harness import call, expect, expect_close, likely_mistake, passed


def check_window_mask(window_mask: Callable) -> None:
    """Check the mask by which a token sees itself and `reach` tokens before it.

    Args:
        window_mask: `window_mask(t, reach)` returning booleans (t, t).

    Raises:
        NotYet: with what is wrong.
    """
    for t, reach in ((5, 1), (6, 0), (7, 3), (4, 9)):
        wanted = np.array([[0 <= i - j <= reach for j in range(t)] for i in range(t)])
        both_ways = np.array([[abs(i - j) <= reach for j in range(t)] for i in range(t)])
        shorter = np.array([[0 <= i - j < reach for j in range(t)] for i in range(t)])
        causal = np.array([[j <= i for j in range(t)] for i in range(t)])
        shown = f"window_mask({t}, {reach})"
        ours = call(window_mask, t, reach, shown=shown)
        mistakes = {
            "Rows are queries and columns are keys: yours is transposed.": wanted.T,
            "A token must not see later ones.": both_ways,
            "A token sees itself and `reach` others, so reach + 1 keys: yours is one too narrow.": shorter,
            "The window ends `reach` tokens back: yours sees all that came before.": causal,
            "True is for a key that may be seen: yours is the opposite.": ~wanted,
        }
        hint = likely_mistake(ours, mistakes, "The distance i - j of query i and key j lies between 0 and reach.")
        expect_close(ours, wanted, shown=shown, hint=hint)
        expect(np.asarray(ours).dtype == bool, f"`{shown}` gave {np.asarray(ours).dtype}, where booleans are wanted.")
    passed("window_mask lets a token see a little way back.")


def check_rotate(rotate: Callable) -> None:
    """Check the rotation of a vector against complex numbers, and that scores depend on distances only.

    Args:
        rotate: `rotate(x, p)` with x (2h,) and a position p, returning (2h,).

    Raises:
        NotYet: with what is wrong.
    """
    rng = np.random.default_rng(0)
    for h, p in ((1, 1.0), (4, 3.0), (8, 100.0), (3, 0.0)):
        x = rng.normal(size=2 * h)
        omega = 10_000.0 ** (-np.arange(h) / h)
        wanted = _turned(x[:h] + 1j * x[h:], omega * p)
        neighbours = (x[::2] + 1j * x[1::2]) * np.exp(1j * omega * p)
        fast = 10_000.0 ** (-np.arange(h) / (2 * h))
        shown = f"rotate(x, {p:g}) for x of {2 * h} numbers"
        ours = call(rotate, x, p, shown=shown)
        mistakes = {
            "You turned the other way: check the sign before each sine.": _turned(x[:h] + 1j * x[h:], -omega * p),
            "A pair is (x_i, x_{i+h}), and not two neighbours.": np.stack(
                [neighbours.real, neighbours.imag], axis=-1
            ).ravel(),
            "The exponent of ω_i is -i / h, where h is half of the vector.": _turned(x[:h] + 1j * x[h:], fast * p),
            "Every pair turns at a rate of its own, ω_i.": _turned(x[:h] + 1j * x[h:], np.full(h, p)),
        }
        hint = likely_mistake(ours, mistakes, "(a, b) becomes (a cos - b sin, b cos + a sin).")
        expect_close(ours, wanted, shown=shown, hint=hint)
    q, k = rng.normal(size=(2, 8))
    near, far = (np.dot(rotate(q, p), rotate(k, p + 5)) for p in (2, 902))
    expect(abs(near - far) < 1e-6, "The product of a query and a key must not change when both move on together.")
    passed("rotate gives scores that know distances.")


def check_attend_to_stream(attend_to_stream: Callable) -> None:
    """Check attention over keys and values that come one by one.

    Args:
        attend_to_stream: `attend_to_stream(q, stream)` with q (d,) and an iterator of (k (d,), v (c,)), returning (c,).

    Raises:
        NotYet: with what is wrong.
    """
    rng = np.random.default_rng(0)
    for s, d, c, size in ((1, 4, 2, 1.0), (6, 4, 3, 1.0), (9, 16, 2, 3.0), (5, 4, 2, 60.0)):
        q, keys, values = size * rng.normal(size=d), size * rng.normal(size=(s, d)), rng.normal(size=(s, c))
        products = keys @ q
        scores = products / np.sqrt(d)
        wanted = _softmax(scores) @ values
        as_they_came = np.exp(scores - np.maximum.accumulate(scores))  # less the largest score so far
        shown = f"attend_to_stream(q, stream) for {s} keys of width {d}, scores up to {np.abs(products).max():.0f}"
        ours = call(attend_to_stream, q, zip(keys, values, strict=True), shown=shown)
        expect(
            np.isfinite(np.asarray(ours, "float64")).all(),
            f"`{shown}` is not finite: subtract the largest score so far before you take exp.",
        )
        mistakes = {
            "Divide the scores by √d.": _softmax(products) @ values,
            "When a larger score comes, ℓ and o must be multiplied by exp(m_old - m_new) first.": (
                as_they_came @ values / as_they_came.sum()
            ),
            "Divide o by ℓ at the end: the weights must sum to 1.": np.exp(scores - scores.max()) @ values,
            "That is the value of the best key alone; the others have weights too.": values[np.argmax(products)],
        }
        hint = likely_mistake(ours, mistakes, "Carry m, ℓ and o, and return o / ℓ.")
        expect_close(ours, wanted, shown=shown, hint=hint)
    passed("attend_to_stream needs no row of weights.")


def _softmax(scores: np.ndarray) -> np.ndarray:
    e = np.exp(scores - scores.max())
    return e / e.sum()


def _turned(z: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Return the real and then the imaginary parts (2h,) of z (h,) turned by angles (h,)."""
    turned = z * np.exp(1j * angles)
    return np.concatenate([turned.real, turned.imag])
