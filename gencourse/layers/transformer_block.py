"""The block of which transformers are stacks: attention between positions, then computation at each."""

import keras
import numpy as np

from gencourse.guard import check_whole
from gencourse.layers.feed_forward import FeedForward
from gencourse.layers.multi_head_attention import MultiHeadAttention

DEVIATION = 0.02  # of all initial weights but those that lead into the residual stream


@keras.saving.register_keras_serializable(package="gencourse")
class TransformerBlock(keras.layers.Layer):
    """Two steps, each of which adds to a stream x (n, t, width) what it computes from the normalized stream.

        x ← x + attention(norm(x)),   x ← x + feed_forward(norm(x))

    Norms stand before each step and not after it, so that the stream itself runs through unchanged (pre-norm). What is
    added is small at first: its last weights start with a standard deviation of 0.02 / √(2 · depth).

    Args:
        heads: of the attention.
        hidden: the width inside the feed-forward step.
        dropout: of the attention's weights and of what each step adds, 0 <= dropout < 1.
        depth: how many such blocks the stack has, at least 1.
        rotary: as in `MultiHeadAttention`.
        approximate: as in `FeedForward`.

    Source: Radford et al., "Language Models are Unsupervised Multitask Learners" (GPT-2), 2019, section 2.3.
    """

    def __init__(
        self,
        heads: int,
        hidden: int,
        dropout: float = 0.0,
        depth: int = 1,
        rotary: keras.layers.Layer | None = None,
        approximate: bool = True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_whole(depth, "depth", least=1)
        self.heads = heads
        self.hidden = hidden
        self.dropout = dropout
        self.depth = depth
        self.rotary = rotary
        self.approximate = approximate
        small = DEVIATION / np.sqrt(2 * depth)
        options = {"deviation": DEVIATION, "output_deviation": float(small), "dtype": self.dtype_policy}
        self.attention_norm = keras.layers.LayerNormalization(epsilon=1e-5, dtype=self.dtype_policy)
        self.attention = MultiHeadAttention(heads, dropout, rotary, **options)
        self.attention_drop = keras.layers.Dropout(dropout, dtype=self.dtype_policy)
        self.feed_forward_norm = keras.layers.LayerNormalization(epsilon=1e-5, dtype=self.dtype_policy)
        self.feed_forward = FeedForward(hidden, approximate, **options)
        self.feed_forward_drop = keras.layers.Dropout(dropout, dtype=self.dtype_policy)

    def build(self, input_shape):
        """Make the weights, for inputs (n, t, width)."""
        for layer in (self.attention_norm, self.attention, self.feed_forward_norm, self.feed_forward):
            layer.build(input_shape)

    def call(self, x, attention_mask=None, cache=None, training=None):
        """Return the stream after both steps, and the cache if there is one; arguments as in `MultiHeadAttention`."""
        gathered = self.attention(self.attention_norm(x), attention_mask=attention_mask, cache=cache, training=training)
        if cache is not None:
            gathered, cache = gathered
        x = x + self.attention_drop(gathered, training=training)
        x = x + self.feed_forward_drop(self.feed_forward(self.feed_forward_norm(x)), training=training)
        return x if cache is None else (x, cache)

    def get_config(self):
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "heads": self.heads,
            "hidden": self.hidden,
            "dropout": self.dropout,
            "depth": self.depth,
            "rotary": keras.saving.serialize_keras_object(self.rotary),
            "approximate": self.approximate,
        }

    @classmethod
    def from_config(cls, config):
        """Build the layer from what `get_config` returned."""
        return cls(**{**config, "rotary": keras.saving.deserialize_keras_object(config["rotary"])})
