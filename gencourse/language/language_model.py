"""The chain rule over a text's tokens: what CharRNN and GPT share."""

from abc import abstractmethod

import numpy as np
from keras import ops

from gencourse.generative_model import GenerativeModel
from gencourse.guard import check_whole, is_eager
from gencourse.language.decoding import check_decoding, choose, repeats
from gencourse.layers import NoiseSource, compiled

SEQUENCES_AT_ONCE = 64  # in `log_prob`; bounds its memory


class LanguageModel(GenerativeModel):
    """A text's probability as a product over its tokens, each given those before it.

        log p(x_2, ..., x_T | x_1) = Σ_{t=2..T} log p(x_t | x_1, ..., x_{t-1})

    Texts are int32 ids (n, T). `call` is the training pass, whose logits predict x_2..x_T from x_1..x_{T-1}, so a
    window is one token longer than what the network reads; `logits` tells the next token after every one. The loss is
    the mean of -log p in nats a token; `sample_weight` (n, T - 1) may weigh the predictions, with 0 for padding.

    A subclass gives `vocabulary`, `context` and `_logits`, and for generation `begin` and `_read`, which carry a state
    (n, ...) from call to call: a cache or the memory of an RNN.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.prior = NoiseSource()
        self.built = True

    @property
    @abstractmethod
    def vocabulary(self) -> int:
        """How many ids there are."""

    @property
    @abstractmethod
    def context(self) -> int | None:
        """How many tokens the network can read at once; None if any number."""

    @abstractmethod
    def _logits(self, ids, training=False):
        """Return the logits (n, t, vocabulary), float32, for ids (n, t) that were checked."""

    @abstractmethod
    def begin(self, n: int):
        """Return the state of n texts before their first token."""

    @abstractmethod
    def _read(self, ids, state):
        """Return the logits (n, vocabulary) after further tokens (n, t), and the state; as `read`, not compiled."""

    @abstractmethod
    def room(self, state) -> int | None:
        """Return how many more tokens a state can take; None if any number."""

    def check(self, x) -> None:
        """Refuse what is not a batch of windows of ids, at least 2 tokens and at most one more than the context."""
        check_ids(x, self.vocabulary, 2, None if self.context is None else self.context + 1)

    def call(self, x, training=None):
        """Return the logits (n, T - 1, vocabulary) that predict x[:, 1:], for x (n, T)."""
        if is_eager(x):
            self.check(x)
        return self._logits(x[:, :-1], training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Return the mean over the predictions of -log p, in nats, or their weighted mean."""
        losses = ops.sparse_categorical_crossentropy(x[:, 1:], y_pred, from_logits=True)  # (n, T - 1)
        return weighted_mean(losses, sample_weight) + sum(self.losses)

    def _run(self, method, x, *targets, **options):
        if options.get("sample_weight") is not None and targets in ((), (None,)):
            targets = (x,)  # Keras drops weights where there are no targets
        return super()._run(method, x, *targets, **options)

    def logits(self, ids):
        """Return the logits (n, t, vocabulary) of the token after each of ids (n, t).

        Raises:
            ValueError: an id is outside of the vocabulary, or there are more than the context has room for.
        """
        check_ids(ids, self.vocabulary, 1, self.context)
        return self._compiled_logits(ops.convert_to_tensor(ids, "int32"))

    def log_prob(self, x) -> np.ndarray:
        """Return log p (n,) of the tokens after the first of windows x (n, T), in nats."""
        self.check(x)
        x = ops.convert_to_tensor(x, "int32")
        parts = [x[i : i + SEQUENCES_AT_ONCE] for i in range(0, len(x), SEQUENCES_AT_ONCE)]
        return np.concatenate([ops.convert_to_numpy(self._log_prob(part)) for part in parts])

    def read(self, ids, state):
        """Return what comes after further tokens, and the state that remembers them: compiled, for decoding by hand.

        Args:
            ids: (n, t), at most as many as `room(state)`.
            state: of `begin` or of an earlier call.

        Returns:
            logits (n, vocabulary), state.

        Raises:
            ValueError: an id is outside of the vocabulary, or there are more than the state has room for.
        """
        check_ids(ids, self.vocabulary, 1, self.room(state))
        return self._compiled_read(ops.convert_to_tensor(ids, "int32"), state)

    def sample(
        self,
        n: int,
        seed: int | None = None,
        length: int = 100,
        prompt=None,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float = 1.0,
        no_repeat: int | None = None,
    ) -> np.ndarray:
        """Return n texts (n, t + length), int32: a prompt of t tokens and `length` more, drawn one by one.

        Where the context is full, its older half is forgotten, the newer half is read again from position 0, and
        writing goes on: so each token is drawn given at least half a context.

        Args:
            n: at least 1.
            seed: an int >= 0, which always gives the same texts; None gives others each time.
            length: new tokens, at least 1.
            prompt: ids (t,) or (n, t), t >= 1; of one longer than the context the last half a context is read. By
                default it is one token, drawn evenly from the vocabulary.
            temperature: >= 0; divides the logits. At 0 the most probable token is always taken.
            top_k: only the k most probable tokens may be drawn (and all that tie with the last of them), k >= 1.
            top_p: only the fewest most probable tokens that have this probability together, 0 < p <= 1.
            no_repeat: a token that would repeat an n-gram of so many tokens, n >= 1, is not drawn.

        Raises:
            ValueError: an argument is refused.
        """
        check_whole(length, "length", least=1)
        check_decoding(temperature, top_k, top_p, no_repeat)
        noise = self.prior.draw((n, length + 1), seed)
        uniform = (1 + ops.erf(noise / 2**0.5)) / 2  # the normal distribution's cumulative: uniform in [0, 1]
        ids = self._prompt(n, prompt, uniform[:, 0])
        settings = ops.convert_to_tensor([temperature, top_k or self.vocabulary, top_p], "float32")
        end = ids.shape[1] + length
        ids = ops.pad(ids, ((0, 0), (0, length)))
        uniform = ops.pad(uniform[:, 1:], ((0, 0), (end - length, 0)))  # that of a token stands at its place
        at = end - length
        while at < end:
            at, ids = self._continue(ids, at, end, uniform, settings, no_repeat)
        return ops.convert_to_numpy(ids)

    def _continue(self, ids, at, end, uniform, settings, no_repeat):
        """Read what the context has room for, write until it is full or all is written; return (at, ids)."""
        fits = self.context is None or at <= self.context
        kept = at if fits else max(1, self.context // 2)
        logits, state = self._compiled_read(ids[:, at - kept : at], self.begin(len(ids)))
        room = self.room(state)
        stop = end if room is None else min(end, at + 1 + room)
        bounds = ops.convert_to_tensor([at, stop], "int32")
        ngram = ops.convert_to_tensor(no_repeat or 0, "int32")
        return stop, self._write(ids, bounds, logits, state, uniform, settings, ngram)

    @compiled
    def _write(self, ids, bounds, logits, state, uniform, settings, ngram):
        """Write ids[:, bounds[0]:bounds[1]], each drawn from the logits after the one before it."""

        def put(i, ids, logits):
            logits = ops.cond(
                ngram > 0, lambda: ops.where(repeats(ids, i, ngram, self.vocabulary), -1e30, logits), lambda: logits
            )
            token = choose(logits, ops.take(uniform, i, axis=1), *ops.unstack(settings, 3))
            return ops.slice_update(ids, (0, i), token[:, None]), token

        def step(i, carry):
            ids, logits, state = carry
            ids, token = put(i, ids, logits)
            logits, state = self._read(token[:, None], state)
            return ids, logits, state

        ids, logits, _ = ops.fori_loop(bounds[0], bounds[1] - 1, step, (ids, logits, state))
        return put(bounds[1] - 1, ids, logits)[0]

    @compiled
    def _compiled_logits(self, ids):
        return self._logits(ids)

    @compiled
    def _compiled_read(self, ids, state):
        return self._read(ids, state)

    @compiled
    def _log_prob(self, x):
        losses = ops.sparse_categorical_crossentropy(x[:, 1:], self._logits(x[:, :-1]), from_logits=True)
        return -ops.sum(losses, axis=1)

    def _prompt(self, n, prompt, uniform):
        """Return the first ids (n, t)."""
        if prompt is None:
            return ops.cast(ops.floor(uniform * self.vocabulary), "int32")[:, None] % self.vocabulary
        prompt = np.asarray(prompt)
        prompt = np.broadcast_to(prompt, (n, *prompt.shape)) if prompt.ndim == 1 else prompt
        check_ids(prompt, self.vocabulary, 1, None)
        if len(prompt) != n:
            raise ValueError(f"The prompt has {len(prompt)} rows; accepted is one row, or n = {n}.")
        return ops.convert_to_tensor(prompt, "int32")


def weighted_mean(losses, sample_weight=None):
    """Return the mean of `losses`, or their mean weighted by `sample_weight` of the same shape."""
    if sample_weight is None:
        return ops.mean(losses)
    weight = ops.cast(sample_weight, "float32")
    return ops.sum(weight * losses) / ops.maximum(ops.sum(weight), 1e-9)


def check_ids(ids, vocabulary: int, least: int, most: int | None) -> None:
    """Refuse what is not a batch (n, t) of ids in 0..vocabulary - 1 with t from `least` to `most`.

    Raises:
        ValueError: what is wrong, and what is accepted.
    """
    ids = ops.convert_to_numpy(ids)
    tokens = f"{least} or more" if most is None else f"{least} to {most}"
    accepted = f"accepted are integers in 0..{vocabulary - 1} of shape (n, t) with {tokens} tokens a row"
    if ids.ndim != 2 or not np.issubdtype(ids.dtype, np.integer):
        raise ValueError(f"The ids are {ids.dtype} of shape {ids.shape}; {accepted}.")
    if ids.shape[1] < least or (most is not None and ids.shape[1] > most):
        raise ValueError(f"The ids have {ids.shape[1]} tokens a row; {accepted}.")
    if ids.size and not (ids.min() >= 0 and ids.max() < vocabulary):
        raise ValueError(f"The ids span {ids.min()}..{ids.max()}; {accepted}.")
