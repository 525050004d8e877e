"""The chain rule over an image's pixels: what PixelCNN and PixelRNN share."""

from abc import abstractmethod

import keras
import numpy as np
from keras import ops

from gencourse.generative_model import GenerativeModel
from gencourse.guard import is_eager
from gencourse.layers import MaskedConv2D, NoiseSource, compiled
from gencourse.layers.pixel_levels import check_levels, check_quantized_images, level_of

IMAGES_AT_ONCE = 100  # in `log_prob`; bounds its memory


class PixelModel(GenerativeModel):
    """An image's probability as a product over its pixels in reading order.

        log p(x) = Σ_t log p(x_t | x_1, ..., x_{t-1})

    Each pixel takes one of a few levels, k / (levels - 1), and its conditional is a softmax over them, which a network
    gives for all pixels at once: it is built so that its output at t does not depend on x_t or anything after it.
    `fit` minimizes -log p(x) in nats an image.

    A subclass gives `logits`, and for sampling `_begin_row` and `_row`.

    Args:
        image_shape: (height, width, 1).
        levels: of a pixel, 2 to 256.

    Source: van den Oord, Kalchbrenner and Kavukcuoglu, "Pixel Recurrent Neural Networks", 2016, section 2.1.
    """

    def __init__(self, image_shape: tuple[int, int, int], levels: int, **kwargs):
        super().__init__(**kwargs)
        check_levels(levels)
        if len(image_shape) != 3 or image_shape[2] != 1:
            raise ValueError(f"image_shape is {tuple(image_shape)}; accepted is (height, width, 1).")
        self.image_shape = tuple(image_shape)
        self.levels = levels
        self.prior = NoiseSource()
        self.built = True

    def check(self, x) -> None:
        """Refuse what is not a batch of images of `image_shape` whose values are k / (levels - 1)."""
        check_quantized_images(x, self.image_shape, self.levels)

    def call(self, x, training=None):
        """Return the logits (n, h, w, levels) of every pixel, given the pixels before it."""
        if is_eager(x):
            self.check(x)
        return self.logits(x, training)

    @abstractmethod
    def logits(self, x, training=False):
        """Return the logits (n, h, w, levels), float32, for images that were checked."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Return the mean over the batch of -log p(x), in nats."""
        return -ops.mean(self._log_prob_of(x, y_pred)) + sum(self.losses)

    def log_prob(self, x) -> np.ndarray:
        """Return log p(x) (n,), exact, in nats an image."""
        self.check(x)
        x = self._tensors(x)
        starts = range(0, len(self._image(x)), IMAGES_AT_ONCE)
        values = [self._log_prob(keras.tree.map_structure(lambda t, i=i: t[i : i + IMAGES_AT_ONCE], x)) for i in starts]
        return np.concatenate([ops.convert_to_numpy(value) for value in values])

    def sample(self, n: int, seed: int | None = None):
        """Return n new images (n, h, w, 1), each pixel drawn given those before it.

        Args:
            n: at least 1.
            seed: an int >= 0, which always gives the same images; None gives others each time.
        """
        noise = self.prior.draw((n, *self.image_shape), seed)
        return self._draw(ops.zeros_like(noise), ops.zeros_like(noise, "bool"), noise)

    def complete(self, x, known, seed: int | None = None):
        """Return the images with their unknown pixels drawn anew, each given all pixels before it in reading order.

        So a pixel that is drawn takes no notice of known ones after it: this samples p(unknown | known) exactly only
        where every known pixel comes before every unknown one.

        Args:
            x: what `call` takes; the values of unknown pixels do not matter.
            known: (h, w, 1) or (n, h, w, 1), booleans, True where the pixel is given.
            seed: as in `sample`.
        """
        self.check(x)
        x, known = self._tensors(x), np.asarray(known)
        shape = tuple(self._image(x).shape)
        if known.dtype != bool or known.shape not in (shape, shape[1:]):
            raise ValueError(
                f"known is {known.dtype} of shape {known.shape}; accepted are booleans of shape {shape[1:]} or {shape}."
            )
        noise = self.prior.draw(shape, seed)
        return self._draw(x, ops.convert_to_tensor(np.broadcast_to(known, shape)), noise)

    def _tensors(self, x):
        """Return x in tensors of the types that the network takes."""
        return ops.convert_to_tensor(x, "float32")

    def _image(self, x):
        """Return the part of x that is modelled: here all of it."""
        return x

    def _with_image(self, x, image):
        """Return x with another image: here that image."""
        return image

    def _log_prob_of(self, x, logits):
        levels = ops.squeeze(level_of(self._image(x), self.levels), axis=-1)  # (n, h, w)
        return -ops.sum(ops.sparse_categorical_crossentropy(levels, logits, from_logits=True), axis=(1, 2))

    @compiled
    def _log_prob(self, x):
        return self._log_prob_of(x, self.logits(x))

    @compiled
    def _draw(self, x, known, noise):
        """Draw the pixels one by one in a loop over rows of loops over columns; (n, h, w, 1).

        A row needs of the image what lies within the network's reach above it, so only those rows are computed with.
        """
        h, w, _ = self.image_shape
        above = min(self._reach, h - 1)
        uniform = (1 + ops.erf(noise / 2**0.5)) / 2  # the normal distribution's cumulative: uniform in [0, 1]

        def draw_row(i, carry):
            image, state = carry
            first = ops.maximum(i - above, 0)
            window = ops.take(image, first + ops.arange(above + 1), axis=1)
            context = self._begin_row(self._with_image(x, window), i - first, state)

            def draw_pixel(j, row):
                logits = ops.take(self._row(row, context)[0], j, axis=1)  # (n, levels)
                value = ops.expand_dims(self._quantile(logits, uniform[:, i, j]), 1)  # (n, 1, 1)
                here = ops.reshape(ops.arange(w) == j, (1, w, 1)) & ~known[:, i]
                return ops.where(here, value, row)

            row = ops.fori_loop(0, w, draw_pixel, image[:, i])
            _, state = self._row(row, context)
            here = ops.reshape(ops.arange(h) == i, (1, h, 1, 1))
            return ops.where(here, ops.expand_dims(row, 1), image), state

        image = ops.where(known, ops.cast(self._image(x), "float32"), 0.0)
        return ops.fori_loop(0, h, draw_row, (image, self._first_state(image)))[0]

    def _quantile(self, logits, uniform):
        """The value (n, 1) whose level's share of [0, 1], in the order of the levels, holds `uniform` (n, 1)."""
        cumulative = ops.cumsum(ops.softmax(logits), axis=-1)[:, :-1]
        level = ops.sum(ops.cast(uniform >= cumulative, "float32"), axis=-1, keepdims=True)
        return level / (self.levels - 1)

    @property
    @abstractmethod
    def _reach(self) -> int:
        """How many rows above a pixel the part of the network that sees several rows reaches."""

    def _first_state(self, image):
        """What the network remembers of the rows above the first, a tuple of tensors: here nothing."""
        return ()

    @abstractmethod
    def _begin_row(self, window, i, state):
        """Return what `_row` needs to know of the rows above row i of the window."""

    @abstractmethod
    def _row(self, row, context):
        """Return the logits (n, w, levels) of one row (n, w, 1), and the state after it."""


def rows_above(network: keras.Model) -> int:
    """Return how many rows above a pixel a chain of masked convolutions sees."""
    return sum(layer.kernel_size[0] // 2 for layer in network.layers if isinstance(layer, MaskedConv2D))
