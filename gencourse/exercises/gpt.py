"""Checks for notebook 62: the nucleus of top-p, perplexity and bits per character, beam search over a table."""

import itertools
from collections.abc import Callable

import numpy as np

from gencourse.exercises.harness import call, expect, expect_close, likely_mistake, passed


def check_nucleus(nucleus: Callable) -> None:
    """Check which tokens top-p keeps against a search for the smallest set.

    Args:
        nucleus: `nucleus(p, mass)` with probabilities p (V,) and 0 < mass < 1, returning booleans (V,).

    Raises:
        NotYet: with what is wrong.
    """
    cases = [
        ([0.1, 0.5, 0.15, 0.25], 0.7),
        ([0.4, 0.05, 0.3, 0.25], 0.2),
        ([0.05, 0.15, 0.45, 0.02, 0.33], 0.95),
        ([0.2, 0.1, 0.7], 0.65),
    ]
    for p, mass in ((np.array(p), mass) for p, mass in cases):
        by_size = [sorted(range(len(p)), key=lambda i, p=p: -p[i])[:k] for k in range(len(p) + 1)]
        reaching = next(k for k, ids in enumerate(by_size) if p[ids].sum() >= mass)
        wanted = np.isin(np.arange(len(p)), by_size[reaching])
        shown = f"nucleus({p.tolist()}, {mass})"
        ours = call(nucleus, p, mass, shown=shown)
        mistakes = {
            "The token that reaches the mass is kept too: yours stops one before it.": np.isin(
                np.arange(len(p)), by_size[reaching - 1]
            ),
            "Yours keeps one token too many: stop as soon as the mass is reached.": np.isin(
                np.arange(len(p)), by_size[min(reaching + 1, len(p))]
            ),
            "You compared each probability with the mass: compare their sum, from the largest on.": p >= mass,
            "Sum from the most probable token on, and not in the order of the ids.": np.cumsum(p) - p < mass,
            "You marked ranks: put the marks back at the tokens' own ids.": np.arange(len(p)) < reaching,
            "True is for a token that may be drawn: yours is the opposite.": ~wanted,
        }
        hint = likely_mistake(ours, mistakes, "Sort from the largest, add up, and keep until the sum reaches `mass`.")
        expect_close(ours, wanted, shown=shown, hint=hint)
        expect(np.asarray(ours).dtype == bool, f"`{shown}` gave {np.asarray(ours).dtype}, where booleans are wanted.")
    passed("nucleus keeps the fewest tokens that reach the mass.")


def check_perplexity_and_bits(perplexity_and_bits: Callable) -> None:
    """Check the perplexity a token and the bits a character of a loss in nats a token.

    Args:
        perplexity_and_bits: `perplexity_and_bits(nats_per_token, tokens, characters)` returning two numbers.

    Raises:
        NotYet: with what is wrong.
    """
    for nats, tokens, characters in ((2.0, 50, 200), (np.log(8), 30, 30), (4.5, 1000, 2600)):
        total_bits = tokens * nats * np.log2(np.e)
        wanted = np.array([2 ** (total_bits / tokens), total_bits / characters])
        shown = f"perplexity_and_bits({nats:.4g}, {tokens}, {characters})"
        ours = call(perplexity_and_bits, nats, tokens, characters, shown=shown)
        expect(np.shape(ours) == (2,), f"`{shown}` has shape {np.shape(ours)}, where two numbers are wanted.")
        share = tokens / characters
        mistakes = {
            "The second is in nats: divide it by ln 2.": [wanted[0], nats * share],
            "The second is a token's: multiply by the tokens and divide by the characters.": [
                wanted[0],
                total_bits / tokens,
            ],
            "A text has fewer tokens than characters, so a character costs less than a token: turn the ratio round.": [
                wanted[0],
                nats / share / np.log(2),
            ],
            "Dividing by ln 2 makes bits of nats; you multiplied.": [wanted[0], nats * share * np.log(2)],
            "The loss is in nats, so the perplexity is e to its power, not 2.": [2**nats, wanted[1]],
            "The perplexity asked for is a token's: yours is a character's.": [np.exp(nats * share), wanted[1]],
            "Both are right, in the other order: perplexity first.": wanted[::-1],
        }
        hint = likely_mistake(ours, mistakes, "exp(nats), and nats · tokens / characters / ln 2.")
        expect_close(ours, wanted, shown=shown, hint=hint)
    passed("perplexity_and_bits makes two tokenizers comparable.")


def check_beam_over_table(beam_over_table: Callable) -> None:
    """Check beam search against greedy decoding, against all texts, and in between.

    Args:
        beam_over_table: `beam_over_table(log_p, start, length, beams)` returning ids (1 + length,).

    Raises:
        NotYet: with what is wrong.
    """
    # After 0 the likelier token, 1, leads to even chances, and the other, 2, to a sure thing.
    garden = np.log([[0.1, 0.5, 0.4], [0.34, 0.33, 0.33], [0.02, 0.03, 0.95]])
    rng = np.random.default_rng(0)
    tables = [(garden, 0, 2), *((np.log(rng.dirichlet(np.full(v, 0.5), v)), v - 1, 4) for v in (3, 4))]
    for log_p, start, length in tables:
        v = len(log_p)
        texts = [(start, *rest) for rest in itertools.product(range(v), repeat=length)]
        best = max(texts, key=lambda text, log_p=log_p: _total(log_p, text))
        worst = min(texts, key=lambda text, log_p=log_p: _total(log_p, text))
        for beams in (1, 2, v**length):
            wanted = _search(log_p, start, length, beams)
            shown = f"beam_over_table(log_p, {start}, {length}, {beams}) for {v} tokens"
            ours = call(beam_over_table, log_p, start, length, beams, shown=shown)
            mistakes = {
                "That has the smallest sum: sort from the largest.": worst,
                "The start is the first id of the text.": wanted[1:],
                "That is greedy: keep `beams` texts, and compare their sums, not the last step alone.": _search(
                    log_p, start, length, 1
                ),
                "That is the best of all texts, which a search of this breadth does not find: keep only `beams`.": best,
                "log_p[a, b] is ln p(b | a): yours reads the table transposed.": _search(log_p.T, start, length, beams),
            }
            mistakes = {sentence: text for sentence, text in mistakes.items() if tuple(text) != tuple(wanted)}
            hint = likely_mistake(
                ours, mistakes, "Continue every kept text by every token, add log_p, keep the largest."
            )
            expect_close(ours, wanted, shown=shown, hint=hint)
    passed("beam_over_table finds what greedy decoding misses.")


def _total(log_p: np.ndarray, text: tuple[int, ...]) -> float:
    return sum(log_p[a, b] for a, b in itertools.pairwise(text))


def _search(log_p: np.ndarray, start: int, length: int, beams: int) -> tuple[int, ...]:
    """Return the best of the texts kept, by scoring each of them anew at each step."""
    kept = [(start,)]
    for _ in range(length):
        longer = [(*text, token) for text in kept for token in range(len(log_p))]
        kept = sorted(longer, key=lambda text: -_total(log_p, text))[:beams]
    return kept[0]
