"""The gated PixelCNN: two stacks of masked convolutions that together see every pixel before."""

import keras
import numpy as np
from keras import layers, ops

from gencourse.autoregressive.pixel_model import PixelModel, rows_above
from gencourse.guard import check_labels
from gencourse.layers import MaskedConv2D
from gencourse.layers.pixel_levels import check_levels


def build_stacks(levels: int = 2, blocks: int = 7, width: int = 32, kernel_size: int = 3, classes: int | None = None):
    """Return the two stacks of a gated PixelCNN, for images of any height and width.

    The vertical stack sees the rows above a pixel, the horizontal one the row to its left and, in each block, what the
    vertical one has made of the rows above. A block ends in a gate, tanh(a) · sigmoid(b), and adds its input.

    Args:
        levels: of a pixel, 2 to 256.
        blocks: at least 1, after a first layer with kernels 7 wide.
        width: channels of each stack.
        kernel_size: of the convolutions in the blocks, odd.
        classes: of labels, or None. A label moves the gates' inputs in every block.

    Returns:
        vertical: images (n, h, w, 1), or a dict with "image" and "label" → a list of features: for the
            first layer (n, h, w, width), for each block (n, h, w, 2 · width).
        horizontal: a list of the same input and these features → logits (n, h, w, levels).

    Source: van den Oord et al., "Conditional Image Generation with PixelCNN Decoders", 2016, sections 2.1 to 2.3 and
        figure 2; the vertical stack's residual connections are that of PixelCNN++.
    """
    check_levels(levels)
    vertical_input, image, one_hot = _inputs(classes)
    v = MaskedConv2D(width, 7, "vertical A")(image)
    features = [layers.Conv2D(width, 1)(v)]
    for _ in range(blocks):
        a = MaskedConv2D(2 * width, kernel_size, "vertical B")(v)
        features.append(layers.Conv2D(2 * width, 1)(a))
        v = layers.Add()([v, _gate(_with_label(a, one_hot))])
    vertical = keras.Model(vertical_input, features, name="vertical")

    horizontal_input, image, one_hot = _inputs(classes)
    seen = [keras.Input(feature.shape[1:]) for feature in features]
    h = layers.Add()([MaskedConv2D(width, (1, 7), "A")(image), seen[0]])
    for feature in seen[1:]:
        a = layers.Add()([MaskedConv2D(2 * width, (1, kernel_size), "B")(h), feature])
        h = layers.Add()([h, layers.Conv2D(width, 1)(_gate(_with_label(a, one_hot)))])
    h = layers.Conv2D(2 * width, 1, activation="relu")(layers.ReLU()(h))
    logits = layers.Conv2D(levels, 1, dtype="float32")(h)
    return vertical, keras.Model([horizontal_input, seen], logits, name="horizontal")


def _inputs(classes):
    """The input of a stack, its image in [-1, 1], and the label as a one-hot image (n, 1, 1, classes), or None."""
    image = keras.Input((None, None, 1), name="image")
    scaled = layers.Rescaling(2.0, -1.0)(image)
    if classes is None:
        return image, scaled, None
    label = keras.Input((), dtype="int32", name="label")
    return {"image": image, "label": label}, scaled, layers.Reshape((1, 1, classes))(ops.one_hot(label, classes))


def _with_label(a, one_hot):
    return a if one_hot is None else layers.Add()([a, layers.Dense(a.shape[-1], use_bias=False)(one_hot)])


def _gate(a):
    """tanh(a_1) · sigmoid(a_2), of the two halves of the channels."""
    first, second = ops.split(a, 2, axis=-1)
    return ops.tanh(first) * ops.sigmoid(second)


@keras.saving.register_keras_serializable(package="gencourse")
class PixelCNN(PixelModel):
    """A gated PixelCNN, with a label or without; see `PixelModel`.

    With labels, what `fit` and `log_prob` take is one dict, {"image": x, "label": y}, and the model is p(x | y).

    Args:
        image_shape: (height, width, 1).
        vertical: the stack of the rows above, from `build_stacks`.
        horizontal: the stack of the row to the left, which gives the logits.
        classes: the number of labels, or None.
    """

    def __init__(
        self, image_shape, vertical: keras.Model, horizontal: keras.Model, classes: int | None = None, **kwargs
    ):
        super().__init__(image_shape, horizontal.output.shape[-1], **kwargs)
        self.vertical = vertical
        self.horizontal = horizontal
        self.classes = classes
        if (classes is not None) != isinstance(vertical.input, dict):
            raise ValueError(f"classes is {classes}; accepted is what the stacks were built with.")

    def check(self, x) -> None:
        """Refuse what is not images of `image_shape` on the grid of levels, with labels, a dict of as many of both."""
        if self.classes is None:
            super().check(x)
            return
        if not isinstance(x, dict) or set(x) != {"image", "label"}:
            given = f"a dict of {sorted(x)}" if isinstance(x, dict) else type(x).__name__
            raise ValueError(f"The input is {given}; accepted is one dict of 'image' and 'label'.")
        super().check(x["image"])
        check_labels(x["label"], self.classes)
        if len(x["label"]) != len(x["image"]):
            raise ValueError(
                f"There are {len(x['label'])} labels for {len(x['image'])} images; accepted is one for each."
            )

    def logits(self, x, training=False):
        """Return the logits (n, h, w, levels)."""
        return self.horizontal([x, self.vertical(x, training=training)], training=training)

    def sample(self, n: int, seed: int | None = None, label=None):
        """Return n new images (n, h, w, 1).

        Args:
            n: at least 1.
            seed: an int >= 0, which always gives the same images; None gives others each time.
            label: of a model with labels: n integers in 0..classes - 1, or one for all.
        """
        if self.classes is None and label is None:
            return super().sample(n, seed)
        if self.classes is None or label is None:
            raise ValueError(
                f"label is {label}; accepted is {'None' if self.classes is None else 'one for each image'}."
            )
        noise = self.prior.draw((n, *self.image_shape), seed)
        label = np.broadcast_to(label, n)
        check_labels(label, self.classes)
        x = {"image": ops.zeros_like(noise), "label": ops.convert_to_tensor(label, "int32")}
        return self._draw(x, ops.zeros_like(noise, "bool"), noise)

    def _tensors(self, x):
        if self.classes is None:
            return super()._tensors(x)
        return {"image": super()._tensors(x["image"]), "label": ops.convert_to_tensor(x["label"], "int32")}

    def _image(self, x):
        return x if self.classes is None else x["image"]

    def _with_image(self, x, image):
        return image if self.classes is None else {**x, "image": image}

    @property
    def _reach(self):
        return rows_above(self.vertical)

    def _begin_row(self, window, i, state):
        """The features that the rows above give to row i, (n, 1, w, 2 · width) each, and the label."""
        features = [ops.take(feature, ops.reshape(i, (1,)), axis=1) for feature in self.vertical(window)]
        return window, features

    def _row(self, row, context):
        window, features = context
        x = self._with_image(window, ops.expand_dims(row, 1))
        return ops.squeeze(self.horizontal([x, features]), axis=1), ()
