"""Byte-pair encoding: two tokens that often stand side by side become one.

`learn_merges` and `apply_merges` are the algorithm by hand. They agree to the last id with the `tokenizers` library,
which is written in Rust and does the work in `BPETokenizer`.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import tokenizers

from gencourse.language.tokenizer import Tokenizer

Pair = tuple[str, str]  # of tokens
SPACES = r"\x00-\x20"  # and the control characters
SIGNS = r"!-@\[-`{-\x7f"  # ASCII's punctuation and digits
# No token crosses the border of a word: letters, or signs, with the space before them; or spaces.
WORD = rf" ?[^{SPACES}{SIGNS}]+| ?[{SIGNS}]+|[{SPACES}]+"


def byte_characters() -> dict[int, str]:
    """Return a visible character for each of the 256 bytes: its own where it has one, else one from U+0100 on.

    So tokens are strings that can be printed, a space being Ġ. The bytes' ids are their positions in this order, which
    is that of the characters.
    """
    visible = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in visible]
    return {byte: chr(byte) for byte in visible} | {byte: chr(256 + i) for i, byte in enumerate(others)}


CHARACTERS = byte_characters()


def split(text: str) -> list[str]:
    """Return the words of a text, each written as the characters of its bytes in UTF-8."""
    return ["".join(CHARACTERS[byte] for byte in word.encode()) for word in re.findall(WORD, text)]


def merge(tokens: Sequence[str], pair: Pair) -> tuple[str, ...]:
    """Return the tokens with each occurrence of the pair, from the left, made one."""
    merged, i = [], 0
    while i < len(tokens):
        step = 2 if tuple(tokens[i : i + 2]) == pair else 1
        merged.append("".join(tokens[i : i + step]))
        i += step
    return tuple(merged)


def token_ids(merges: Iterable[Pair]) -> dict[str, int]:
    """Return the id of every token: first the bytes, then what each merge makes."""
    ids = {character: i for i, character in enumerate(CHARACTERS.values())}
    for left, right in merges:
        if left not in ids or right not in ids:
            raise ValueError(f"{left!r} + {right!r} cannot be merged; accepted are bytes and what earlier merges made.")
        ids.setdefault(left + right, len(ids))
    return ids


def learn_merges(text: str, vocabulary: int) -> list[Pair]:
    """Return the merges, in their order, that make a vocabulary of 256 bytes and the most frequent pairs of tokens.

    Each round counts the pairs inside the words and merges the most frequent one everywhere. Among equally frequent
    pairs the first is taken: that of the smaller id on the left, then on the right. A text in which no pair is left
    ends it before.
    """
    words = Counter(tuple(word) for word in split(text))
    ids, merges = token_ids([]), []
    while len(ids) < vocabulary:
        counts = Counter()
        for word, n in words.items():
            for pair in pairwise(word):
                counts[pair] += n
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], ids[pair[0]], ids[pair[1]]))
        merges.append(best)
        ids.setdefault("".join(best), len(ids))
        words = {merge(word, best): n for word, n in words.items()}
    return merges


def apply_merges(text: str, merges: Sequence[Pair]) -> list[str]:
    """Return the tokens of a text: in each word, the pair that was learned first is merged first."""
    rank = {pair: i for i, pair in enumerate(merges)}
    tokens = []
    for word in split(text):
        while known := set(pairwise(word)) & rank.keys():
            word = merge(word, min(known, key=rank.get))
        tokens += word
    return tokens


class BPETokenizer(Tokenizer):
    """Byte-pair encoding of any text: a character never seen is a few bytes. Half a character decodes to �.

    Args:
        merges: pairs of tokens, in the order in which they were learned.
        specials: names of tokens that are no text; they have the last ids.

    Source: Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units", 2016, algorithm 1; on bytes:
    Radford et al., "Language Models are Unsupervised Multitask Learners", 2019, section 2.2.
    """

    def __init__(self, merges: Sequence[Pair] = (), specials: Sequence[str] = ()):
        self.merges = [tuple(pair) for pair in merges]
        self._library = _library(self.merges)
        super().__init__(self._library.get_vocab_size(), specials)

    @classmethod
    def train(cls, text: str, vocabulary: int, specials: Sequence[str] = ()) -> "BPETokenizer":
        """Return the tokenizer of the merges that `learn_merges` finds; the library finds them.

        Args:
            text: to learn from.
            vocabulary: ids in all, >= 256 and the special tokens; fewer if no pair is left to merge.
            specials: names of tokens that are no text.
        """
        least = len(CHARACTERS) + len(specials)
        if vocabulary < least:
            raise ValueError(f"The vocabulary is {vocabulary}; accepted is {least} or more: bytes and special tokens.")
        library = _library([])
        trainer = tokenizers.trainers.BpeTrainer(
            vocab_size=vocabulary - len(specials), initial_alphabet=list(CHARACTERS.values()), show_progress=False
        )
        library.train_from_iterator([text], trainer)
        return cls(json.loads(library.to_str())["model"]["merges"], specials)

    def encode(self, text: str) -> np.ndarray:
        """Return the ids (t,), int32, of a text."""
        text.encode()  # refuses half a surrogate pair by its name; the library would say that it is no str
        return np.array(self._library.encode(text).ids, "int32")

    def _join(self, ids):
        return self._library.decode(ids)


def _library(merges: list[Pair]) -> tokenizers.Tokenizer:
    """Return the library's tokenizer with these merges."""
    library = tokenizers.Tokenizer(tokenizers.models.BPE(token_ids(merges), merges))
    words = tokenizers.pre_tokenizers.Split(tokenizers.Regex(WORD), "isolated")
    characters = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    library.pre_tokenizer = tokenizers.pre_tokenizers.Sequence([words, characters])
    library.decoder = tokenizers.decoders.ByteLevel()
    return library
