"""Checks the exercises of notebook 52, guidance."""

from collections.abc import Callable

import numpy as np

from gencourse.exercises.harness import call, expect, expect_close, likely_mistake, passed

COMBINE_HINT = "For each picture: free + weight · (told - free)."
PICTURE_HINT = "Where the mask is True take `picture`, elsewhere `known`."
NOISE_HINT = "The noise is what remains of x: (x - signal · picture) / noise, with the picture you return."


def check_combine(combine: Callable) -> None:
    """Check free + weight · (told - free), with one weight for all pictures or one for each.

    Args:
        combine: `combine(free, told, weight)` with two predictions (n, h, w, c) and a number or (n,), returning one.

    Raises:
        NotYet: with what is wrong.
    """
    rng = np.random.default_rng(0)
    shape = (4, 3, 2, 2)
    for weight in (2.5, rng.uniform(0, 5, 4), 0.0, 1.0):
        free, told = rng.standard_normal((2, *shape))
        each = np.broadcast_to(weight, 4)[:, None, None, None]
        wanted = (1 - each) * free + each * told
        shown = f"combine(free, told, {'an array (4,)' if np.ndim(weight) else weight})"
        ours = call(combine, free, told, weight, shown=shown)
        mistakes = {
            "That is the other way round: weight 1 is the prediction with the label, weight 0 the one without.": (
                each * free + (1 - each) * told
            ),
            "That weight is the paper's, which is ours less 1: here 1 gives the prediction with the label.": (
                (1 + each) * told - each * free
            ),
            "You start from the prediction with the label: start from the one without.": told + each * (told - free),
            "The difference alone says where the label is likelier: add the prediction without the label.": (
                each * (told - free)
            ),
        }
        expect_close(ours, wanted, shown=shown, hint=likely_mistake(ours, mistakes, COMBINE_HINT))
    passed("combine follows the line through both predictions as far as the weight says.")


def check_drop_labels(drop_labels: Callable) -> None:
    """Check that each label of each example is dropped on its own, with the given probability.

    Args:
        drop_labels: `drop_labels(labels, classes, rate, rng)` with {name: (n,)}, {name: number}, a rate in [0, 1) and a
            NumPy generator, returning {name: (n,)}.

    Raises:
        NotYet: with what is wrong.
    """
    n, classes, draws = 20_000, {"category": 3, "keyword": 5}, np.random.default_rng(0)
    for rate in (0.0, 0.2, 0.5):
        labels = {name: draws.integers(number, size=n) for name, number in classes.items()}
        before = {name: label.copy() for name, label in labels.items()}
        shown = f"drop_labels(labels, {classes}, {rate}, rng)"
        ours = call(drop_labels, labels, classes, rate, np.random.default_rng(1), shown=shown)
        expect(
            isinstance(ours, dict) and set(ours) == set(classes),
            f"`{shown}` must be a dict of {sorted(classes)} again.",
        )
        expect(
            all(np.array_equal(labels[name], before[name]) for name in classes),
            "The labels that were given have changed: return new arrays, as `np.where` does.",
        )
        dropped = {}
        for name, number in classes.items():
            label = np.asarray(ours[name])
            expect(label.shape == (n,), f"`{shown}` gave {label.shape} labels {name!r}, where ({n},) is wanted.")
            dropped[name] = label != labels[name]
            expect(
                bool((label[dropped[name]] == number).all()),
                f"A dropped {name!r} became {label[dropped[name]][:1]}: its null label is {number}, the number of its "
                "classes.",
            )
        _check_shares(dropped, rate, shown)
    passed("drop_labels drops each label of each example on its own.")


def _check_shares(dropped, rate: float, shown: str) -> None:
    """Require the rate for each name, and the rate's square for both names at once, within five standard errors."""
    n = len(dropped["category"])
    for name, those in dropped.items():
        share = those.mean()
        expect(
            not (rate and share in (0, 1)),
            f"`{shown}` dropped {'all' if share else 'none'} of {n} labels {name!r}: draw a number for each example, "
            "not one for the batch.",
        )
        expect(
            abs(share - rate) <= 5 * np.sqrt(rate * (1 - rate) / n),
            f"`{shown}` dropped {share:.1%} of the labels {name!r}, where about {rate:.0%} are wanted.",
        )
    both = (dropped["category"] & dropped["keyword"]).mean()
    expect(
        abs(both - rate**2) <= 5 * np.sqrt(rate**2 * (1 - rate**2) / n),
        f"`{shown}` dropped both labels of {both:.1%} of the examples, where about {rate**2:.0%} are wanted: draw anew "
        "for each name.",
    )


def check_keep_known(keep_known: Callable) -> None:
    """Check the picture and the noise that agree with the known pixels and with x.

    Args:
        keep_known: `keep_known(x, signal, noise, picture, known, mask)` returning a pair of arrays (n, h, w, c).

    Raises:
        NotYet: with what is wrong.
    """
    rng = np.random.default_rng(0)
    for angle in (0.2, 0.9, 1.5):
        signal, noise = np.cos(angle), np.sin(angle)
        x, picture, known = rng.standard_normal((3, 2, 4, 5, 3))
        mask = rng.random((4, 5)) < 0.5
        inside = mask[..., None].astype(float)
        wanted = inside * picture + (1 - inside) * known
        shown = f"keep_known(x, {signal:.3f}, {noise:.3f}, picture, known, mask)"
        ours = call(keep_known, x, signal, noise, picture, known, mask, shown=shown)
        expect(
            isinstance(ours, tuple | list) and len(ours) == 2, f"`{shown}` must return two arrays, picture and noise."
        )
        mistakes = {
            "The mask is the other way round: True says where to paint.": inside * known + (1 - inside) * picture,
            "The known pixels are missing.": picture,
            "Nothing is painted: where the mask is True, the estimate belongs.": known,
        }
        hint = likely_mistake(ours[0], mistakes, PICTURE_HINT)
        expect_close(ours[0], wanted, shown=f"{shown}[0]", hint=hint)
        mistakes = {
            "That is the noise beside the network's own picture: take the one with the known pixels in it.": (
                (x - signal * picture) / noise
            ),
            "Divide by the noise rate.": x - signal * wanted,
            "Weigh the picture by the signal rate.": (x - wanted) / noise,
        }
        hint = likely_mistake(ours[1], mistakes, NOISE_HINT)
        expect_close(ours[1], (x - signal * wanted) / noise, shown=f"{shown}[1]", hint=hint)
    passed("keep_known paints inside the mask only, and its two parts add up to x.")
