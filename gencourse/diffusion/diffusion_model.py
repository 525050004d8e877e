"""The diffusion model: a network that learns to tell the image from the noise."""

import keras
import numpy as np
from keras import ops

from gencourse.diffusion.ddim_sampler import DDIMSampler
from gencourse.diffusion.objectives import OBJECTIVES, split, target
from gencourse.diffusion.sampler import Sampler
from gencourse.diffusion.schedules import CosineSchedule, Schedule
from gencourse.diffusion.walk import Walk
from gencourse.generative_model import GenerativeModel
from gencourse.guard import check_images, check_whole, is_eager
from gencourse.layers import NoiseSource


@keras.saving.register_keras_serializable(package="gencourse")
class DiffusionModel(GenerativeModel):
    """A network that finds the image and the noise in their sum, at every ratio of the two.

        x_t = signal_rate_t · x_0 + noise_rate_t · ε,   t ~ U{1..T},   ε ~ N(0, I),   x_0 = 2 · image - 1
        loss = E |network(x_t, angle_t) - target|² / (h w c),   angle = arctan(noise_rate / signal_rate)

    The target is ε, which makes the loss a reweighted bound of -log p(image), or x_0, or the velocity
    signal_rate · ε - noise_rate · x_0. The network is told the angle, not t: any schedule will do for sampling,
    whichever it was trained with. For averaged weights compile with an optimizer of `use_ema=True`; `fit` ends with
    the average in the network. (Under JAX Keras then refuses a second `fit`.)

    Args:
        network: {"image": (n, h, w, c), "angle": (n,)} → (n, h, w, c), such as `build_unet()`.
        schedule: of the training; by default `CosineSchedule()`.
        objective: "noise", "image" or "velocity", what the network predicts.

    Source: Ho, Jain and Abbeel, "Denoising Diffusion Probabilistic Models", 2020, equations 4 and 14.
    """

    def __init__(self, network: keras.Model, schedule: Schedule | None = None, objective: str = "noise", **kwargs):
        super().__init__(**kwargs)
        if objective not in OBJECTIVES:
            raise ValueError(f"objective is {objective!r}; accepted are {', '.join(OBJECTIVES)}.")
        inputs = getattr(network, "input", None)
        if not isinstance(inputs, dict) or not {"image", "angle"} <= set(inputs):
            raise ValueError(f"The network takes {inputs}; accepted is a dict with 'image' and 'angle'.")
        self.network = network
        self.schedule = schedule or CosineSchedule()
        self.objective = objective
        self.noise = NoiseSource(dtype="float32")
        self.prior = NoiseSource()
        object.__setattr__(self, "_walks", {})  # {sampler: Walk}, which Keras shall not track
        self.built = True

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return tuple(self.network.input["image"].shape[1:])

    def check(self, x) -> None:
        """Refuse what is not a batch of images of the network's size in [0, 1]."""
        check_images(x, self.image_shape)

    def call(self, x, training=None):
        """Return what the network predicts for images with random noise, and what it should have predicted."""
        if is_eager(x):
            self.check(x)
        image = 2 * ops.cast(self._image(x), "float32") - 1
        uniform = self.noise.uniform(ops.zeros((ops.shape(image)[0], 1, 1, 1)))
        times = 1 + ops.cast(uniform * self.schedule.steps, "int32")
        rates = self.schedule.signal_rates, self.schedule.noise_rates
        signal_rate, noise_rate = (ops.take(ops.convert_to_tensor(r, "float32"), times) for r in rates)
        noise = self.noise(image)
        x_t = signal_rate * image + noise_rate * noise
        prediction = self._predict(x_t, signal_rate, noise_rate, self._told(x, training), training)
        return prediction, target(self.objective, image, noise, signal_rate, noise_rate)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Return the mean over the batch and the pixels of the squared error."""
        prediction, wanted = y_pred
        return ops.mean(ops.square(prediction - wanted)) + sum(self.losses)

    def denoise(self, x, signal_rate, noise_rate, told=None, clip: bool = True):
        """Return the image and the noise that the network finds in x: the function that samplers ask.

        Args:
            x: (n, h, w, c), signal_rate · image + noise_rate · noise, with the image in [-1, 1].
            signal_rate: above 0, of shape () or (n, 1, 1, 1).
            noise_rate: above 0, likewise.
            told: {name: (n, ...)} of conditions, as tensors; of "image" in [-1, 1] the pixels that "mask" leaves are
                returned, whatever the network finds.
            clip: whether the image is kept in [-1, 1], and the noise is what then remains: early estimates are far out.
        """
        told = told or {}
        prediction = self._predict(x, signal_rate, noise_rate, told)
        image, noise = split(self.objective, prediction, x, signal_rate, noise_rate)
        if clip:
            image = ops.clip(image, -1.0, 1.0)
        if "mask" in told:
            image = ops.where(told["mask"], image, told["image"])
        if clip or "mask" in told:
            noise = (x - signal_rate * image) / noise_rate
        return image, noise

    def sample(
        self,
        n: int,
        seed: int | None = None,
        steps: int = 50,
        sampler: Sampler | None = None,
        schedule: Schedule | None = None,
        **condition,
    ):
        """Return n new images (n, h, w, c) in [0, 1].

        Args:
            n: at least 1.
            seed: an int >= 0, which always gives the same images; None gives others each time.
            steps: noise levels on the way, 1 to the number of times of the schedule.
            sampler: by default `DDIMSampler()`; `HeunSampler()` wants `schedule=KarrasSigmas()`.
            schedule: of the levels; by default that of the training.
            **condition: none here.

        Raises:
            ValueError: an argument is refused.
        """
        check_whole(n, "n", least=1)
        levels = (schedule or self.schedule).levels(steps)
        return self._sample(n, seed, sampler, levels, self._condition(n, **condition))

    def inpaint(self, image, mask, seed: int | None = None, steps: int = 50, sampler=None, schedule=None, **condition):
        """Return images with new pixels where the mask says so; all others are those that were given, bit for bit.

        At each level the known pixels take the place of the estimated ones, so that the new pixels come to fit them.

        Args:
            image: (n, h, w, c) in [0, 1]; the pixels to paint may have any values in it.
            mask: (h, w) or (n, h, w), True or 1 where to paint.
            seed: as in `sample`, and so are the others.

        Raises:
            ValueError: an argument is refused.

        Source: Song et al., "Score-Based Generative Modeling through SDEs", 2021, appendix I.2.
        """
        image = self._checked(image)
        mask = self._mask(mask, len(image))
        told = {**self._condition(len(image), **condition), "image": 2 * image - 1, "mask": mask}
        levels = (schedule or self.schedule).levels(steps)
        return ops.where(mask, self._sample(len(image), seed, sampler, levels, told), image)

    def edit(
        self, image, strength: float = 0.5, seed: int | None = None, steps=50, sampler=None, schedule=None, **condition
    ):
        """Return images that the model might have made, near given ones: noise is added, and removed.

        Args:
            image: (n, h, w, c) in [0, 1], such as a sketch.
            strength: the part of the `steps` levels that is walked, above 0; 1 leaves next to nothing of the image.
            seed: as in `sample`, and so are the others.

        Raises:
            ValueError: an argument is refused.

        Source: Meng et al., "SDEdit", 2022, algorithm 1.
        """
        image = self._checked(image)
        if not 0 < strength <= 1:
            raise ValueError(f"strength is {strength}; accepted is a number above 0 and at most 1.")
        levels = (schedule or self.schedule).levels(steps)
        kept = max(1, round(strength * steps))
        levels = tuple(rates[-kept:] for rates in levels)
        told = self._condition(len(image), **condition)
        return self._sample(len(image), seed, sampler, levels, told, start=2 * image - 1)

    def encode(self, image, steps: int = 50, iterations: int = 5, schedule: Schedule | None = None, **condition):
        """Return the noise (n, h, w, c) from which `decode` with the same steps makes images; see `DDIMSampler`."""
        image = self._checked(image)
        check_whole(iterations, "iterations", least=1)
        levels, told = (schedule or self.schedule).levels(steps), self._condition(len(image), **condition)
        return self._walk(DDIMSampler()).encode(2 * image - 1, levels, told, iterations)

    def decode(self, noise, steps: int = 50, schedule: Schedule | None = None, **condition):
        """Return the images (n, h, w, c) in [0, 1] to which DDIM leads from given noise (n, h, w, c).

        Estimates on the way are not kept in [-1, 1], as they are in `sample`, so that `encode` can undo it.
        """
        noise = ops.convert_to_tensor(noise, "float32")
        if tuple(noise.shape[1:]) != self.image_shape:
            raise ValueError(f"The noise has shape {tuple(noise.shape)}; accepted is (n, *{self.image_shape}).")
        levels, told = (schedule or self.schedule).levels(steps), self._condition(len(noise), **condition)
        return ops.clip((self._walk(DDIMSampler()).decode(noise, levels, told) + 1) / 2, 0.0, 1.0)

    def _sample(self, n, seed, sampler, levels, told, start=None):
        """Return images in [0, 1] at the end of the sampler's walk."""
        if seed is not None:
            check_whole(seed, "seed", least=0)
        return (self._walk(sampler or DDIMSampler()).sample(n, seed, levels, told, start) + 1) / 2

    def _walk(self, sampler):
        return self._walks.setdefault(sampler, Walk(self, sampler))

    def _checked(self, image):
        """Return given images as a tensor, if they are some."""
        check_images(image, self.image_shape)
        return ops.convert_to_tensor(image, "float32")

    def _mask(self, mask, n):
        """Return a mask (h, w) or (n, h, w) as bools (n, h, w, 1)."""
        mask = ops.convert_to_numpy(mask)
        size = self.image_shape[:2]
        if mask.shape not in (size, (n, *size)) or not np.isin(mask, (0, 1)).all():
            raise ValueError(
                f"The mask has shape {mask.shape} and values {np.unique(mask)[:3]}...; accepted are 0 and 1 of shape "
                f"{size} or {(n, *size)}."
            )
        return ops.convert_to_tensor(np.broadcast_to(mask, (n, *size))[..., None], "bool")

    def _image(self, x):
        """Return the images of a batch: here all of it."""
        return x

    def _told(self, x, training):
        """Return what the network is told of a batch besides: here nothing."""
        return {}

    def _condition(self, n: int, **condition):
        """Return what the network is told for n images, as tensors (n, ...): here nothing."""
        if condition:
            raise ValueError(f"The conditions {sorted(condition)} were given; this model takes none.")
        return {}

    def _predict(self, x, signal_rate, noise_rate, told, training=False):
        """Return the network's output, float32."""
        angle = ops.reshape(ops.arctan2(noise_rate, signal_rate), (-1,))
        inputs = {"image": x, "angle": ops.broadcast_to(angle, (ops.shape(x)[0],))}
        return ops.cast(self._ask(inputs, told, training), "float32")

    def _ask(self, inputs, told, training):
        return self.network(inputs, training=training)
