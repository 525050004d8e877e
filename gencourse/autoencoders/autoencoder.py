"""Autoencoders without probabilities: plain, denoising and sparse."""

import keras
from keras import ops

from gencourse.generative_model import GenerativeModel
from gencourse.guard import check_images, is_eager
from gencourse.layers import NoiseSource, compiled


def squared_error(x, y):
    """Return Σ (x - y)², summed over height, width and channels: (n,) for two batches of images (n, h, w, c)."""
    return ops.sum(ops.square(ops.cast(x, "float32") - ops.cast(y, "float32")), axis=(1, 2, 3))


def bernoulli_kl(target, activation):
    """KL(ρ || ρ̂) = ρ ln(ρ / ρ̂) + (1 - ρ) ln((1 - ρ) / (1 - ρ̂)), in nats: of a coin with chance ρ from one with ρ̂.

    Args:
        target: ρ, in (0, 1).
        activation: ρ̂ in [0, 1], a tensor; kept 1e-7 away from both ends, so that the value stays finite.

    Source: Ng, "Sparse autoencoder", CS294A lecture notes, "Autoencoders and sparsity".
    """
    activation = ops.clip(activation, 1e-7, 1 - 1e-7)
    return target * ops.log(target / activation) + (1 - target) * ops.log((1 - target) / (1 - activation))


@keras.saving.register_keras_serializable(package="gencourse")
class Autoencoder(GenerativeModel):
    """An encoder f to a code and a decoder g back, fitted so that images survive the way through the code.

        loss = mean over images of |x - g(f(x))|²,   the square summed over pixels and channels

    Args:
        encoder: images (n, h, w, c) → codes (n, ...).
        decoder: codes → images of the same size. End it with a sigmoid if its images shall lie in [0, 1]: a linear
            last layer may leave the range, and nothing here clips it.

    Raises:
        ValueError: the decoder does not take what the encoder gives, or does not give what the encoder takes.
    """

    def __init__(self, encoder: keras.Model, decoder: keras.Model, **kwargs):
        super().__init__(**kwargs)
        code, image = encoder.outputs[0].shape[1:], encoder.inputs[0].shape[1:]
        if decoder.inputs[0].shape[1:] != code or decoder.outputs[0].shape[1:] != image:
            raise ValueError(
                f"The decoder maps {decoder.inputs[0].shape[1:]} to {decoder.outputs[0].shape[1:]}; accepted behind "
                f"this encoder is {code} to {image}."
            )
        self.encoder = encoder
        self.decoder = decoder
        self.built = True

    def check(self, x) -> None:
        """Refuse what is not a batch of images of the encoder's size in [0, 1]."""
        check_images(x, self.encoder.inputs[0].shape[1:])

    def call(self, x, training=None):
        """Return the reconstructions of images and their codes."""
        if is_eager(x):
            self.check(x)
        code = self._code(x, training)
        return self.decoder(code, training=training), code

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Return the mean over the batch of the squared error."""
        return ops.mean(squared_error(x, y_pred[0])) + sum(self.losses)

    def encode(self, x):
        """Return the codes of images in [0, 1]."""
        self.check(x)
        return self._encode(ops.convert_to_tensor(x, "float32"))

    def decode(self, code):
        """Return the images (n, h, w, c) of codes, as the decoder gives them.

        Raises:
            ValueError: the codes have another shape than the encoder's.
        """
        code = ops.convert_to_tensor(code, "float32")
        accepted = self.decoder.inputs[0].shape[1:]
        if code.shape[1:] != accepted:
            raise ValueError(f"Codes have shape {tuple(code.shape)}; accepted is (n, {', '.join(map(str, accepted))}).")
        return self._decode(code)

    def reconstruct(self, x):
        """Return decode(encode(x)) for images in [0, 1]."""
        return self.decode(self.encode(x))

    def reconstruction_error(self, x):
        """Return |x - reconstruct(x)|² of each image (n,), summed over pixels: large where an image is unfamiliar."""
        return squared_error(ops.convert_to_tensor(x, "float32"), self.reconstruct(x))

    def _code(self, x, training):
        return self.encoder(x, training=training)

    @compiled
    def _encode(self, x):
        return self._code(x, False)

    @compiled
    def _decode(self, code):
        return self.decoder(code, training=False)


@keras.saving.register_keras_serializable(package="gencourse")
class DenoisingAutoencoder(Autoencoder):
    """An autoencoder that sees a noisy image and is asked for the clean one.

        x̃ = clip(x + noise_std · ε, 0, 1),   ε ~ N(0, I),   loss = mean over images of |x - g(f(x̃))|²

    `fit` and `evaluate` take clean images and draw the noise, anew each time; `encode` and `reconstruct` take an image
    as it is, noisy or not, and add nothing.

    Args:
        encoder: as in `Autoencoder`.
        decoder: as in `Autoencoder`.
        noise_std: the standard deviation of the noise, above 0, in units of the pixel range.

    Source: Vincent et al., "Extracting and Composing Robust Features with Denoising Autoencoders", 2008, section 2.3;
        there the noise sets pixels to 0.
    """

    def __init__(self, encoder, decoder, noise_std: float, **kwargs):
        super().__init__(encoder, decoder, **kwargs)
        if not noise_std > 0:
            raise ValueError(f"noise_std is {noise_std}; accepted is a number > 0.")
        self.noise_std = noise_std
        self.noise = NoiseSource()

    def call(self, x, training=None):
        """Return the reconstructions of images from noisy copies of them, and the codes of these copies."""
        if is_eager(x):
            self.check(x)
        return super().call(ops.clip(x + self.noise_std * self.noise(x), 0.0, 1.0), training=training)


@keras.saving.register_keras_serializable(package="gencourse")
class SparseAutoencoder(Autoencoder):
    """An autoencoder whose code units are each switched on for few images.

        a = sigmoid(f(x)),   ρ̂_j = mean over the batch of a_j
        loss = mean over images of |x - g(a)|² + sparsity_weight · Σ_j KL(target || ρ̂_j)

    `fit` and `evaluate` report the loss, its first term as "reconstruction", and the mean of ρ̂_j as "activation".
    A mean over few images is a rough one: use batches of 100 and more.

    Args:
        encoder: images (n, h, w, c) → logits of the code (n, k), without a sigmoid at the end.
        decoder: as in `Autoencoder`, from codes in (0, 1).
        target: ρ, the share of images for which a unit shall be on, in (0, 1).
        sparsity_weight: at least 0, against a squared error that is summed over pixels.

    Source: Ng, "Sparse autoencoder", CS294A lecture notes, "Autoencoders and sparsity".
    """

    def __init__(self, encoder, decoder, target: float = 0.05, sparsity_weight: float = 1.0, **kwargs):
        super().__init__(encoder, decoder, **kwargs)
        if not 0 < target < 1:
            raise ValueError(f"target is {target}; accepted is a number between 0 and 1, both excluded.")
        if not sparsity_weight >= 0:
            raise ValueError(f"sparsity_weight is {sparsity_weight}; accepted is a number >= 0.")
        self.target = target
        self.sparsity_weight = sparsity_weight
        self.reconstruction_tracker = keras.metrics.Mean(name="reconstruction")
        self.activation_tracker = keras.metrics.Mean(name="activation")

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Return the mean squared error plus the weighted penalty, and track the error and the activation."""
        reconstruction, code = y_pred
        error = squared_error(x, reconstruction)  # (n,)
        activation = ops.mean(code, axis=0)  # (k,)
        self.reconstruction_tracker.update_state(error)
        self.activation_tracker.update_state(ops.mean(code, axis=1))
        penalty = ops.sum(bernoulli_kl(self.target, activation))
        return ops.mean(error) + self.sparsity_weight * penalty + sum(self.losses)

    def _code(self, x, training):
        return ops.sigmoid(ops.cast(self.encoder(x, training=training), "float32"))
