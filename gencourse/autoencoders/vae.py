"""The variational autoencoder, and the same with a weight on its divergence."""

import keras
import numpy as np
from keras import ops

from gencourse.generative_model import GenerativeModel
from gencourse.guard import check_images, check_whole, is_eager
from gencourse.layers import BernoulliPixels, GaussianSampling, NoiseSource, compiled
from gencourse.metrics import importance_weighted_log_prob

ROWS_AT_ONCE = 10_000  # decoded together in `log_prob`; bounds its memory


def kl_to_standard_normal(mean, log_var):
    """KL(N(mean, exp(log_var) I) || N(0, I)) = ½ Σ_j (mean_j² + exp(log_var_j) - 1 - log_var_j), in nats.

    Args:
        mean: (n, d).
        log_var: (n, d).

    Returns:
        (n, d), the share of each dimension; sum over the last axis for the divergence.

    Source: Kingma and Welling, "Auto-Encoding Variational Bayes", 2014, appendix B.
    """
    return (ops.square(mean) + ops.exp(log_var) - 1 - log_var) / 2


@keras.saving.register_keras_serializable(package="gencourse")
class VAE(GenerativeModel):
    """A variational autoencoder: p(x, z) = N(z; 0, I) p(x | z), fitted by maximizing the evidence lower bound.

        log p(x) >= E_q(z|x)[log p(x | z)] - KL(q(z | x) || N(0, I)),   q(z | x) = N(mean(x), exp(log_var(x)) I)

    `fit` minimizes loss = reconstruction + kl, the bound's two terms in nats an image, with one sample z for each x.

    Args:
        encoder: images (n, h, w, c) → mean and log_var, (n, d) each.
        decoder: z (n, d) → the parameters of `likelihood`.
        likelihood: of the pixels, given the decoder's output; by default `BernoulliPixels()`.

    Source: Kingma and Welling, "Auto-Encoding Variational Bayes", 2014, equation 10.
    """

    beta = 1.0  # the weight of the divergence

    def __init__(self, encoder: keras.Model, decoder: keras.Model, likelihood=None, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = likelihood or BernoulliPixels()
        self.sampling = GaussianSampling()
        self.prior = NoiseSource()
        self.reconstruction_tracker = keras.metrics.Mean(name="reconstruction")
        self.kl_tracker = keras.metrics.Mean(name="kl")
        self.built = True

    @property
    def latent_size(self) -> int:
        """d, the number of latent dimensions."""
        return self.encoder.outputs[0].shape[-1]

    def check(self, x) -> None:
        """Refuse what is not a batch of images of the encoder's size in [0, 1]."""
        check_images(x, self.encoder.inputs[0].shape[1:])

    def call(self, x, training=None):
        """Return the parameters of p(x | z) for one sample z ~ q(z | x), the posterior's mean and log_var, and z."""
        if is_eager(x):
            self.check(x)
        mean, log_var = self.encoder(x, training=training)
        z = self.sampling([mean, log_var])
        return self.decoder(self._decoder_input(z, x), training=training), mean, log_var, z

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Return the mean over the batch of reconstruction + beta · kl, and track both terms."""
        parameters, mean, log_var, _ = y_pred
        reconstruction = -self.likelihood.log_prob(self._image(x), parameters)  # (n,)
        kl = ops.sum(kl_to_standard_normal(mean, log_var), axis=-1)  # (n,)
        self.reconstruction_tracker.update_state(reconstruction)
        self.kl_tracker.update_state(kl)
        return ops.mean(reconstruction + self.beta * kl) + sum(self.losses)

    def posterior(self, x):
        """Return the mean (n, d) and log_var (n, d) of q(z | x) for images in [0, 1]."""
        self.check(x)
        return self._posterior(self._tensors(x))

    def encode(self, x):
        """Return the mean (n, d) of q(z | x) for images in [0, 1]."""
        return self.posterior(x)[0]

    def decode(self, z):
        """Return the mean images (n, h, w, c) in [0, 1] of p(x | z) for latent vectors (n, d)."""
        return self._decode(self._latent(z))

    def reconstruct(self, x):
        """Return the mean images of p(x | z) at z = encode(x)."""
        return self.decode(self.encode(x))

    def sample(self, n: int, seed: int | None = None):
        """Return n new images (n, h, w, c) in [0, 1]: the means of p(x | z) for z ~ N(0, I).

        Args:
            n: at least 1.
            seed: an int >= 0, which always gives the same images; None gives others each time.
        """
        return self._decode(self.prior.draw((n, self.latent_size), seed))

    def log_prob(self, x, samples: int = 500, seed: int = 0, verbose: int = 0) -> np.ndarray:
        """Estimate log p(x) by importance weighting; see `importance_weighted_log_prob`.

        Args:
            x: images (n, h, w, c), of the values that the likelihood knows: 0 and 1, or multiples of 1/255.
            samples: k, posterior samples an image, at least 1.
            seed: of the samples, an int >= 0.
            verbose: 1 shows a progress bar.

        Returns:
            (n,), nats an image; in expectation a lower bound, the tighter the larger k.

        Raises:
            ValueError: the images are refused, or `samples` or `seed` is no such whole number.
        """
        self.check(x)
        check_whole(samples, "samples", least=1)
        check_whole(seed, "seed", least=0)
        x = self._tensors(x)
        total, size = len(self._image(x)), max(1, ROWS_AT_ONCE // samples)
        bar = keras.utils.Progbar(total, verbose=verbose, unit_name="image")
        values = []
        for start in range(0, total, size):
            stop = min(start + size, total)
            noise = self.prior.draw((samples, stop - start, self.latent_size), seed + start)
            log_weights = self._log_weights(_rows(x, start, stop), noise)
            values.append(ops.convert_to_numpy(importance_weighted_log_prob(log_weights)))
            bar.update(stop)
        return np.concatenate(values)

    def _latent(self, z):
        """Return z as a float32 tensor, if it is (n, d)."""
        z = ops.convert_to_tensor(z, "float32")
        if z.shape[1:] != (self.latent_size,):
            raise ValueError(f"Latent vectors have shape {tuple(z.shape)}; accepted is (n, {self.latent_size}).")
        return z

    def _tensors(self, x):
        """Return x in tensors of the types that the encoder takes."""
        given = self.encoder.input
        return keras.tree.map_structure_up_to(given, lambda g, value: ops.convert_to_tensor(value, g.dtype), given, x)

    def _image(self, x):
        """Return the part of x that `likelihood` scores: here all of it."""
        return x

    def _decoder_input(self, z, x):
        """Return what the decoder takes: here z alone."""
        return z

    @compiled
    def _posterior(self, x):
        return self.encoder(x, training=False)

    @compiled
    def _decode(self, z):
        return self.likelihood(self.decoder(z, training=False))

    @compiled
    def _log_weights(self, x, noise):
        """log p(x, z) - log q(z | x) for z = mean + exp(log_var / 2) · noise: (k, n)."""
        k, n, _ = ops.shape(noise)
        mean, log_var = self.encoder(x, training=False)
        z = mean + ops.exp(log_var / 2) * noise  # (k, n, d)
        x = keras.tree.map_structure(
            lambda t: ops.reshape(ops.broadcast_to(t, (k, *ops.shape(t))), (k * n, *t.shape[1:])), x
        )
        parameters = self.decoder(self._decoder_input(ops.reshape(z, (k * n, -1)), x), training=False)
        log_likelihood = ops.reshape(self.likelihood.log_prob(self._image(x), parameters), (k, n))
        # log N(z; 0, I) - log N(z; mean, exp(log_var) I), whose constants cancel
        return log_likelihood - ops.sum(ops.square(z) - ops.square(noise) - log_var, axis=-1) / 2


def _rows(x, start: int, stop: int):
    return keras.tree.map_structure(lambda tensor: tensor[start:stop], x)


@keras.saving.register_keras_serializable(package="gencourse")
class BetaVAE(VAE):
    """A VAE whose divergence counts beta times: loss = reconstruction + beta · kl.

    Args:
        encoder: as in `VAE`.
        decoder: as in `VAE`.
        beta: at least 0; above 1 it trades reconstruction for codes closer to independent standard normals.
        likelihood: as in `VAE`.

    Source: Higgins et al., "beta-VAE", 2017, equation 4.
    """

    def __init__(self, encoder, decoder, beta: float = 4.0, likelihood=None, **kwargs):
        super().__init__(encoder, decoder, likelihood, **kwargs)
        if not beta >= 0:
            raise ValueError(f"beta is {beta}; accepted is a number >= 0.")
        self.beta = beta
