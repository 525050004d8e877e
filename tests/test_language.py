"""Language models: the chain rule, writing token by token, and every defect of the printed ones."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from gencourse.language import GPT, CharRNN, CharTokenizer, FineTunedGPT, TextGenerator, beam_search
from gencourse.language.decoding import choose, narrow, repeats
from gencourse.language.language_model import LanguageModel
from gencourse.networks import Transformer

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def random_ids(n: int, t: int, vocabulary: int = 7, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, vocabulary, (n, t)).astype("int32")


def tiny_gpt(vocabulary: int = 7, context: int = 8, scale: float = 1.0, **options) -> GPT:
    """Return a GPT whose random weights are large enough for its tokens to differ."""
    keras.utils.set_random_seed(0)
    model = GPT(Transformer(vocabulary, context, depth=2, heads=2, width=8, **options))
    generator = np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign(weight + scale * generator.normal(0, 0.4, weight.shape))
    return model


def tiny_rnn(cell: str = "gru") -> CharRNN:
    keras.utils.set_random_seed(0)
    return CharRNN(7, units=8, depth=2, cell=cell)


MODELS = {
    "gpt": tiny_gpt,
    "rotary": lambda: tiny_gpt(position="rotary"),
    "simple": lambda: tiny_rnn("simple"),
    "gru": tiny_rnn,
    "lstm": lambda: tiny_rnn("lstm"),
}
each_model = pytest.mark.parametrize("build", MODELS.values(), ids=MODELS)


class Successor(LanguageModel):
    """Says that each token is followed by the next letter, as surely as asked, and looks at the newest token only."""

    vocabulary, context = 26, 16

    def __init__(self, odds: float = 100.0, context: int = 16, vocabulary: int = 26):
        super().__init__()
        self.odds = odds
        self.context, self.vocabulary = context, vocabulary
        self.reads = []

    def _logits(self, ids, training=False):
        self.reads.append(ids.shape)
        return self.odds * ops.one_hot((ids + 1) % self.vocabulary, self.vocabulary)

    def begin(self, n):
        return ops.zeros((), "int32")

    def _read(self, ids, state):
        return self._logits(ids[:, -1:])[:, 0], state + ops.shape(ids)[1]

    def room(self, state):
        return self.context - int(state)


@each_model
def test_no_token_looks_ahead(build):
    model, x = build(), random_ids(3, 8)
    changed = x.copy()
    changed[:, -1] = (x[:, -1] + 1) % 7
    there, here = np.array(model.logits(x)), np.array(model.logits(changed))
    assert np.abs(there - here)[:, :-1].max() == 0
    assert np.abs(there - here)[:, -1].max() > 1e-3


@each_model
def test_log_prob_is_the_chain_rule(build):
    model, x = build(), random_ids(3, 8)
    logits = np.array(model.logits(x), "float64")
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    expected = sum(log_p[np.arange(3), t, x[:, t + 1]] for t in range(7))
    np.testing.assert_allclose(model.log_prob(x), expected, rtol=1e-5)
    model.compile()
    np.testing.assert_allclose(model.evaluate(x, verbose=0), -expected.mean() / 7, rtol=1e-5)
    weights = np.zeros((3, 7), "float32")
    weights[:, 4] = 1  # only x_6 counts
    loss = model.evaluate(x, sample_weight=weights, verbose=0)
    np.testing.assert_allclose(loss, -log_p[np.arange(3), 4, x[:, 5]].mean(), rtol=1e-4)


def test_probabilities_of_all_texts_sum_to_one():
    model = tiny_gpt(vocabulary=3)
    texts = np.array([(1, *rest) for rest in itertools.product(range(3), repeat=4)], "int32")
    np.testing.assert_allclose(np.exp(model.log_prob(texts)).sum(), 1, rtol=1e-5)


def test_a_gpt_does_not_beat_chance_on_chance():
    model = GPT(Transformer(50, 16, depth=1, heads=2, width=16))
    model.compile(keras.optimizers.Adam(0.01))
    model.fit(random_ids(256, 17, 50), epochs=4, batch_size=32, verbose=0)
    held_out = model.evaluate(random_ids(256, 17, 50, seed=1), verbose=0)
    # ln 50 is the least in the mean; that of 4,096 tokens spreads by less than 0.02
    assert np.log(50) - 0.02 < held_out < np.log(50) + 0.5


@each_model
def test_reading_in_parts_is_reading_at_once(build):
    model, x = build(), random_ids(3, 7)
    whole = np.array(model.logits(x))
    state = model.begin(3)
    for start, stop in ((0, 3), (3, 4), (4, 7)):
        logits, state = model.read(x[:, start:stop], state)
        np.testing.assert_allclose(logits, whole[:, stop - 1], atol=1e-5)


def written_without_cache(model, prompt, length):
    """Return the most probable continuation, everything in the window read again for each token."""
    ids, begin, window = prompt, 0, model.context or prompt.shape[1] + length
    for _ in range(length):
        t = ids.shape[1]
        if t - begin > window:
            begin = t - window // 2
        padded = np.pad(ids[:, begin:], ((0, 0), (0, window - t + begin)))  # later tokens change nothing: see above
        logits = np.array(model.logits(padded))[:, t - begin - 1]
        ids = np.hstack([ids, logits.argmax(-1)[:, None].astype("int32")])
    return ids


@each_model
@pytest.mark.parametrize("given", [1, 8, 13], ids=["one token", "a full context", "more than the context"])
def test_writing_with_a_cache_is_writing_without(build, given):
    model, prompt = build(), random_ids(2, given)
    expected = written_without_cache(model, prompt, 21)
    np.testing.assert_array_equal(model.sample(2, 0, 21, prompt, temperature=0), expected)


def test_a_long_text_goes_on_past_the_window():
    text = TextGenerator(Successor(), CharTokenizer(LETTERS), start="a").generate("abcd", length=40, temperature=0)[0]
    assert text == (LETTERS * 2)[:44]  # the printed generator crashes after 16


def test_one_trace_writes_every_text():
    model = Successor()
    for length, seed, temperature, k in ((20, 0, 1.0, None), (20, 1, 0.5, 3), (20, 2, 0.0, 1)):
        model.sample(2, seed, length, [0], temperature, k)
        if seed == 0:
            model.reads.clear()
    assert not model.reads


def test_an_empty_prompt_starts_after_the_start():
    generator = TextGenerator(Successor(), CharTokenizer(LETTERS), start="c")
    assert generator.generate(length=3, temperature=0) == ["def"]
    with_special = CharTokenizer("abc", specials=("<eos>",))
    generator = TextGenerator(Successor(vocabulary=4), with_special, start="<eos>", end="<eos>")
    assert generator.generate(length=9, temperature=0) == ["abc"]


def test_the_token_that_ends_a_text_is_not_in_it():
    tokenizer = CharTokenizer("abcd", specials=("<eos>",))
    generator = TextGenerator(Successor(vocabulary=5), tokenizer, start="a", end="<eos>")
    assert generator.generate("a", n=2, length=30, temperature=0) == ["abcd", "abcd"]
    assert generator.search("a", beams=2, length=6)[0][0] == "abcd"


def test_a_token_is_drawn_as_often_as_it_is_probable():
    p, n = 0.97, 20_000
    logits = np.log(np.array([[p, (1 - p) / 2, (1 - p) / 2]], "float32"))
    uniform = np.random.default_rng(0).random(n).astype("float32")
    drawn = np.array(choose(np.repeat(logits, n, axis=0), uniform, 1.0, 3.0, 1.0))
    assert abs((drawn == 0).mean() - p) < 4 * np.sqrt(p * (1 - p) / n)
    model = Successor(odds=float(np.log(p / (1 - p) * 25)))  # the other 25 letters share the rest
    ids = model.sample(400, 0, 20)
    follows = (ids[:, 1:] == (ids[:, :-1] + 1) % 26).mean()
    assert abs(follows - p) < 4 * np.sqrt(p * (1 - p) / 8000)


def test_temperature_zero_and_one_candidate_take_the_most_probable():
    logits = np.random.default_rng(0).normal(size=(50, 7)).astype("float32")
    uniform = np.random.default_rng(1).random(50).astype("float32")
    for temperature, k, p in ((0.0, 7.0, 1.0), (1.0, 1.0, 1.0), (1.0, 7.0, 1e-6)):
        np.testing.assert_array_equal(choose(logits, uniform, temperature, k, p), logits.argmax(-1))


@pytest.mark.parametrize("temperature", [0.5, 2.0])
@pytest.mark.parametrize(("k", "p"), [(3, 1.0), (7, 0.6), (5, 0.6), (100, 1.0)])
def test_the_kept_tokens_by_hand(k, p, temperature):
    logits = np.random.default_rng(0).normal(size=(20, 7)).astype("float32")
    kept = np.array(narrow(logits, temperature, float(k), p)) > -1e29
    for row, got in zip(logits, kept, strict=True):
        order = np.argsort(-row)[:k]
        shares = np.exp(row[order] / temperature)
        shares /= shares.sum()
        enough = np.searchsorted(np.cumsum(shares), p) + 1 if p < 1 else len(order)
        assert set(np.flatnonzero(got)) == set(order[:enough])


@pytest.mark.parametrize("ngram", [1, 2, 3])
def test_repeated_ngrams_by_hand(ngram):
    ids = random_ids(30, 12, 4)
    marked = np.array(repeats(ops.convert_to_tensor(ids), 10, ngram, 4))
    for row, got in zip(ids[:, :10].tolist(), marked, strict=True):
        seen = {tuple(row[j : j + ngram]) for j in range(10 - ngram + 1)}
        expected = {t for t in range(4) if (*row[10 - ngram + 1 :], t) in seen}
        assert set(np.flatnonzero(got)) == (set() if len(expected) == 4 else expected)


def test_no_ngram_is_written_twice():
    ids = tiny_gpt(scale=2).sample(5, 0, 20, temperature=0, no_repeat=2)
    for row in ids.tolist():
        assert len(set(itertools.pairwise(row))) == 20
    repeated = tiny_gpt(scale=2).sample(5, 0, 20, temperature=0)
    assert any(len(set(itertools.pairwise(row))) < 20 for row in repeated.tolist())


def test_a_beam_of_all_texts_finds_the_best():
    model = tiny_gpt()
    texts = np.array([(2, 5, *rest) for rest in itertools.product(range(7), repeat=3)], "int32")
    log_p = model.log_prob(texts) - model.log_prob(texts[:, :2])
    ids, found = beam_search(model, [2, 5], length=3, beams=400)
    best = np.argsort(-log_p)
    assert len(ids) == 343
    np.testing.assert_allclose(found, log_p[best], atol=1e-4)
    np.testing.assert_array_equal(ids[0], texts[best[0]])
    greedy, _ = beam_search(model, [2, 5], length=3, beams=1)
    np.testing.assert_array_equal(greedy, model.sample(1, 0, 3, [2, 5], temperature=0))


def test_a_beam_keeps_texts_that_have_ended():
    ids, log_p = beam_search(Successor(odds=1.0, vocabulary=3), [0], length=4, beams=30, end=2)
    for row, value in zip(ids.tolist(), log_p, strict=True):
        end = row.index(2) if 2 in row else 4
        assert row[end:] in ([2] * (5 - end), row[4:])
        steps = list(itertools.pairwise(row[: end + 1]))
        by_hand = sum((1.0 if b == (a + 1) % 3 else 0.0) - np.log(np.e + 2) for a, b in steps)
        np.testing.assert_allclose(value, by_hand, atol=1e-5)


def test_fine_tuning_moves_by_softmax_minus_one_hot():
    model = FineTunedGPT(tiny_gpt(), classes=3)
    model.head.set_weights([np.zeros(model.head.kernel.shape), np.array([-1.0, -2.0, -3.0])])
    model.compile(keras.optimizers.SGD(1.0))
    model.fit(random_ids(1, 5), np.array([0]), verbose=0)
    softmax = np.exp([-1.0, -2.0, -3.0]) / np.exp([-1.0, -2.0, -3.0]).sum()
    step = np.array([-1.0, -2.0, -3.0]) - model.head.get_weights()[1]
    np.testing.assert_allclose(step, softmax - [1, 0, 0], atol=1e-5)  # the printed one does not move at all


def test_padding_does_not_change_a_class():
    model = FineTunedGPT(tiny_gpt(), classes=3, pad=6)
    x = random_ids(4, 5, 6)
    padded = np.pad(x, ((0, 0), (0, 3)), constant_values=6)
    np.testing.assert_allclose(model.classify(padded), model.classify(x), atol=1e-6)
    np.testing.assert_allclose(model.classify(x).sum(1), 1, atol=1e-5)


def test_the_auxiliary_loss_is_that_of_the_gpt():
    gpt, x, y = tiny_gpt(), random_ids(4, 6), np.array([0, 1, 2, 0])
    losses = []
    for weight in (0.0, 0.5):
        keras.utils.set_random_seed(0)
        model = FineTunedGPT(gpt, classes=3, language_weight=weight)
        model.compile()
        losses.append(model.evaluate(x, y, verbose=0, return_dict=True)["loss"])
    np.testing.assert_allclose(losses[1] - losses[0], -0.5 * gpt.log_prob(x).mean() / 5, rtol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"temperature": -1.0}, "temperature is -1.0"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"top_k": 0}, "top_k is 0"),
        ({"top_p": 0.0}, "top_p is 0.0"),
        ({"no_repeat": 0}, "no_repeat is 0"),
        ({"length": 0}, "length is 0"),
        ({"prompt": [7]}, "span 7..7"),
        ({"prompt": np.zeros((2, 0), "int32")}, "0 tokens"),
        ({"prompt": random_ids(3, 4)}, "3 rows"),
        ({"prompt": [0.5]}, "float"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_bad_decoding_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        tiny_gpt().sample(**{"n": 2, "seed": 0, **arguments})


def test_what_does_not_fit_the_context_is_refused():
    model = tiny_gpt()
    with pytest.raises(ValueError, match="9 tokens a row"):
        model.logits(random_ids(2, 9))
    _, state = model.read(random_ids(2, 6), model.begin(2))
    with pytest.raises(ValueError, match=r"3 tokens a row.*1 to 2"):
        model.read(random_ids(2, 3), state)
    with pytest.raises(ValueError, match="together at most 9"):
        beam_search(model, [0, 1, 2], length=7)


def test_a_wrong_part_is_refused():
    with pytest.raises(ValueError, match="causal=True"):
        GPT(Transformer(7, 8, 1, 2, 8, causal=False))
    with pytest.raises(ValueError, match="accepted are simple"):
        CharRNN(7, 8, cell="rnn")
    with pytest.raises(ValueError, match="7 tokens, the tokenizer 26"):
        TextGenerator(tiny_gpt(), CharTokenizer(LETTERS))
    with pytest.raises(ValueError, match="start is empty"):
        TextGenerator(Successor(), CharTokenizer(LETTERS), start="")
    with pytest.raises(ValueError, match="pad is 7"):
        FineTunedGPT(tiny_gpt(), classes=3, pad=7)
    classifier = FineTunedGPT(tiny_gpt(), classes=3, pad=6)
    with pytest.raises(ValueError, match="after padding"):
        classifier.classify(np.array([[1, 6, 2]], "int32"))
    classifier.compile()
    with pytest.raises(ValueError, match=r"accepted are integers in 0\.\.2"):
        classifier.fit(random_ids(2, 4, 6), np.array([0, 3]), verbose=0)
