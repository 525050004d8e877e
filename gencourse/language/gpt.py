"""GPT: a transformer that reads a text from the left and tells the next token."""

from pathlib import Path

import keras
from keras import ops

from gencourse.language.gpt2_checkpoint import load_gpt2
from gencourse.language.language_model import LanguageModel
from gencourse.networks import Transformer


@keras.saving.register_keras_serializable(package="gencourse")
class GPT(LanguageModel):
    """A causal transformer whose hidden vector at t, compared with each token's embedding, tells the token t + 1.

        log p(x_{t+1} | x_1..x_t) = log softmax(E h_t),   h = transformer(x)

    E is the table of token embeddings that the transformer reads with: the head is tied to it.

    Args:
        transformer: causal.

    Source: Radford et al., "Improving Language Understanding by Generative Pre-Training", 2018, equation 2.
    """

    def __init__(self, transformer: Transformer, **kwargs):
        if not transformer.causal:
            raise ValueError("The transformer sees what is to be predicted; accepted is one with causal=True.")
        super().__init__(**kwargs)
        self.transformer = transformer

    @classmethod
    def from_pretrained(cls, path: str | Path) -> "GPT":
        """Return the GPT of a folder that Hugging Face's `save_pretrained` wrote for a GPT-2.

        Args:
            path: the folder, with config.json and model.safetensors.

        Raises:
            FileNotFoundError: one of them is not there.
            ValueError: it is another model than a GPT-2, or a variant that `Transformer` does not have.
        """
        return cls(load_gpt2(Path(path)))

    @property
    def vocabulary(self) -> int:
        """How many ids there are."""
        return self.transformer.vocabulary

    @property
    def context(self) -> int:
        """How many tokens the transformer reads at once."""
        return self.transformer.context

    def begin(self, n: int):
        """Return the empty cache of n texts and how many tokens it holds."""
        return self.transformer.empty_cache(n), ops.zeros((), "int32")

    def room(self, state) -> int:
        """Return how many more tokens the cache can take."""
        return self.context - int(state[1])

    def _logits(self, ids, training=False):
        return self.next_logits(self.transformer(ids, training=training))

    def _read(self, ids, state):
        cache, start = state
        hidden, cache = self.transformer.extend(ids, cache, start)
        return self.next_logits(hidden[:, -1]), (cache, start + ops.shape(ids)[1])

    def next_logits(self, hidden):
        """Return the logits (..., vocabulary), float32, for hidden vectors (..., width)."""
        embeddings = self.transformer.token_embedding.embeddings
        return ops.matmul(ops.cast(hidden, "float32"), ops.transpose(embeddings))
