"""Convolutions that see only what comes before in reading order."""

import keras
import numpy as np
from keras import ops


def causal_mask(kernel_size: tuple[int, int], mask: str) -> np.ndarray:
    """Return which taps of a kernel may be used, (rows, columns) of 0 and 1.

    Args:
        kernel_size: odd numbers of rows and columns.
        mask: "A": the rows above and what is left in the centre's row. "B": these and the centre itself.
            "vertical A": the rows above alone. "vertical B": these and the centre's whole row.
    """
    row, column = np.indices(kernel_size) - np.reshape([size // 2 for size in kernel_size], (2, 1, 1))
    seen = {
        "A": (row < 0) | (row == 0) & (column < 0),
        "B": (row < 0) | (row == 0) & (column <= 0),
        "vertical A": row < 0,
        "vertical B": row <= 0,
    }
    return np.float32(seen[mask])


@keras.saving.register_keras_serializable(package="gencourse")
class MaskedConv2D(keras.layers.Layer):
    """A convolution with zero padding whose kernel is 0 where `causal_mask` is.

        y[i, j] = b + Σ_{(r, c) in mask} W[r, c] x[i + r, j + c]

    A network whose first layer has mask "A" and all later ones "B" gives at each pixel a function of the pixels before
    it in reading order: but not of all of them, it leaves out a wedge above to the right (the blind spot). Two stacks
    leave out none: one with "vertical A", then "vertical B", that sees the rows above, and one with kernels (1, k) and
    "A", then "B", that sees the row to the left and is told what the first one saw.

    Args:
        filters: the number of output channels.
        kernel_size: (rows, columns), odd, or one number for both.
        mask: "A", "B", "vertical A" or "vertical B"; see `causal_mask`.

    Raises:
        ValueError: an even size, an unknown mask, or one that leaves no tap.

    Source: van den Oord, Kalchbrenner and Kavukcuoglu, "Pixel Recurrent Neural Networks", 2016, section 3.4; the two
        stacks: van den Oord et al., "Conditional Image Generation with PixelCNN Decoders", 2016, section 2.2.
    """

    def __init__(self, filters: int, kernel_size: int | tuple[int, int], mask: str, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = (kernel_size, kernel_size) if isinstance(kernel_size, int) else tuple(kernel_size)
        self.mask = mask
        if any(size % 2 == 0 for size in self.kernel_size):
            raise ValueError(f"kernel_size is {self.kernel_size}; accepted are odd numbers, which have a centre.")
        if mask not in ("A", "B", "vertical A", "vertical B"):
            raise ValueError(f"mask is {mask!r}; accepted are 'A', 'B', 'vertical A' and 'vertical B'.")
        seen = causal_mask(self.kernel_size, mask)
        if not seen.any():
            raise ValueError(
                f"A kernel of {self.kernel_size} with mask {mask!r} sees nothing; accepted is a larger one."
            )
        self.taps = seen[seen.any(axis=1)][:, seen.any(axis=0)]  # what lies wholly below or right is not computed

    def build(self, input_shape):
        """Make the kernel for inputs (n, h, w, input_shape[-1])."""
        self.kernel = self.add_weight(
            (*self.taps.shape, input_shape[-1], self.filters), "glorot_uniform", name="kernel"
        )
        self.bias = self.add_weight((self.filters,), "zeros", name="bias")

    def call(self, x):
        """Return y (n, h, w, filters) for x (n, h, w, c)."""
        paddings = [(0, 0)]
        for axis, (size, used) in enumerate(zip(self.kernel_size, self.taps.shape, strict=True), start=1):
            after = used - 1 - size // 2  # -1 where the centre is not seen: then the last row or column is not either
            if after < 0:
                x = x[:, :-1] if axis == 1 else x[:, :, :-1]
            paddings.append((size // 2, max(after, 0)))
        taps = ops.cast(self.taps[..., None, None], self.compute_dtype)
        kernel = self.kernel if self.taps.all() else self.kernel * taps
        return ops.conv(ops.pad(x, [*paddings, (0, 0)]), kernel, padding="valid") + self.bias

    def compute_output_shape(self, input_shape):
        """Return the shape of `call`'s result."""
        return (*input_shape[:-1], self.filters)

    def get_config(self):
        """Return the constructor's arguments."""
        own = {"filters": self.filters, "kernel_size": self.kernel_size, "mask": self.mask}
        return {**super().get_config(), **own}
