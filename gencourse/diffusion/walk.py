"""A model and a sampler together: many images, from noise that is drawn before, in one compiled loop."""

import math

import numpy as np
from keras import ops

from gencourse.diffusion.sampler import Sampler
from gencourse.guard import check_whole
from gencourse.layers import compiled

IMAGES_AT_ONCE = 64  # the fastest on a CPU; bounds the memory of a large sample
NUMBERS_AT_ONCE = 2**26  # of noise that is drawn for them; 256 MB


class Walk:
    """What a sampler does with a model's `denoise`, compiled once and kept.

    Images stay in [-1, 1] here. `told` is the last argument of `denoise`, {name: (n, ...)}.

    Args:
        model: with `denoise`, `image_shape`, `prior` and `variables`.
        sampler: for `encode` a `DDIMSampler`.
    """

    def __init__(self, model, sampler: Sampler):
        self.model = model
        self.sampler = sampler

    @property
    def variables(self):
        """Those of the model."""
        return self.model.variables

    def sample(self, n: int, seed: int | None, levels, told, start=None):
        """Return n images (n, h, w, c).

        Args:
            n: at least 1.
            seed: of the noise, an int >= 0; None goes on with the model's generator.
            levels: signal rates and noise rates, as a schedule's `levels` gives.
            told: conditions.
            start: images to which the first level's noise is added; None starts from noise alone.
        """
        signal_rates, noise_rates = levels
        plan = _tensor(self.sampler.plan(signal_rates, noise_rates))
        draws = max(1, len(plan) - 1) if self.sampler.noisy else 0

        def part(rows, index):
            seeds = (None, None) if seed is None else np.random.SeedSequence([seed, index]).generate_state(2).tolist()
            shape = (rows.stop - rows.start, *self.model.image_shape)
            x = self.model.prior.draw(shape, seeds[0])
            if start is not None:
                x = float(signal_rates[0]) * start[rows] + float(noise_rates[0]) * x
            noise = self.model.prior.draw((draws, *shape), seeds[1]) if draws else None
            return self._sample(x, plan, noise, _rows(told, rows))

        numbers = (1 + draws) * math.prod(self.model.image_shape)
        return _in_parts(n, part, min(IMAGES_AT_ONCE, max(1, NUMBERS_AT_ONCE // numbers)))

    def decode(self, noise, levels, told):
        """Return the images (n, h, w, c) to which the sampler leads from noise (n, h, w, c), by unclipped estimates."""
        plan = _tensor(self.sampler.plan(*levels))
        return _in_parts(len(noise), lambda rows, _: self._decode(noise[rows], plan, _rows(told, rows)))

    def encode(self, image, levels, told, iterations: int):
        """Return the noise (n, h, w, c) from which `decode` leads to images (n, h, w, c); see `DDIMSampler.encode`."""
        plan, iterations = _tensor(self.sampler.plan_encoding(*levels)), ops.convert_to_tensor(iterations, "int32")
        return _in_parts(len(image), lambda rows, _: self._encode(image[rows], plan, iterations, _rows(told, rows)))

    @compiled
    def _sample(self, x, plan, noise, told):
        return self.sampler.walk(lambda *level: self.model.denoise(*level, told), x, plan, noise)

    @compiled
    def _decode(self, x, plan, told):
        return self.sampler.walk(lambda *level: self.model.denoise(*level, told, clip=False), x, plan)

    @compiled
    def _encode(self, x, plan, iterations, told):
        return self.sampler.encode(lambda *level: self.model.denoise(*level, told, clip=False), x, plan, iterations)


def _tensor(values):
    return ops.convert_to_tensor(values, "float32")


def _rows(told, rows):
    return {name: value[rows] for name, value in told.items()}


def _in_parts(n, part, limit=IMAGES_AT_ONCE):
    """Concatenate part(rows, index) over slices of 0..n - 1 that are at most `limit` long and as even as can be."""
    check_whole(n, "The number of images", least=1)
    size = math.ceil(n / math.ceil(n / limit))
    starts = range(0, n, size)
    return ops.concatenate([part(slice(i, min(i + size, n)), index) for index, i in enumerate(starts)])
