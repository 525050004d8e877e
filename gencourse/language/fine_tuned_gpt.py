"""A GPT that has learnt to tell the class of a text."""

import keras
import numpy as np
from keras import layers, ops

from gencourse.generative_model import GenerativeModel
from gencourse.guard import check_labels, check_whole, is_eager
from gencourse.language.gpt import GPT
from gencourse.language.language_model import check_ids, weighted_mean


@keras.saving.register_keras_serializable(package="gencourse")
class FineTunedGPT(GenerativeModel):
    """A linear classifier of the hidden vector at a text's last token, trained together with the GPT below it.

        log p(y | x_1..x_T) = log softmax(W h_T + b),   loss = -log p(y | x) + language_weight · (GPT's loss on x)

    The vector at the last token has seen all of the text. Texts of different lengths are padded at their right; as no
    token sees those after it, padding changes nothing. Train with `fit(ids, labels)`; freeze the GPT by
    `model.gpt.trainable = False`.

    Args:
        gpt: trained or not; it is not copied.
        classes: at least 2.
        pad: the id that fills up shorter texts and stands nowhere else; None if all have the same length.
        language_weight: of the auxiliary loss, >= 0.

    Source: Radford et al., "Improving Language Understanding by Generative Pre-Training", 2018, equations 3 to 5.
    """

    def __init__(self, gpt: GPT, classes: int, pad: int | None = None, language_weight: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        check_whole(classes, "classes", least=2)
        if pad is not None and not 0 <= pad < gpt.vocabulary:
            raise ValueError(f"pad is {pad}; accepted is an id in 0..{gpt.vocabulary - 1}, or None.")
        if not language_weight >= 0:
            raise ValueError(f"language_weight is {language_weight}; accepted is a number >= 0.")
        self.gpt = gpt
        self.classes = classes
        self.pad = pad
        self.language_weight = language_weight
        start = keras.initializers.RandomNormal(stddev=0.02)
        self.head = layers.Dense(classes, kernel_initializer=start, dtype="float32")
        self.head.build((None, gpt.transformer.width))
        self.accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
        self.built = True

    def check(self, x) -> None:
        """Refuse what is not a batch of ids that fit the GPT, with the padding at their right."""
        check_ids(x, self.gpt.vocabulary, 1, self.gpt.context)
        if self.pad is not None:
            padding = ops.convert_to_numpy(x) == self.pad
            if padding[:, 0].any() or (padding[:, :-1] & ~padding[:, 1:]).any():
                raise ValueError(
                    f"A text is empty or goes on after padding ({self.pad}); accepted is padding at its end."
                )

    def _run(self, method, x, *targets, **options):
        if targets and isinstance(targets[0], np.ndarray):
            check_labels(targets[0], self.classes)
        return super()._run(method, x, *targets, **options)

    def call(self, x, training=None):
        """Return the logits (n, classes) of ids (n, t)."""
        if is_eager(x):
            self.check(x)
        hidden = self.gpt.transformer(x, training=training)  # (n, t, width)
        last = ops.sum(ops.cast(self._real(x), "int32"), axis=1) - 1  # (n,)
        logits = self.head(ops.squeeze(ops.take_along_axis(hidden, last[:, None, None], axis=1), axis=1))
        if self.language_weight:
            return logits, self.gpt.next_logits(hidden[:, :-1])
        return logits

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Return the mean loss of the batch, in nats, or the weighted mean by `sample_weight` (n,)."""
        if y is None:
            raise ValueError("There are no labels; accepted is `fit(ids, labels)`.")
        logits = self._class_logits(y_pred)
        losses = ops.sparse_categorical_crossentropy(ops.cast(y, "int32"), logits, from_logits=True)
        if self.language_weight:
            tokens = ops.sparse_categorical_crossentropy(x[:, 1:], y_pred[1], from_logits=True)
            real = ops.cast(self._real(x)[:, 1:], "float32")
            losses += self.language_weight * ops.sum(real * tokens, axis=1) / ops.maximum(ops.sum(real, axis=1), 1.0)
        self.accuracy.update_state(y, logits, sample_weight)
        return weighted_mean(losses, sample_weight) + sum(self.losses)

    def classify(self, x) -> np.ndarray:
        """Return the probabilities (n, classes) of ids (n, t)."""
        self.check(x)
        return ops.convert_to_numpy(ops.softmax(self._class_logits(self(ops.convert_to_tensor(x, "int32")))))

    def _real(self, x):
        """Return (n, t), True where there is no padding."""
        return ops.ones_like(x, "bool") if self.pad is None else x != self.pad

    def _class_logits(self, y_pred):
        return y_pred[0] if self.language_weight else y_pred
