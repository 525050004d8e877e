"""A grammar that writes short sentences whose probability and entropy are known exactly."""

from collections.abc import Sequence
from math import log
from numbers import Integral
from random import Random

import numpy as np

# state: (text, probability, next state). No text of a state begins another, so a sentence has one derivation.
GRAMMAR = {
    "start": [("the ", 0.4, "one"), ("every ", 0.1, "one"), ("two ", 0.3, "many"), ("some ", 0.2, "many")],
    "one": [
        ("fox ", 0.3, "one does"),
        ("hen ", 0.2, "one does"),
        ("goat ", 0.1, "one does"),
        ("shy ", 0.2, "shy one"),
        ("bold ", 0.1, "shy one"),
        ("very ", 0.1, "very one"),
    ],
    "very one": [("shy ", 0.3, "shy one"), ("bold ", 0.5, "shy one"), ("very ", 0.2, "very one")],
    "shy one": [("fox ", 0.5, "one does"), ("hen ", 0.3, "one does"), ("goat ", 0.2, "one does")],
    "one does": [("sees ", 0.3, "what"), ("likes ", 0.3, "what"), ("follows ", 0.2, "what"), ("sleeps", 0.2, "when")],
    "many": [
        ("foxes ", 0.1, "many do"),
        ("hens ", 0.3, "many do"),
        ("goats ", 0.2, "many do"),
        ("shy ", 0.2, "shy many"),
        ("bold ", 0.1, "shy many"),
        ("very ", 0.1, "very many"),
    ],
    "very many": [("shy ", 0.6, "shy many"), ("bold ", 0.2, "shy many"), ("very ", 0.2, "very many")],
    "shy many": [("foxes ", 0.2, "many do"), ("hens ", 0.5, "many do"), ("goats ", 0.3, "many do")],
    "many do": [("see ", 0.3, "what"), ("like ", 0.3, "what"), ("follow ", 0.2, "what"), ("sleep", 0.2, "when")],
    "what": [("the moon", 0.3, "when"), ("the river", 0.3, "when"), ("a road", 0.2, "when"), ("it", 0.2, "when")],
    "when": [(".\n", 0.5, None), (" again.\n", 0.2, None), (" at night.\n", 0.2, None), (" today.\n", 0.1, None)],
}


def check_draw(n, seed):
    """Refuse a sample size below 1, a negative seed, and what is no whole number, with a ValueError."""
    for name, value, least in (("n", n, 1), ("seed", seed, 0)):
        if not isinstance(value, Integral) or value < least:
            raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")


class GrammarText:
    """Short English-like sentences from a probabilistic right-linear grammar: a Markov chain whose steps emit text.

    p(sentence) = Π_t p(text_t | state_t), with state_0 = "start". Subject and verb agree in number across any
    count of adjectives, so a language model has to remember. Each sentence ends with a period and a newline,
    which stand nowhere else: sentences joined with "" can be told apart again, and no model of the joined text can
    do better than `entropy_rate()` nats a character.
    """

    def sample(self, n, seed):
        """Draw n independent sentences.

        Args:
            n: number of sentences, at least 1.
            seed: whole number, at least 0; the same seed gives the same sentences.

        Returns:
            list of n str.

        Raises:
            ValueError: n or seed is not such a whole number.
        """
        check_draw(n, seed)
        rng = Random(int(seed))
        return [self._draw(rng) for _ in range(n)]

    def _draw(self, rng):
        sentence, state = "", "start"
        while state:
            texts, probabilities, states = zip(*GRAMMAR[state], strict=True)
            (step,) = rng.choices(range(len(texts)), probabilities)
            sentence, state = sentence + texts[step], states[step]
        return sentence

    def log_prob(self, sentences):
        """log p(sentence) in nats.

        Args:
            sentences: sequence of n str, each one whole sentence with its ".\\n".

        Returns:
            float64 array (n,); -inf for a text that the grammar cannot produce.

        Raises:
            ValueError: sentences is one str or no sequence, or an item is no str.
        """
        if not isinstance(sentences, Sequence | np.ndarray) or isinstance(sentences, str):
            raise ValueError(f"log_prob takes a list of sentences, got {type(sentences).__name__}")
        if not all(isinstance(sentence, str) for sentence in sentences):
            raise ValueError("log_prob takes a list of str, got other items in it")
        return np.array([self._log_prob(sentence) for sentence in sentences], dtype="float64")

    def _log_prob(self, sentence):
        total, state = 0.0, "start"
        while state:
            steps = [step for step in GRAMMAR[state] if sentence.startswith(step[0])]
            if not steps:
                return -np.inf
            ((text, probability, state),) = steps
            total, sentence = total + log(probability), sentence[len(text) :]
        return -np.inf if sentence else total

    def entropy(self):
        """H = -Σ_state visits(state) Σ_step p ln p, nats a sentence."""
        return self._expected_sum(lambda text, probability: -log(probability))

    def mean_length(self):
        """Σ_state visits(state) Σ_step p len(text), characters a sentence."""
        return self._expected_sum(lambda text, probability: len(text))

    def entropy_rate(self):
        """Nats a character of endless text made of independent sentences: entropy() / mean_length()."""
        return self.entropy() / self.mean_length()

    def _expected_sum(self, value):
        """The mean over sentences of Σ_t value(text_t, probability_t).

        The expected visits v of the states solve v = start + Pᵀ v, with P the matrix of their transitions.
        """
        states = list(GRAMMAR)
        transition = np.zeros((len(states), len(states)))
        local = np.zeros(len(states))  # expected value of one step from each state
        for row, steps in enumerate(GRAMMAR.values()):
            for text, probability, state in steps:
                local[row] += probability * value(text, probability)
                if state:
                    transition[row, states.index(state)] += probability
        start = np.array([state == "start" for state in states], dtype="float64")
        return float(np.linalg.solve(np.eye(len(states)) - transition.T, start) @ local)
