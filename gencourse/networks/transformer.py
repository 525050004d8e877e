"""The body of a transformer: tokens and positions to vectors, a stack of blocks, a last norm."""

import keras
from keras import ops

from gencourse.guard import check_whole
from gencourse.layers import PositionEmbedding, RotaryPositionEmbedding, SinusoidalPositionEmbedding, TransformerBlock
from gencourse.layers.multi_head_attention import may_look_back

POSITIONS = ("learned", "sinusoidal", "rotary", "none")


@keras.saving.register_keras_serializable(package="gencourse")
class Transformer(keras.layers.Layer):
    """Token ids to one vector each, which knows of the tokens before it, or of all.

        x = dropout(E[ids] + P[0..t - 1]),   x ← block_i(x), i = 1..depth,   hidden = norm(x)

    Args:
        vocabulary: how many ids there are, at least 2.
        context: the largest number of tokens, at least 1.
        depth: blocks, at least 1.
        heads: of each block's attention.
        width: of the vectors, a multiple of `heads`.
        hidden: inside the feed-forward steps; by default 4 · width.
        dropout: after the embeddings and in the blocks, 0 <= dropout < 1.
        position: "learned", "sinusoidal", "rotary" (queries and keys are turned, nothing is added) or "none".
        causal: whether a token sees only itself and those before it.
        approximate: as in `FeedForward`.

    Source: Radford et al., "Language Models are Unsupervised Multitask Learners" (GPT-2), 2019, section 2.3.
    """

    def __init__(
        self,
        vocabulary: int,
        context: int,
        depth: int,
        heads: int,
        width: int,
        hidden: int | None = None,
        dropout: float = 0.0,
        position: str = "learned",
        causal: bool = True,
        approximate: bool = True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_whole(vocabulary, "vocabulary", least=2)
        check_whole(context, "context", least=1)
        check_whole(depth, "depth", least=1)
        if position not in POSITIONS:
            raise ValueError(f"position is {position!r}; accepted are {', '.join(POSITIONS)}.")
        self.vocabulary = vocabulary
        self.context = context
        self.depth = depth
        self.heads = heads
        self.width = width
        self.hidden = 4 * width if hidden is None else hidden
        self.dropout = dropout
        self.position = position
        self.causal = causal
        self.approximate = approximate
        start = keras.initializers.RandomNormal(stddev=0.02)
        policy = self.dtype_policy
        self.token_embedding = keras.layers.Embedding(vocabulary, width, embeddings_initializer=start, dtype=policy)
        self.token_embedding.build()
        self.position_embedding = self._position_embedding()
        self.embedding_drop = keras.layers.Dropout(dropout, dtype=policy)
        rotary = RotaryPositionEmbedding(dtype=policy) if position == "rotary" else None
        self.blocks = [
            TransformerBlock(heads, self.hidden, dropout, depth, rotary, approximate, dtype=policy, name=f"block_{i}")
            for i in range(depth)
        ]
        self.last_norm = keras.layers.LayerNormalization(epsilon=1e-5, dtype=policy)
        for layer in (*self.blocks, self.last_norm):
            layer.build((None, None, width))
        self.built = True

    def call(self, ids, padding_mask=None, training=None):
        """Return the hidden vectors (n, t, width) of ids (n, t), with t <= context.

        Args:
            ids: whole numbers in 0..vocabulary - 1.
            padding_mask: booleans (n, t), True for a token and False for padding, which no other sees; None if all are
                tokens.
            training: whether there is dropout.
        """
        t = ops.shape(ids)[1]
        seen = may_look_back(t, t) if self.causal else None
        if padding_mask is not None:
            known = ops.cast(padding_mask, "bool")[:, None, None, :]  # (n, heads, t, s)
            seen = known if seen is None else known & seen
        x = self._embed(ids, 0, training)
        for block in self.blocks:
            x = block(x, attention_mask=seen, training=training)
        return self.last_norm(x)

    def empty_cache(self, n: int) -> list[tuple]:
        """Return for each block (keys, values), zeros (n, heads, context, width / heads), for `extend`."""
        shape = (n, self.heads, self.context, self.width // self.heads)
        return [(ops.zeros(shape, self.compute_dtype), ops.zeros(shape, self.compute_dtype)) for _ in self.blocks]

    def extend(self, ids, cache, start):
        """Return the hidden vectors of further tokens, which see those in the cache, and the cache with them in it.

        Args:
            ids: (n, t), for the positions start..start + t - 1, all below `context`.
            cache: of all positions before `start`.
            start: a whole number.

        Returns:
            (n, t, width), cache.
        """
        start = ops.convert_to_tensor(start, "int32")
        seen = may_look_back(ops.shape(ids)[1], self.context, start)
        x, kept = self._embed(ids, start, False), []
        for block, (keys, values) in zip(self.blocks, cache, strict=True):
            x, block_cache = block(x, attention_mask=seen, cache=(keys, values, start))
            kept.append(block_cache)
        return self.last_norm(x), kept

    def _embed(self, ids, start, training):
        x = self.token_embedding(ids)
        if self.position == "sinusoidal":  # waves have a height of 1: the tokens shall be heard beside them
            x = x * self.width**0.5
        if self.position_embedding is not None:
            positions = self.position_embedding(start + ops.arange(ops.shape(ids)[1]))
            x = x + ops.cast(positions, x.dtype)
        return self.embedding_drop(x, training=training)

    def _position_embedding(self):
        if self.position == "learned":
            return PositionEmbedding(self.context, self.width, dtype=self.dtype_policy)
        return SinusoidalPositionEmbedding(self.width) if self.position == "sinusoidal" else None

    def get_config(self):
        """Return the constructor's arguments."""
        sizes = ("vocabulary", "context", "depth", "heads", "width", "hidden")
        names = (*sizes, "dropout", "position", "causal", "approximate")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
