"""The peak signal-to-noise ratio of images."""

import keras
from keras import ops

from gencourse.guard import check_images, is_eager


def psnr(images, references):
    """Return the peak signal-to-noise ratio of each image, in decibels.

        PSNR = 10 log10(1 / MSE),   MSE = mean over pixels and channels of (image - reference)²

    The peak is 1, the largest pixel value. An image that equals its reference has MSE 0 and a PSNR of +∞.

    Args:
        images: (n, h, w, c), in [0, 1].
        references: of the same shape, in [0, 1].

    Returns:
        (n,), dB.

    Raises:
        ValueError: the shapes differ, or a value is outside [0, 1].
    """
    images, references = ops.convert_to_tensor(images), ops.convert_to_tensor(references)
    for batch, name in ((images, "Images"), (references, "References")):
        if is_eager(batch):
            check_images(batch, (None, None, None), name)
    if tuple(images.shape) != tuple(references.shape):
        raise ValueError(
            f"Images {tuple(images.shape)} and references {tuple(references.shape)}: accepted is one shape."
        )
    difference = ops.cast(images, "float32") - ops.cast(references, "float32")
    return -10 * ops.log10(ops.mean(ops.square(difference), axis=(1, 2, 3)))


@keras.saving.register_keras_serializable(package="gencourse")
class PSNR(keras.metrics.Mean):
    """The mean over all images seen of their `psnr`, in decibels; +∞ once an image equals its reference.

    That is not the PSNR of the mean error, which is lower: there, the worst images decide.
    """

    def __init__(self, name: str = "psnr", **kwargs):
        super().__init__(name=name, **kwargs)

    def update_state(self, references, images, sample_weight=None):
        """Add a batch.

        Args:
            references: (n, h, w, c), in [0, 1].
            images: of the same shape, in [0, 1].
            sample_weight: (n,), or None.
        """
        return super().update_state(psnr(images, references), sample_weight)
