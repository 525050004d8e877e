"""Attention and the layers around it, against Keras's own attention and against formulas by hand."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy.stats import norm

from gencourse.layers import (
    FeedForward,
    MultiHeadAttention,
    PositionEmbedding,
    RotaryPositionEmbedding,
    TransformerBlock,
)
from gencourse.layers.multi_head_attention import may_look_back
from gencourse.networks import Transformer


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def ids(n: int, t: int, vocabulary: int = 11) -> np.ndarray:
    return np.random.default_rng(0).integers(0, vocabulary, (n, t)).astype("int32")


def randomized(layer):
    """Give every weight of a built layer a value that shows if it is used in the wrong place."""
    for i, weight in enumerate(layer.weights):
        weight.assign(weight + 0.3 * normal(*weight.shape, seed=i + 1))
    return layer


def attention_pair(memory_width: int = 12) -> tuple[MultiHeadAttention, keras.layers.MultiHeadAttention]:
    """Return ours and Keras's with the same random weights: width 12, 3 heads of 4."""
    ours = MultiHeadAttention(heads=3, deviation=0.5, output_deviation=0.5)
    ours.build((None, None, 12), (None, None, memory_width))
    randomized(ours)
    theirs = keras.layers.MultiHeadAttention(num_heads=3, key_dim=4)
    theirs.build((None, None, 12), (None, None, memory_width))
    weights = []
    for dense in (ours.query, ours.key, ours.value):
        kernel, bias = dense.get_weights()
        weights += [kernel.reshape(-1, 3, 4), bias.reshape(3, 4)]
    kernel, bias = ours.output_projection.get_weights()
    theirs.set_weights([*weights, kernel.reshape(3, 4, 12), bias])
    return ours, theirs


@pytest.mark.parametrize("mask", ["none", "causal", "padding"])
def test_attention_equals_keras(mask):
    ours, theirs = attention_pair()
    x = normal(2, 5, 12)
    masks = {
        "none": None,
        "causal": np.tril(np.ones((1, 5, 5), bool)),
        "padding": np.array([[True] * 5, [True] * 3 + [False] * 2])[:, None],
    }
    mask = masks[mask]
    expected, weights = theirs(x, x, attention_mask=mask, return_attention_scores=True)
    of_heads = None if mask is None else mask[:, None]
    np.testing.assert_allclose(ours(x, attention_mask=of_heads), expected, atol=1e-5)
    np.testing.assert_allclose(ours.attention_weights(x, attention_mask=of_heads), weights, atol=1e-6)


def test_attention_to_a_memory_equals_keras():
    ours, theirs = attention_pair(memory_width=7)
    x, memory = normal(2, 5, 12), normal(2, 4, 7, seed=1)
    np.testing.assert_allclose(ours(x, memory), theirs(x, memory), atol=1e-5)


def test_attention_weights_can_be_inspected():
    ours, _ = attention_pair()
    weights = np.array(ours.attention_weights(normal(2, 5, 12), attention_mask=may_look_back(5, 5)))
    assert weights.shape == (2, 3, 5, 5)
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-6)
    assert (weights[..., ~np.tril(np.ones((5, 5), bool))] == 0).all()
    assert (weights[..., np.tril(np.ones((5, 5), bool))] > 0).all()


def test_a_width_that_heads_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="width is 10, heads is 3"):
        MultiHeadAttention(heads=3).build((None, None, 10))


@pytest.mark.parametrize("approximate", [False, True])
def test_feed_forward_by_hand(approximate):
    layer = FeedForward(hidden=6, approximate=approximate)
    layer.build((None, None, 4))
    randomized(layer)
    x = normal(2, 3, 4)
    (w1, b1), (w2, b2) = layer.widen.get_weights(), layer.narrow.get_weights()
    z = (x @ w1 + b1).astype("float64")
    tanh = np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))
    gelu = z * (1 + tanh) / 2 if approximate else z * norm.cdf(z)
    np.testing.assert_allclose(layer(x), gelu @ w2 + b2, atol=1e-5)


def test_feed_forward_answers_below_zero():
    layer = FeedForward(hidden=1)
    layer.build((None, None, 1))
    layer.set_weights([np.eye(1), np.zeros(1), np.eye(1), np.zeros(1)])
    assert abs(float(layer(np.full((1, 1, 1), -1.0, "float32"))[0, 0, 0])) > 0.1  # ReLU, as printed, gives 0


def test_block_starts_near_the_identity_and_adds_to_the_stream():
    block = TransformerBlock(heads=2, hidden=16, depth=3)
    block.build((None, None, 8))
    x = normal(2, 5, 8)
    for dense in (block.attention.output_projection, block.feed_forward.narrow):
        assert np.std(dense.kernel) < 2 * 0.02 / np.sqrt(6)
        dense.kernel.assign(ops.zeros_like(dense.kernel))
    np.testing.assert_array_equal(block(x), x)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("position", ["learned", "sinusoidal", "rotary", "none"])
def test_a_causal_transformer_does_not_look_ahead(position, causal):
    transformer = randomized(Transformer(11, 8, depth=2, heads=2, width=8, position=position, causal=causal))
    x = ids(3, 6)
    changed = x.copy()
    changed[:, -1] = (x[:, -1] + 1) % 11
    moved = np.abs(np.array(transformer(x)) - np.array(transformer(changed)))[:, :-1].max()
    assert moved == 0 if causal else moved > 1e-3


@pytest.mark.parametrize("position", ["learned", "rotary", "none"])
def test_only_positions_tell_the_order(position):
    transformer = randomized(Transformer(11, 8, depth=1, heads=2, width=8, position=position, causal=False))
    x = ids(2, 6)
    there, back = np.array(transformer(x)), np.array(transformer(x[:, ::-1]))[:, ::-1]
    assert np.allclose(there, back, atol=1e-5) == (position == "none")


def test_padding_is_not_seen():
    transformer = randomized(Transformer(11, 8, depth=2, heads=2, width=8, causal=False))
    x = ids(2, 8)
    mask = np.arange(8) < 5
    other = np.where(mask, x, 3)
    for batch in (x, other):
        seen = np.array(transformer(batch, padding_mask=np.broadcast_to(mask, x.shape)))[:, :5]
        np.testing.assert_allclose(seen, transformer(x[:, :5]), atol=1e-5)


@pytest.mark.parametrize("position", ["learned", "sinusoidal", "rotary"])
def test_a_cache_changes_nothing(position):
    transformer = randomized(Transformer(11, 8, depth=2, heads=2, width=8, position=position))
    x = ids(3, 7)
    whole = np.array(transformer(x))
    cache, parts = transformer.empty_cache(3), []
    for start, stop in ((0, 3), (3, 4), (4, 7)):
        hidden, cache = transformer.extend(x[:, start:stop], cache, start)
        parts.append(np.array(hidden))
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-5)


def test_rotary_products_know_the_distance_only():
    rotary = RotaryPositionEmbedding()
    query, key = normal(1, 8), normal(1, 8, seed=1)

    def product(p, q):
        return np.array(rotary(query, np.array([p]))) @ np.array(rotary(key, np.array([q]))).T

    np.testing.assert_allclose(product(9, 4), product(105, 100), atol=1e-4)
    assert abs(product(9, 4) - product(9, 5)) > 1e-3
    np.testing.assert_allclose(np.linalg.norm(rotary(query, np.array([77]))), np.linalg.norm(query), rtol=1e-5)
    angle = 3.0  # the first pair, (0, 4), turns by one radian a position
    first = query[0, 0] * np.cos(angle) - query[0, 4] * np.sin(angle)
    np.testing.assert_allclose(np.array(rotary(query, np.array([3])))[0, 0], first, atol=1e-5)
    with pytest.raises(ValueError, match="even"):
        rotary(normal(1, 5), np.array([0]))


def test_position_embedding_is_a_table():
    layer = PositionEmbedding(5, 3)
    np.testing.assert_array_equal(layer(np.array([4, 0])), np.array(layer.table)[[4, 0]])


@pytest.mark.parametrize(
    ("argument", "message"),
    [({"position": "cosine"}, "accepted are learned"), ({"context": 0}, "context"), ({"width": 9}, "heads divides")],
)
def test_a_wrong_size_is_refused(argument, message):
    with pytest.raises(ValueError, match=message):
        Transformer(**{"vocabulary": 5, "context": 4, "depth": 1, "heads": 2, "width": 8, **argument})
