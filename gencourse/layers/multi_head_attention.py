"""Attention: each position asks all others, and takes from each what it has, in proportion to how well it answers."""

import keras
import numpy as np
from keras import ops

from gencourse.guard import check_whole
from gencourse.layers.projection import projection


@keras.saving.register_keras_serializable(package="gencourse")
class MultiHeadAttention(keras.layers.Layer):
    """Scaled dot-product attention in several heads, each on its own part of the width.

        weights = softmax(Q Kᵀ / √d + mask),   output = (weights V) W_o
        Q = x W_q,   K = memory W_k,   V = memory W_v,   d = width / heads

    each W with a bias. The mask is 0 where a key may be seen and -∞ elsewhere, so that the weight there is exactly 0 (a
    query that may see no key at all sees every one alike). Weights are float32 under every precision. Keys and values
    of earlier positions may be kept in a cache, and then only new positions are computed.

    Args:
        heads: the width of the input must be a multiple of it.
        dropout: the part of the weights that is set to 0 in training, 0 <= dropout < 1.
        rotary: a layer (n, heads, t, d), positions (t,) → the same shape that turns queries and keys, such as
            `RotaryPositionEmbedding()`; None leaves them as they are.
        deviation: the standard deviation of the initial weights.
        output_deviation: likewise of W_o.

    Source: Vaswani et al., "Attention Is All You Need", 2017, equation 1 and section 3.2.2.
    """

    def __init__(
        self,
        heads: int,
        dropout: float = 0.0,
        rotary: keras.layers.Layer | None = None,
        deviation: float = 0.02,
        output_deviation: float = 0.02,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_whole(heads, "heads", least=1)
        self.heads = heads
        self.dropout = dropout
        self.rotary = rotary
        self.deviation = deviation
        self.output_deviation = output_deviation
        self.drop = keras.layers.Dropout(dropout, dtype="float32")

    def build(self, query_shape, memory_shape=None):
        """Make the four projections, for inputs (n, t, width)."""
        width = query_shape[-1]
        if width % self.heads:
            raise ValueError(f"The width is {width}, heads is {self.heads}; accepted is a width that heads divides.")
        memory_width, policy = (memory_shape or query_shape)[-1], self.dtype_policy
        self.query = projection("query", width, width, self.deviation, policy)
        self.key = projection("key", memory_width, width, self.deviation, policy)
        self.value = projection("value", memory_width, width, self.deviation, policy)
        self.output_projection = projection("output", width, width, self.output_deviation, policy)

    def call(self, query, memory=None, attention_mask=None, cache=None, training=None):
        """Return what each position has gathered, and the cache if there is one.

        Args:
            query: (n, t, width), the positions that ask.
            memory: (n, s, any width), those that are asked; by default the query itself.
            attention_mask: booleans, of a shape that broadcasts to (n, heads, t, s), True where the key may be seen; s
                is the size of the cache if there is one.
            cache: (keys, values, start) of which the first two are (n, heads, s, d); this call's keys and values are
                put at start..start + t - 1.
            training: whether weights are dropped.

        Returns:
            (n, t, width), or with a cache ((n, t, width), (keys, values)).
        """
        queries, keys, values = self._project(query, query if memory is None else memory, cache)
        gathered = ops.matmul(self._weights(queries, keys, attention_mask, training), values)  # (n, heads, t, d)
        output = self.output_projection(self._join(gathered))
        return output if cache is None else (output, (keys, values))

    def attention_weights(self, query, memory=None, attention_mask=None):
        """Return the weights (n, heads, t, s) by which `call` would gather: rows sum to 1; arguments as there."""
        queries, keys, _ = self._project(query, query if memory is None else memory, None)
        return self._weights(queries, keys, attention_mask, training=False)

    def _project(self, query, memory, cache):
        """Return the queries (n, heads, t, d) and keys and values (n, heads, s, d), those of the cache included."""
        queries, keys, values = self.query(query), self.key(memory), self.value(memory)
        queries, keys, values = (self._part(x) for x in (queries, keys, values))
        start = 0 if cache is None else cache[2]
        if self.rotary is not None:
            queries = self.rotary(queries, start + ops.arange(ops.shape(queries)[2]))
            keys = self.rotary(keys, start + ops.arange(ops.shape(keys)[2]))
        if cache is not None:
            keys, values = (
                ops.slice_update(kept, (0, 0, start, 0), new) for kept, new in zip(cache, (keys, values), strict=False)
            )
        return queries, keys, values

    def _weights(self, queries, keys, mask, training):
        """softmax(Q Kᵀ / √d + mask), (n, heads, t, s), in the type of the keys."""
        scores = ops.matmul(queries, ops.swapaxes(keys, -1, -2))  # (n, heads, t, s)
        scores = ops.cast(scores, "float32") / np.sqrt(queries.shape[-1])
        if mask is not None:
            scores = ops.where(mask, scores, -1e30)
        return ops.cast(self.drop(ops.softmax(scores), training=training), keys.dtype)

    def _part(self, x):
        """(n, t, width) → (n, heads, t, d)."""
        n, t = ops.shape(x)[:2]
        return ops.swapaxes(ops.reshape(x, (n, t, self.heads, x.shape[-1] // self.heads)), 1, 2)

    def _join(self, x):
        """(n, heads, t, d) → (n, t, width)."""
        n, _, t, _ = ops.shape(x)
        return ops.reshape(ops.swapaxes(x, 1, 2), (n, t, self.heads * x.shape[-1]))

    def get_config(self):
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "heads": self.heads,
            "dropout": self.dropout,
            "rotary": keras.saving.serialize_keras_object(self.rotary),
            "deviation": self.deviation,
            "output_deviation": self.output_deviation,
        }

    @classmethod
    def from_config(cls, config):
        """Build the layer from what `get_config` returned."""
        return cls(**{**config, "rotary": keras.saving.deserialize_keras_object(config["rotary"])})


def may_look_back(queries: int, keys: int, start=0):
    """Return the causal mask (queries, keys) of booleans: the query at start + i may see the keys 0..start + i."""
    return start + ops.arange(queries)[:, None] >= ops.arange(keys)[None, :]
