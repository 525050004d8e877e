"""RealNVP: affine couplings, of vectors and of images."""

import keras

from gencourse.flows.flow import Flow
from gencourse.flows.networks import build_dense_network, build_residual_network, build_split_network, check_sides
from gencourse.guard import check_whole
from gencourse.layers import (
    AffineCoupling,
    CheckerboardCoupling,
    Dequantization,
    Split,
    Squeeze,
    VariationalDequantization,
)


@keras.saving.register_keras_serializable(package="gencourse")
class RealNVP(Flow):
    """A flow of affine coupling layers that take turns in which half they change.

    Of images there are `scales`: at each, couplings of a checkerboard, a squeeze, couplings of the channels, and, but
    for the last, half of the channels leave. In place of the paper's batch normalization the couplings start as the
    identity.

    Args:
        shape: (d,) with d >= 2 for vectors, (height, width, channels) for images.
        couplings: in each group, at least 1; vectors have one group, images two a scale.
        width: of the hidden layers of the couplings' networks.
        scales: of images, at least 1; the sides are multiples of 2^scales.
        levels: of an image's pixels, 2 to 256.
        margin: of the logit that stretches an image's pixels, in (0, 0.5).
        variational: of images; whether a small flow learns how to spread each level, in place of uniform noise.

    Raises:
        ValueError: a shape that cannot be halved so.

    Source: Dinh, Sohl-Dickstein and Bengio, "Density estimation using Real NVP", 2017, sections 3.4 and 3.6.
    """

    def __init__(
        self,
        shape,
        couplings: int = 4,
        width: int = 32,
        scales: int = 2,
        levels: int = 256,
        margin: float = 0.05,
        variational: bool = False,
        **kwargs,
    ):
        check_whole(couplings, "couplings", least=1)
        if len(shape) == 1:
            transforms, dequantization = vector_couplings(shape, couplings, width), None
        else:
            transforms = image_couplings(shape, couplings, width, scales)
            dequantization = build_dequantization(shape, width, levels) if variational else Dequantization(levels)
        super().__init__(shape, transforms, dequantization, margin, **kwargs)
        self.couplings = couplings
        self.width = width
        self.scales = scales
        self.levels = levels
        self.variational = variational


def vector_couplings(shape, couplings, width):
    """Return couplings of vectors (d,) that change the second half, the first, and so on."""
    [size] = shape
    if size < 2:
        raise ValueError(f"Vectors have {size} value; accepted are at least 2, of which one part changes the other.")
    parts = size // 2, size - size // 2
    return [
        AffineCoupling(build_dense_network(parts[i % 2], 2 * parts[1 - i % 2], width), swap=bool(i % 2))
        for i in range(couplings)
    ]


def image_couplings(shape, couplings, width, scales):
    """Return the couplings, squeezes and splits of images (height, width, channels)."""
    check_sides(shape, scales)
    h, w, c = shape
    transforms = []
    for scale in range(scales):
        for i in range(couplings):
            transforms.append(CheckerboardCoupling(build_residual_network((h, w, c), 2 * c, width), swap=bool(i % 2)))
        h, w, c = h // 2, w // 2, 4 * c
        transforms.append(Squeeze())
        for i in range(couplings):
            transforms.append(AffineCoupling(build_residual_network((h, w, c // 2), c, width), swap=bool(i % 2)))
        if scale < scales - 1:
            c //= 2
            transforms.append(Split(build_split_network((h, w, c))))
    return transforms


def build_dequantization(shape, width, levels):
    """Return a variational dequantization of images (height, width, channels) by two couplings."""
    h, w, c = shape
    couplings = [
        CheckerboardCoupling(build_residual_network((h, w, 2 * c), 2 * c, width), swap=swap) for swap in (False, True)
    ]
    return VariationalDequantization(couplings, levels)
