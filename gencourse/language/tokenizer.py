"""What every tokenizer has: text to ids and back, and tokens that are no text."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np


class Tokenizer(ABC):
    """Ids 0, 1, ... stand for pieces of text, the last ids for special tokens, which no text contains.

    A special token's name inside a text is text as any other: put the token itself in by its id, `id_of(name)`.

    Args:
        pieces: how many ids stand for text.
        specials: names of the special tokens, such as ("<eos>",), all different.
    """

    def __init__(self, pieces: int, specials: Sequence[str] = ()):
        if isinstance(specials, str) or len(set(specials)) < len(specials):
            raise ValueError(f"The special tokens are {specials!r}; accepted is a tuple of different names.")
        self.pieces = pieces
        self.specials = tuple(specials)

    @property
    def vocabulary(self) -> int:
        """How many ids there are."""
        return self.pieces + len(self.specials)

    def id_of(self, special: str) -> int:
        """Return the id of a special token."""
        if special not in self.specials:
            raise ValueError(f"There is no special token {special!r}; accepted are {self.specials}.")
        return self.pieces + self.specials.index(special)

    @abstractmethod
    def encode(self, text: str) -> np.ndarray:
        """Return the ids (t,), int32, of a text."""

    def decode(self, ids) -> str:
        """Return the text of ids (t,); special tokens leave nothing in it.

        Raises:
            ValueError: they are no vector of integers, or one is outside of the vocabulary.
        """
        ids = np.asarray(ids)
        accepted = f"accepted are integers in 0..{self.vocabulary - 1} of shape (t,)"
        if ids.ndim != 1 or (ids.size and not np.issubdtype(ids.dtype, np.integer)):
            raise ValueError(f"The ids are {ids.dtype} of shape {ids.shape}; {accepted}.")
        outside = ids[(ids < 0) | (ids >= self.vocabulary)]
        if outside.size:
            raise ValueError(f"There is no id {outside[0]}; {accepted}.")
        return self._join(ids[ids < self.pieces].tolist())

    @abstractmethod
    def _join(self, ids: list[int]) -> str:
        """Return the text of ids below `pieces`."""
