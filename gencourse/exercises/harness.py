"""How an exercise is checked: the learner's function against an oracle, with a sentence for whatever is wrong."""

from collections.abc import Callable, Mapping
from contextlib import suppress

import numpy as np


class NotYet(AssertionError):
    """The exercise is not solved yet; the message says what is wrong and what to look at."""


def call(function: Callable, *arguments, shown: str):
    """Run the learner's function, and turn whatever goes wrong into a sentence.

    Args:
        function: what the learner wrote.
        *arguments: what it is called with; arrays are copied, so that a function that changes them harms nothing.
        shown: the call in words, such as "slope(np.sin, 0.0)".

    Raises:
        NotYet: the function is a stub, raises, or returns None.
    """
    if not callable(function):
        raise NotYet(f"The check needs the function you wrote, and got {function!r}.")
    arguments = [value.copy() if isinstance(value, np.ndarray) else value for value in arguments]
    try:
        value = function(*arguments)
    except NotImplementedError:
        raise NotYet("This exercise is still a stub: replace `raise NotImplementedError()` by your code.") from None
    except Exception as error:
        raise NotYet(f"`{shown}` stopped with {type(error).__name__}: {error}") from error
    if value is None:
        raise NotYet(f"`{shown}` returned None: does every path of your function end in `return`?")
    return value


def expect_close(actual, expected, *, shown: str, hint: str, tolerance: float = 1e-6) -> None:
    """Require `|actual - expected| <= tolerance * (1 + |expected|)` everywhere, and the same shape.

    Raises:
        NotYet: with the first difference and the hint.
    """
    try:
        actual = np.asarray(actual, dtype="float64")
    except (TypeError, ValueError):
        raise NotYet(f"`{shown}` gave {type(actual).__name__}, where numbers are wanted. {hint}") from None
    expected = np.asarray(expected, dtype="float64")
    if actual.shape != expected.shape:
        raise NotYet(f"`{shown}` has shape {actual.shape}, where {expected.shape} is wanted. {hint}")
    wrong = ~(np.abs(actual - expected) <= tolerance * (1 + np.abs(expected)))  # NaN counts as wrong
    if wrong.any():
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        place = f" at {index}" if index else ""
        raise NotYet(f"`{shown}`{place} gave {actual[index]:.6g}, where {expected[index]:.6g} is wanted. {hint}")


def likely_mistake(actual, outcomes: Mapping[str, object], otherwise: str) -> str:
    """Return the sentence of the typical mistake whose outcome is `actual`, else `otherwise`.

    Args:
        actual: what the learner's function returned.
        outcomes: a sentence about each typical mistake, and what a function that makes it returns.
        otherwise: the hint for any other value.
    """
    for sentence, outcome in outcomes.items():
        with suppress(NotYet):
            expect_close(actual, outcome, shown="", hint="")
            return sentence
    return otherwise


def expect(condition: bool, sentence: str) -> None:
    """Require a condition.

    Raises:
        NotYet: with the sentence.
    """
    if not condition:
        raise NotYet(sentence)


def passed(what: str) -> None:
    """Print that the exercise is solved."""
    print(f"✓ {what}")
