"""The conditional variational autoencoder: images of what is asked for."""

import keras
import numpy as np
from keras import ops

from gencourse.autoencoders.vae import BetaVAE
from gencourse.guard import check_images, check_labels


@keras.saving.register_keras_serializable(package="gencourse")
class ConditionalVAE(BetaVAE):
    """A VAE of images given a condition y: p(x, z | y) = N(z; 0, I) p(x | z, y).

        log p(x | y) >= E_q(z|x,y)[log p(x | z, y)] - KL(q(z | x, y) || N(0, I))

    The condition is a label, or an image such as the upper half of x. What `fit`, `encode`, `reconstruct` and
    `log_prob` take is one dict of the image and the condition, such as {"image": x, "label": y}; the decoder's inputs
    name the condition.

    Args:
        encoder: a dict of images "image" (n, h, w, c) and the condition → mean and log_var, (n, d) each.
        decoder: a dict of z "latent" (n, d) and the condition → the parameters of `likelihood`.
        classes: the number of labels, at least 1; None where the condition is an image.
        beta: the weight of the divergence, at least 0. Only 1 gives the bound; above 1 the codes fill the prior better,
            so that samples obey the condition more often, and the likelihood falls.
        likelihood: of the pixels, given the decoder's output; by default `BernoulliPixels()`.

    Raises:
        ValueError: the networks do not take such dicts, or `classes` does not fit the condition.

    Source: Sohn, Lee and Yan, "Learning Structured Output Representation using Deep Conditional Generative Models",
        2015; the prior that does not depend on y is that of Kingma et al., "Semi-supervised Learning with Deep
        Generative Models", 2014, section 2.
    """

    def __init__(self, encoder, decoder, classes: int | None = None, beta: float = 1.0, likelihood=None, **kwargs):
        super().__init__(encoder, decoder, beta, likelihood, **kwargs)
        self.classes = classes
        self.condition = _name_of_condition(encoder, decoder)
        if (classes is None) == (len(self.encoder.input[self.condition].shape) == 1):
            raise ValueError(
                f"classes is {classes} for the condition {self.condition!r}; accepted is the number of labels, or None "
                "for an image."
            )

    def check(self, x) -> None:
        """Refuse what is not a dict of as many images of the encoder's size in [0, 1] as conditions."""
        self._check_keys(x)
        check_images(x["image"], self.encoder.input["image"].shape[1:])
        self._check_condition(x[self.condition], len(x["image"]))

    def call(self, x, training=None):
        """Return the parameters of p(x | z, y) for one z ~ q(z | x, y), the posterior's mean and log_var, and z."""
        self._check_keys(x)  # here also while a graph is traced, and the values are not known yet
        shape, rank = x[self.condition].shape, len(self.encoder.input[self.condition].shape)
        if len(shape) != rank:  # Keras would squeeze or expand it
            raise ValueError(f"{self.condition!r} has shape {tuple(shape)}; accepted is rank {rank}.")
        return super().call(x, training=training)

    def decode(self, z, condition):
        """Return the mean images (n, h, w, c) in [0, 1] of p(x | z, y).

        Args:
            z: (n, d).
            condition: n labels or images y, or one for all.
        """
        z, y = self._latent(z), np.asarray(condition)
        given = self.encoder.input[self.condition]
        if y.ndim == len(given.shape) - 1:  # one for all
            y = np.repeat(y[None], len(z), axis=0)
        self._check_condition(y, len(z))
        return self._decode({"latent": z, self.condition: ops.convert_to_tensor(y, given.dtype)})

    def reconstruct(self, x):
        """Return the mean images of p(x | z, y) at z = encode(x)."""
        return self.decode(self.encode(x), x[self.condition])

    def sample(self, n: int, seed: int | None = None, **condition):
        """Return n new images (n, h, w, c) in [0, 1]: the means of p(x | z, y) for z ~ N(0, I).

        Args:
            n: at least 1.
            seed: an int >= 0, which always gives the same z; None gives others each time.
            **condition: the condition by its name, n of them or one for all, such as `label=3`.

        Raises:
            ValueError: n, the seed or the condition is refused.
        """
        if set(condition) != {self.condition}:
            raise ValueError(f"sample got the conditions {sorted(condition)}; accepted is {self.condition!r} alone.")
        return self.decode(self.prior.draw((n, self.latent_size), seed), condition[self.condition])

    def _image(self, x):
        return x["image"]

    def _decoder_input(self, z, x):
        return {"latent": z, self.condition: x[self.condition]}

    def _check_keys(self, x) -> None:
        accepted = f"accepted is one dict of 'image' and {self.condition!r}"
        if not isinstance(x, dict):
            raise ValueError(f"The input is no dict but {type(x).__name__}; {accepted}.")
        if set(x) != {"image", self.condition}:
            raise ValueError(f"The input has the keys {sorted(x)}; {accepted}.")

    def _check_condition(self, y, n: int) -> None:
        if self.classes is None:
            check_images(y, self.encoder.input[self.condition].shape[1:], f"Conditions {self.condition!r}")
        else:
            check_labels(y, self.classes)
        if len(y) != n:
            raise ValueError(f"There are {len(y)} conditions for {n} images; accepted is one for each.")


def _name_of_condition(encoder, decoder) -> str:
    """Find the one input that both networks have, beside "image" and "latent"."""
    taken, given = (set(net.input) if isinstance(net.input, dict) else set() for net in (encoder, decoder))
    condition = taken - {"image"}
    if len(condition) != 1 or taken != {"image", *condition} or given != {"latent", *condition}:
        raise ValueError(
            f"The encoder takes a dict of {sorted(taken)}, the decoder of {sorted(given)}; accepted are 'image' and a "
            "condition, 'latent' and the same condition."
        )
    return condition.pop()
