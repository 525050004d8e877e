"""The plainest tokenizer: one id a character."""

from collections.abc import Sequence

import numpy as np

from gencourse.language.tokenizer import Tokenizer


class CharTokenizer(Tokenizer):
    """A character's id is its position in `characters`.

    Args:
        characters: all that a text may have, each once.
        specials: names of tokens that are no text; their ids follow.
    """

    def __init__(self, characters: str, specials: Sequence[str] = ()):
        super().__init__(len(characters), specials)
        self.characters = characters
        self._ids = {character: i for i, character in enumerate(characters)}
        if len(self._ids) < len(characters):
            raise ValueError(f"{characters!r} has a character twice; accepted is each once.")

    @classmethod
    def of(cls, text: str, specials: Sequence[str] = ()) -> "CharTokenizer":
        """Return the tokenizer of the characters that a text has, sorted."""
        return cls("".join(sorted(set(text))), specials)

    def encode(self, text: str) -> np.ndarray:
        """Return the ids (len(text),), int32, of a text.

        Raises:
            ValueError: it has a character that has no id.
        """
        try:
            return np.array([self._ids[character] for character in text], "int32")
        except KeyError as unknown:
            raise ValueError(f"{unknown} has no id; accepted are the characters {self.characters!r}.") from None

    def _join(self, ids):
        return "".join(self.characters[i] for i in ids)
