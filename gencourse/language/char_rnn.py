"""A recurrent network that reads a text token by token and tells the next one from what it remembers."""

import keras
from keras import layers, ops

from gencourse.guard import check_whole
from gencourse.language.language_model import LanguageModel

CELLS = {"simple": layers.SimpleRNN, "gru": layers.GRU, "lstm": layers.LSTM}


@keras.saving.register_keras_serializable(package="gencourse")
class CharRNN(LanguageModel):
    """Layers of recurrent cells between an embedding and a softmax.

        h_t = cell(E[x_t], h_{t-1}),   log p(x_{t+1} | x_1..x_t) = log softmax(W h_t + b)

    The state starts at 0 and remembers everything before: there is no context to be full.

    Args:
        vocabulary: how many ids there are, at least 2.
        units: the size of each layer's state, and of the embedding.
        depth: layers, at least 1.
        cell: "simple", "gru" or "lstm".
        dropout: on the way into each layer, 0 <= dropout < 1.

    Source: Graves, "Generating Sequences With Recurrent Neural Networks", 2013, section 2.
    """

    def __init__(self, vocabulary: int, units: int, depth: int = 1, cell: str = "lstm", dropout: float = 0.0, **kwargs):
        check_whole(vocabulary, "vocabulary", least=2)
        check_whole(units, "units", least=1)
        check_whole(depth, "depth", least=1)
        if cell not in CELLS:
            raise ValueError(f"cell is {cell!r}; accepted are {', '.join(CELLS)}.")
        super().__init__(**kwargs)
        self._vocabulary = vocabulary
        self.units = units
        self.depth = depth
        self.cell = cell
        self.dropout = dropout
        policy = self.dtype_policy
        self.embedding = layers.Embedding(vocabulary, units, dtype=policy)
        self.cells = [CELLS[cell](units, return_sequences=True, return_state=True, dtype=policy) for _ in range(depth)]
        self.drop = layers.Dropout(dropout, dtype=policy)
        self.head = layers.Dense(vocabulary, dtype="float32")
        self.embedding.build()
        for layer in (*self.cells, self.head):
            layer.build((None, None, units))

    @property
    def vocabulary(self) -> int:
        """How many ids there are."""
        return self._vocabulary

    @property
    def context(self) -> None:
        """Any number of tokens can be read."""
        return None

    def begin(self, n: int):
        """Return the state of each layer, zeros (n, units), for LSTMs two of them."""
        count = 2 if self.cell == "lstm" else 1
        return [[ops.zeros((n, self.units), self.compute_dtype) for _ in range(count)] for _ in self.cells]

    def room(self, state) -> None:
        """Any number of tokens."""
        return None

    def _logits(self, ids, training=False):
        return self._run_layers(ids, self.begin(ops.shape(ids)[0]), training)[0]

    def _read(self, ids, state):
        logits, state = self._run_layers(ids, state, False)
        return logits[:, -1], state

    def _run_layers(self, ids, state, training):
        """Return the logits (n, t, vocabulary) and each layer's last state."""
        x, states = self.embedding(ids), []
        for cell, before in zip(self.cells, state, strict=True):
            x, *after = cell(self.drop(x, training=training), initial_state=before, training=training)
            states.append(after)
        return self.head(self.drop(x, training=training)), states
