"""Text in, text out: a language model together with its tokenizer."""

import numpy as np

from gencourse.language.beam_search import beam_search
from gencourse.language.language_model import LanguageModel


class TextGenerator:
    """Continues prompts by a language model, until a token that ends a text or for a given length.

    Args:
        model: a `CharRNN` or a `GPT`.
        tokenizer: with `encode`, `decode`, `id_of` and as large a `vocabulary` as the model.
        start: a text, or a special token of the tokenizer, that is read for an empty prompt and is no part of the
            result.
        end: a special token of the tokenizer that ends a text; it is no part of it. None lets texts run on.

    Raises:
        ValueError: the vocabularies differ, `start` is empty, or the tokenizer does not know `end`.
    """

    def __init__(self, model: LanguageModel, tokenizer, start: str = "\n", end: str | None = None):
        if model.vocabulary != tokenizer.vocabulary:
            raise ValueError(
                f"The model has {model.vocabulary} tokens, the tokenizer {tokenizer.vocabulary}; accepted are as many."
            )
        if not start:
            raise ValueError("start is empty; accepted is a text or a special token, for something has to be read.")
        self.model = model
        self.tokenizer = tokenizer
        self.start = start
        self.end = None if end is None else tokenizer.id_of(end)

    def generate(
        self, prompt: str = "", n: int = 1, seed: int | None = None, length: int = 100, **decoding
    ) -> list[str]:
        """Return n texts that begin with the prompt, each with at most `length` new tokens.

        A prompt longer than the context is returned whole, and its last part is read; see `LanguageModel.sample`.

        Args:
            prompt: may be empty.
            n: at least 1.
            seed: an int >= 0, which always gives the same texts; None gives others each time.
            length: at least 1.
            **decoding: `temperature`, `top_k`, `top_p` and `no_repeat` of `LanguageModel.sample`.

        Raises:
            ValueError: an argument is refused, or the prompt has characters that the tokenizer does not know.
        """
        ids = self._encode(prompt)
        written = self.model.sample(n, seed, length, prompt=ids, **decoding)[:, len(ids) :]
        return [prompt + self._decode(row) for row in written]

    def search(self, prompt: str = "", beams: int = 4, length: int = 50) -> list[tuple[str, float]]:
        """Return the most probable texts that beam search finds, each with the log-probability of its continuation.

        Args:
            prompt: may be empty.
            beams: as in `beam_search`, and so is `length`.

        Raises:
            ValueError: as there.
        """
        ids = self._encode(prompt)
        rows, log_probs = beam_search(self.model, ids, length, beams, self.end)
        return [(prompt + self._decode(row[len(ids) :]), float(p)) for row, p in zip(rows, log_probs, strict=True)]

    def _encode(self, prompt):
        if not prompt and self.start in self.tokenizer.specials:
            return np.array([self.tokenizer.id_of(self.start)], "int32")
        return self.tokenizer.encode(prompt or self.start)

    def _decode(self, ids):
        """Return the text before the first token that ends it."""
        ends = np.flatnonzero(ids == self.end) if self.end is not None else []
        return self.tokenizer.decode(ids[: ends[0]] if len(ends) else ids)
