"""The Wasserstein GAN with gradient penalty."""

import keras
import tensorflow as tf
from keras import ops

from gencourse.gans.gan import GAN
from gencourse.guard import check_whole


def gradient_penalty(critic, real, fake, mix):
    """E[(|∇ critic(x̂)| - 1)²] at points x̂ = mix · real + (1 - mix) · fake between real and generated images.

    A small constant under the root keeps the gradient of the norm finite where the critic is flat.

    Args:
        critic: images → scores (n, 1).
        real: (n, ...).
        fake: (n, ...).
        mix: (n, 1, ...), in [0, 1].

    Source: Gulrajani et al., "Improved Training of Wasserstein GANs", 2017, equation 3.
    """
    between = mix * real + (1 - mix) * fake
    with tf.GradientTape() as tape:
        tape.watch(between)
        scores = critic(between)
    slope = ops.cast(tape.gradient(scores, between), "float32")
    norm = ops.sqrt(ops.sum(ops.square(slope), axis=tuple(range(1, len(slope.shape)))) + 1e-12)
    return ops.mean(ops.square(norm - 1))


@keras.saving.register_keras_serializable(package="gencourse")
class WGAN(GAN):
    """A GAN whose critic estimates the earth mover's distance between real and generated images.

        critic:    E[D(fake)] - E[D(real)] + penalty · E[(|∇D(x̂)| - 1)²]
        generator: -E[D(fake)]

    Every step updates the critic on its batch, and every `critic_steps`-th, beginning with the first, the generator
    too. `fit` and `evaluate` also report "distance", E[D(real)] - E[D(fake)]. Compile it with Adam(1e-4, beta_1=0,
    beta_2=0.9) for both networks; the critic has no batch normalization, which would tie the images of a batch.

    Args:
        generator: z (n, d) → images (n, h, w, c) in [0, 1].
        discriminator: the critic, images → scores (n, 1) of any sign.
        penalty: λ, at least 0.
        critic_steps: critic updates for each of the generator, at least 1.
        ema_momentum: of the averaged generator that `sample` uses, in [0, 1).

    Source: Gulrajani et al., "Improved Training of Wasserstein GANs", 2017, equation 3 and algorithm 1.
    """

    def __init__(self, generator, discriminator, penalty=10.0, critic_steps=5, ema_momentum=0.99, **kwargs):
        super().__init__(generator, discriminator, ema_momentum, **kwargs)
        if not penalty >= 0:
            raise ValueError(f"penalty is {penalty}; accepted is a number >= 0.")
        check_whole(critic_steps, "critic_steps", least=1)
        self.penalty = penalty
        self.critic_steps = critic_steps
        self.distance_tracker = keras.metrics.Mean(name="distance")

    def discriminator_loss(self, real_scores, fake_scores):
        """Return E[D(fake)] - E[D(real)], without the penalty."""
        return ops.mean(fake_scores) - ops.mean(real_scores)

    def generator_loss(self, fake_scores):
        """Return -E[D(fake)]."""
        return -ops.mean(fake_scores)

    def train_step(self, data):
        """Update the critic, and on its turn the generator; return the mean losses so far."""
        x = keras.utils.unpack_x_y_sample_weight(data)[0]
        fake = self._generate(self._noise_for(x), x, training=True)
        with tf.GradientTape() as tape:
            d_loss, g_loss = self._both_losses(x, fake, training=True)
            scaled = self.d_optimizer.scale_loss(d_loss)
        variables = self.discriminator.trainable_variables
        self.d_optimizer.apply(tape.gradient(scaled, variables), variables)
        its_turn = self.d_optimizer.iterations % self.critic_steps == 1 % self.critic_steps
        tf.cond(its_turn, lambda: self._generator_step(x), lambda: 0.0)
        return self._track(x, d_loss, g_loss)

    def _generator_step(self, x):
        with tf.GradientTape() as tape:
            fake = self._generate(self._noise_for(x), x, training=True)
            loss = self.generator_loss(self._score(x, fake, training=True))
            scaled = self.optimizer.scale_loss(loss)
        self._update_generator(tape, scaled)
        return loss

    def _both_losses(self, x, fake, training):
        """Return the critic's loss with its penalty, and the generator's, and track the distance."""
        real = self._image(x)
        real_scores, fake_scores = (self._score(x, image, training) for image in (real, fake))
        mix = self.prior.uniform(ops.zeros((ops.shape(real)[0], *[1] * (len(real.shape) - 1))))
        penalty = gradient_penalty(lambda image: self._score(x, image, training), real, fake, mix)
        distance = -self.discriminator_loss(real_scores, fake_scores)
        self.distance_tracker.update_state(distance, sample_weight=ops.shape(real)[0])
        return self.penalty * penalty - distance, self.generator_loss(fake_scores)
