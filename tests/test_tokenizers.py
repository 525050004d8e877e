"""Tokenizers: text comes back whole, special tokens are no text, and byte-pair encoding by hand is the library's."""

import numpy as np
import pytest

from gencourse.datasets import shakespeare
from gencourse.language.bpe_tokenizer import BPETokenizer, apply_merges, learn_merges, split, token_ids
from gencourse.language.char_tokenizer import CharTokenizer

TEXTS = {
    "empty": "",
    "one letter": "a",
    "overlaps": "aaaa aaaaa aaa banana bananas",
    "spaces": "  two  spaces   three \t tab \n\n new\r\nlines \n ",
    "signs": "don't -- stop!!! 3.14 [x] {y} ^_^ C:\\n <eos> \x00\x1c\x7f",
    "not ASCII": "naïve café, Ωmega ωmega, 東京都 東京, \x85\xa0\u2028 ½x² é",
    "emoji": "😀😀 👩‍🔬 🇩🇪🇩🇪 ok 👍🏽",
    "ties": "zy yx xw zy yx xw ba ab",
}


@pytest.fixture(scope="module")
def play():
    return shakespeare.text("train")[:20_000]


@pytest.mark.parametrize("name", TEXTS)
def test_merges_by_hand_are_those_of_the_library(name):
    text = TEXTS[name] * 2
    learned = learn_merges(text, 300)
    tokenizer = BPETokenizer.train(text, 300)
    assert learned == tokenizer.merges
    for other in TEXTS.values():
        tokens = apply_merges(other, learned)
        assert [token_ids(learned)[token] for token in tokens] == tokenizer.encode(other).tolist()


@pytest.mark.parametrize("vocabulary", [256, 300, 500])
def test_on_shakespeare_they_are_the_librarys_too(play, vocabulary):
    learned = learn_merges(play, vocabulary)
    assert len(learned) == vocabulary - 256
    tokenizer = BPETokenizer.train(play, vocabulary)
    assert tokenizer.merges == learned
    assert tokenizer.vocabulary == vocabulary
    ids = tokenizer.encode(play)
    assert ids.tolist() == [token_ids(learned)[token] for token in apply_merges(play, learned)]
    assert np.array_equal(BPETokenizer(learned).encode(play), ids)


def test_random_texts_of_few_letters_give_the_librarys_merges():
    rng = np.random.default_rng(0)
    for letters in ("a ", "ab", "aab ", "abc\n"):
        for length in (10, 40, 160):
            text = "".join(rng.choice(list(letters), length))
            assert learn_merges(text, 320) == BPETokenizer.train(text, 320).merges


def test_merges_worked_out_on_paper():
    # (l, o) and (o, w) stand 4 times each, and l is before o; then (lo, w) 4 times, (Ġ, low) 3 times
    assert learn_merges("low low low lower", 259) == [("l", "o"), ("lo", "w"), ("Ġ", "low")]
    assert apply_merges("slow lower", [("l", "o"), ("lo", "w"), ("Ġ", "low")]) == ["s", "low", "Ġlow", "e", "r"]
    # each pair stands once: y is before Ġ, then x before z
    assert learn_merges("yz yx", 600)[:2] == [("y", "x"), ("y", "z")]


def test_words_keep_every_byte_and_hold_no_inner_space(play):
    assert split("to be,  or\nnot") == ["to", "Ġbe", ",", "ĠĠ", "or", "Ċ", "not"]
    for text in (*TEXTS.values(), play):
        assert sum(len(word) for word in split(text)) == len(text.encode())


@pytest.mark.parametrize("name", TEXTS)
def test_any_text_comes_back(play, name):
    text = TEXTS[name]
    tokenizer = BPETokenizer.train(play, 400, specials=("<eos>",))  # has seen neither emoji nor accents
    ids = tokenizer.encode(text)
    assert ids.dtype == np.int32
    assert tokenizer.decode(ids) == text
    characters = CharTokenizer.of(text, specials=("<eos>",))
    assert characters.encode(text).dtype == np.int32
    assert characters.decode(characters.encode(text)) == text


def test_more_merges_make_a_text_shorter(play):
    lengths = [len(BPETokenizer.train(play, vocabulary).encode(play)) for vocabulary in (256, 300, 500, 1000)]
    assert lengths[0] == len(play)
    assert lengths == sorted(set(lengths), reverse=True)


def test_characters_have_the_ids_of_the_plays(play):
    tokenizer = CharTokenizer(shakespeare.CHARACTERS)
    assert np.array_equal(tokenizer.encode(play), shakespeare.encode(play))
    assert CharTokenizer.of("banana").characters == "abn"


@pytest.mark.parametrize(
    "tokenizer", [CharTokenizer("abc", ("<pad>", "<eos>")), BPETokenizer.train("abc", 300, ("<pad>", "<eos>"))]
)
def test_special_tokens_have_the_last_ids_and_are_no_text(tokenizer):
    last = tokenizer.vocabulary - 1
    assert (tokenizer.id_of("<pad>"), tokenizer.id_of("<eos>")) == (last - 1, last)
    assert tokenizer.encode("cab").max() < last - 1
    assert tokenizer.decode([last, *tokenizer.encode("ab"), last - 1, *tokenizer.encode("c"), last]) == "abc"
    assert tokenizer.decode([]) == ""
    with pytest.raises(ValueError, match=r"no special token '<bos>'; accepted are \('<pad>', '<eos>'\)"):
        tokenizer.id_of("<bos>")
    for outside in (-1, last + 1):
        with pytest.raises(ValueError, match=rf"no id {outside}; accepted are integers in 0..{last}"):
            tokenizer.decode([0, outside])
    for ids in ([[0]], 0, [0.0]):
        with pytest.raises(ValueError, match=r"accepted are integers in .* of shape \(t,\)"):
            tokenizer.decode(ids)


def test_the_name_of_a_special_token_is_text():
    tokenizer = BPETokenizer.train("<eos>", 300, specials=("<eos>",))
    assert tokenizer.id_of("<eos>") not in tokenizer.encode("a<eos>")
    assert tokenizer.decode(tokenizer.encode("a<eos>")) == "a<eos>"


def test_ids_that_stop_inside_a_character_show_it():
    tokenizer = BPETokenizer()
    assert tokenizer.decode(tokenizer.encode("aé")[:2]) == "a\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: CharTokenizer("abc").encode("abd"), "'d' has no id; accepted are the characters 'abc'"),
        (lambda: CharTokenizer("aba"), "'aba' has a character twice; accepted is each once"),
        (lambda: CharTokenizer("abc", "<eos>"), "special tokens are '<eos>'; accepted is a tuple"),
        (lambda: CharTokenizer("abc", ("<eos>", "<eos>")), "accepted is a tuple of different names"),
        (lambda: BPETokenizer.train("abc", 256, ("<eos>",)), "vocabulary is 256; accepted is 257 or more"),
        (lambda: BPETokenizer([("ab", "c")]), r"'ab' \+ 'c' cannot be merged; accepted are bytes and what earlier"),
        (lambda: BPETokenizer().encode("a\ud800"), "surrogates not allowed"),
    ],
)
def test_refusals_say_what_is_accepted(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
