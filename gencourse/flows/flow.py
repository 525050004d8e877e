"""A density by change of variables: what every normalizing flow of the course shares."""

import math

import numpy as np
from keras import ops

from gencourse.generative_model import GenerativeModel
from gencourse.guard import check_whole, is_eager
from gencourse.layers import Dequantization, Logit, NoiseSource, Split, Squeeze, compiled
from gencourse.layers.flow_layer import standard_normal_log_prob
from gencourse.layers.pixel_levels import check_quantized_images
from gencourse.metrics import importance_weighted_log_prob

ITEMS_AT_ONCE = 500  # in `log_prob`; bounds its memory


class Flow(GenerativeModel):
    """An invertible network z = f(x) that turns data into standard normal noise, fitted by maximum likelihood.

        log p(x) = log N(f(x); 0, I) + log |det df/dx|

    `fit` minimizes -log p(x) in nats an item. Images have known levels k / (levels - 1): they are dequantized with new
    noise in each step and stretched by a logit, and log p(x) is then a lower bound of the levels' log-probability.

    A subclass keeps its constructor's arguments and hands over its layers.

    Args:
        shape: of one item: (d,) for vectors, (height, width, channels) for images.
        transforms: the layers of f, in the order of `forward`, such as `AffineCoupling`, `ActNorm`, `Split`.
        dequantization: what makes points of images, such as `Dequantization(256)`; None for vectors.
        margin: of the logit that follows it, in (0, 0.5).

    Source: Dinh, Sohl-Dickstein and Bengio, "Density estimation using Real NVP", 2017, equations 2 and 3.
    """

    def __init__(self, shape, transforms, dequantization: Dequantization | None = None, margin: float = 0.05, **kwargs):
        super().__init__(**kwargs)
        self.shape = tuple(shape)
        self.transforms = transforms
        self.dequantization = dequantization
        self.margin = margin
        self.logit = Logit(margin)
        self.prior = NoiseSource()
        self.built = True

    @property
    def latent_size(self) -> int:
        """d, the number of values of one item, in x as in z."""
        return math.prod(self.shape)

    def check(self, x) -> None:
        """Refuse what is not a batch of finite vectors, or of images on the grid of `levels`, of this model's shape."""
        if self.dequantization:
            check_quantized_images(x, self.shape, self.dequantization.levels)
            return
        x = ops.convert_to_numpy(x)
        accepted = f"accepted are finite floats of shape (n, {self.shape[0]})"
        if x.shape[1:] != self.shape or not np.issubdtype(x.dtype, np.floating):
            raise ValueError(f"Vectors are {x.dtype} of shape {x.shape}; {accepted}.")
        if not np.isfinite(x).all():
            raise ValueError(f"Vectors have {np.sum(~np.isfinite(x))} values that are not finite; {accepted}.")

    def call(self, x, training=None):
        """Return z = f(x) (n, d) and log |det df/dx| (n,), less D log levels for images."""
        if is_eager(x):
            self.check(x)
        return self._forward(*self._prepare(x))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Return the mean over the batch of -log p(x), in nats."""
        z, log_det = y_pred
        return -ops.mean(standard_normal_log_prob(z) + log_det) + sum(self.losses)

    def log_prob(self, x, samples: int = 1, seed: int = 0) -> np.ndarray:
        """Return log p(x): exact for vectors, a bound for images.

        Args:
            x: (n, *shape).
            samples: k, noises that dequantize each image, at least 1; the bound log (1/k) Σ p(v_i) rises with k, in
                expectation.
            seed: of that noise, an int >= 0.

        Returns:
            (n,), nats an item.
        """
        self.check(x)
        check_whole(samples, "samples", least=1)
        check_whole(seed, "seed", least=0)
        x = ops.convert_to_tensor(x, "float32")
        values = []
        for start in range(0, len(x), ITEMS_AT_ONCE):
            rows = x[start : start + ITEMS_AT_ONCE]
            if self.dequantization is None:
                values.append(self._log_prob(rows))
                continue
            noise = self.dequantization.draw((samples, *rows.shape), seed + start)
            log_prob = ops.stack([self._log_prob(rows, noise[i]) for i in range(samples)])  # (k, n)
            values.append(importance_weighted_log_prob(log_prob))
        return np.concatenate([ops.convert_to_numpy(value) for value in values])

    def encode(self, x):
        """Return z = f(x) (n, d); images are dequantized to the middle of each level, without noise."""
        self.check(x)
        return self._encode(ops.convert_to_tensor(x, "float32"))

    def decode(self, z):
        """Return x (n, *shape) for latent vectors (n, d); images on the grid of `levels`."""
        z = ops.convert_to_tensor(z, "float32")
        if z.shape[1:] != (self.latent_size,):
            raise ValueError(f"Latent vectors have shape {tuple(z.shape)}; accepted is (n, {self.latent_size}).")
        return self._decode(z)

    def sample(self, n: int, seed: int | None = None, temperature: float = 1.0):
        """Return n new items (n, *shape): f⁻¹(z) for z ~ N(0, temperature² I).

        Args:
            n: at least 1.
            seed: an int >= 0, which always gives the same items; None gives others each time.
            temperature: at least 0; below 1 the items are closer to the mode, and less various.
        """
        if not 0 <= temperature < math.inf:
            raise ValueError(f"temperature is {temperature}; accepted is a number >= 0.")
        return self._decode(temperature * self.prior.draw((n, self.latent_size), seed))

    def _prepare(self, x, noise=None):
        """Return what the transforms take for x, and what was added to log p so far, (n,)."""
        x = ops.cast(x, "float32")
        if self.dequantization is None:
            return x, 0.0
        v, log_volume = self.dequantization.forward(x, noise)
        y, log_det = self.logit.forward(v)
        return y, log_volume + log_det

    def _forward(self, x, log_det):
        latents = []
        for transform in self.transforms:
            x, change = transform(x)
            if isinstance(transform, Split):
                x, factored = x
                latents.append(factored)
            log_det = log_det + change
        latents.append(x)
        return ops.concatenate([ops.reshape(z, (-1, math.prod(z.shape[1:]))) for z in latents], axis=-1), log_det

    @compiled
    def _log_prob(self, x, *noise):
        z, log_det = self._forward(*self._prepare(x, *noise))
        return standard_normal_log_prob(z) + log_det

    @compiled
    def _encode(self, x):
        noise = None if self.dequantization is None else ops.full_like(x, self.dequantization.middle)
        return self._forward(*self._prepare(x, noise))[0]

    @compiled
    def _decode(self, z):
        latents = self._unflatten(z)
        x = latents.pop()
        for transform in reversed(self.transforms):
            x, _ = transform.inverse((x, latents.pop()) if isinstance(transform, Split) else x)
        if self.dequantization is None:
            return x
        return self.dequantization.inverse(self.logit.inverse(x)[0])[0]

    def _unflatten(self, z):
        """Cut z (n, d) into the tensors that the splits gave, and the last one."""
        shapes, shape = [], self.shape
        for transform in self.transforms:
            if isinstance(transform, Squeeze):
                shape = (shape[0] // 2, shape[1] // 2, 4 * shape[2])
            elif isinstance(transform, Split):
                shape = (*shape[:2], shape[2] // 2)
                shapes.append(shape)
        latents = []
        for part in (*shapes, shape):
            size = math.prod(part)
            latents.append(ops.reshape(z[:, :size], (-1, *part)))
            z = z[:, size:]
        return latents
