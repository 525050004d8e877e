"""Two networks against each other: the training step and the sampling that every GAN of the course shares."""

import keras
import tensorflow as tf
from keras import ops

from gencourse.generative_model import GenerativeModel
from gencourse.guard import check_images, is_eager
from gencourse.layers import NoiseSource, compiled


class GAN(GenerativeModel):
    """A generator that turns noise into images, and a discriminator that scores how real an image looks.

    A subclass gives `discriminator_loss(real_scores, fake_scores)` and `generator_loss(fake_scores)`, both scalars. A
    step updates the discriminator on real images and on fakes, then the generator on the scores that the updated
    discriminator gives to the same fakes. `sample` uses a copy of the generator whose weights are a running mean,
    steadier than the last step's. After the generator's t-th step it is

        ema ← m · ema + (1 - m) · weight,   m = min(ema_momentum, (1 + t) / (10 + t))

    so that it leaves its random start behind within tens of steps.

    Args:
        generator: z (n, d) → images (n, h, w, c) in [0, 1].
        discriminator: images → scores (n, 1).
        ema_momentum: the largest m of the running mean, in [0, 1).

    Source: the growing m is that of `tf.train.ExponentialMovingAverage`.
    """

    def __init__(self, generator: keras.Model, discriminator: keras.Model, ema_momentum: float = 0.99, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= ema_momentum < 1:
            raise ValueError(f"ema_momentum is {ema_momentum}; accepted is a number in [0, 1).")
        self.generator = generator
        self.discriminator = discriminator
        self.ema_momentum = ema_momentum
        self.ema_generator = keras.models.clone_model(generator)
        self.ema_generator.set_weights(generator.get_weights())
        self.ema_generator.trainable = False
        self.prior = NoiseSource()
        self.d_loss_tracker = keras.metrics.Mean(name="d_loss")
        self.g_loss_tracker = keras.metrics.Mean(name="g_loss")
        self.built = True

    @property
    def latent_size(self) -> int:
        """d, the number of the generator's noise inputs."""
        named = {tensor.name: tensor for tensor in self.generator.inputs}
        return named.get("latent", self.generator.inputs[0]).shape[-1]

    def compile(self, optimizer, d_optimizer, **options):
        """Set the generator's and the discriminator's optimizers.

        Under `mixed_float16` each is wrapped to scale its loss.
        """
        super().compile(optimizer=optimizer, **options)
        if self.compute_dtype == "float16":
            d_optimizer = keras.optimizers.LossScaleOptimizer(d_optimizer)
        self.d_optimizer = d_optimizer
        self.optimizer.build(self.generator.trainable_variables)
        self.d_optimizer.build(self.discriminator.trainable_variables)

    def get_compile_config(self):
        """Return both optimizers, serialized."""
        optimizers = {"optimizer": self.optimizer, "d_optimizer": self.d_optimizer}
        return {name: keras.saving.serialize_keras_object(value) for name, value in optimizers.items()}

    def compile_from_config(self, config):
        """Compile with what `get_compile_config` returned."""
        self.compile(**{name: keras.saving.deserialize_keras_object(value) for name, value in config.items()})

    def check(self, x) -> None:
        """Refuse what is not a batch of images of the discriminator's size in [0, 1]."""
        check_images(x, self.discriminator.inputs[0].shape[1:])

    def call(self, x, training=None):
        """Return the scores (n, 1) of images."""
        if is_eager(x):
            self.check(x)
        return self._score(x, self._image(x), training)

    def train_step(self, data):
        """Update the discriminator, then the generator, and return the mean losses so far."""
        x = keras.utils.unpack_x_y_sample_weight(data)[0]
        z = self._noise_for(x)
        with tf.GradientTape() as generator_tape:
            fake = self._generate(z, x, training=True)
        with tf.GradientTape() as tape:
            d_loss, _ = self._both_losses(x, fake, training=True)
            scaled = self.d_optimizer.scale_loss(d_loss)
        variables = self.discriminator.trainable_variables
        self.d_optimizer.apply(tape.gradient(scaled, variables), variables)
        with generator_tape:  # the fakes are made once, and serve both updates
            g_loss = self.generator_loss(self._score(x, fake, training=True))
            scaled = self.optimizer.scale_loss(g_loss)
        self._update_generator(generator_tape, scaled)
        return self._track(x, d_loss, g_loss)

    def test_step(self, data):
        """Return the mean losses so far, on fresh fakes, without any update."""
        x = keras.utils.unpack_x_y_sample_weight(data)[0]
        fake = self._generate(self._noise_for(x), x, training=False)
        return self._track(x, *self._both_losses(x, fake, training=False))

    def sample(self, n: int, seed: int | None = None):
        """Return n new images (n, h, w, c) in [0, 1] of the averaged generator.

        Args:
            n: at least 1.
            seed: an int >= 0, which always gives the same images; None gives others each time.
        """
        return self._draw(self.prior.draw((n, self.latent_size), seed))

    def _both_losses(self, x, fake, training):
        """Return the discriminator's loss and the generator's, for one set of scores."""
        real_scores, fake_scores = (self._score(x, image, training) for image in (self._image(x), fake))
        return self.discriminator_loss(real_scores, fake_scores), self.generator_loss(fake_scores)

    def _update_generator(self, tape, loss):
        variables = self.generator.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        t = ops.cast(self.optimizer.iterations, "float32")
        momentum = ops.minimum(self.ema_momentum, (1 + t) / (10 + t))
        for average, weight in zip(self.ema_generator.weights, self.generator.weights, strict=True):
            average.assign(momentum * average + (1 - momentum) * weight)

    def _track(self, x, d_loss, g_loss):
        n = ops.shape(self._image(x))[0]
        self.d_loss_tracker.update_state(d_loss, sample_weight=n)
        self.g_loss_tracker.update_state(g_loss, sample_weight=n)
        return {metric.name: metric.result() for metric in self.metrics if metric.name != "loss"}

    def _noise_for(self, x):
        return self.prior(ops.zeros((ops.shape(self._image(x))[0], self.latent_size)))

    def _image(self, x):
        """Return the images of a batch: here all of it."""
        return x

    def _generate(self, z, x, training):
        """Return fakes for noise z, to stand beside the batch x."""
        return self.generator(z, training=training)

    def _score(self, x, image, training):
        """Return float32 scores (n, 1) of images, real or fake, that stand for the batch x."""
        return ops.cast(self.discriminator(image, training=training), "float32")

    @compiled
    def _draw(self, z):
        return ops.cast(self.ema_generator(z, training=False), "float32")
