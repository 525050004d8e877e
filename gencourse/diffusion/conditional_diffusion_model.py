"""The conditional diffusion model: images of the label that is asked for, and classifier-free guidance."""

import keras
import numpy as np
from keras import ops

from gencourse.diffusion.diffusion_model import DiffusionModel
from gencourse.diffusion.schedules import Schedule
from gencourse.guard import check_images, check_labels, check_whole


@keras.saving.register_keras_serializable(package="gencourse")
class ConditionalDiffusionModel(DiffusionModel):
    """A diffusion model whose network is told labels, and sometimes not, so that both predictions can be combined.

        prediction = unconditional + guidance · (conditional - unconditional)

    A guidance of 1 is the conditional model, 0 the unconditional one, and more follows the label at the cost of
    variety. (It is 1 + w with the w of the paper.)

    `fit` and `evaluate` take one dict {"image": x, "label": y}, with one key for each label. In training each label is
    replaced by its null label, the number of its classes, with probability `drop_rate`, on its own.

    `sample`, `inpaint`, `edit`, `encode` and `decode` take each label by its name, one for all images or one for each,
    such as `sample(4, label=7)`; a label that is not given is the null label. They also take `guidance`, a number >= 0,
    or one for each image; any but 1 doubles the work.

    Args:
        network: {"image", "angle", "label"} → (n, h, w, c), such as `build_unet(labels={"label": 10})`.
        labels: {name: number of classes}.
        schedule: as in `DiffusionModel`.
        objective: as in `DiffusionModel`.
        drop_rate: in [0, 1).

    Source: Ho and Salimans, "Classifier-Free Diffusion Guidance", 2022, algorithm 1 and equation 6.
    """

    def __init__(
        self,
        network: keras.Model,
        labels: dict[str, int],
        schedule: Schedule | None = None,
        objective: str = "noise",
        drop_rate: float = 0.1,
        **kwargs,
    ):
        super().__init__(network, schedule, objective, **kwargs)
        if set(network.input) != {"image", "angle", *labels}:
            raise ValueError(
                f"The network takes {sorted(network.input)} for the labels {sorted(labels)}; accepted are 'image', "
                "'angle' and each label."
            )
        for name, classes in labels.items():
            check_whole(classes, f"The number of classes of {name!r}", least=1)
        if not 0 <= drop_rate < 1:
            raise ValueError(f"drop_rate is {drop_rate}; accepted is a number in [0, 1).")
        self.labels = labels
        self.drop_rate = drop_rate

    def check(self, x) -> None:
        """Refuse what is not a dict of "image", in [0, 1], and the labels, one in 0..classes - 1 for each image."""
        accepted = {"image", *self.labels}
        if not isinstance(x, dict) or set(x) != accepted:
            given = sorted(x) if isinstance(x, dict) else type(x).__name__
            raise ValueError(f"The input is {given}; accepted is one dict of {sorted(accepted)}.")
        check_images(x["image"], self.image_shape)
        for name, classes in self.labels.items():
            check_labels(x[name], classes, f"Labels {name!r}")
            if len(x[name]) != len(x["image"]):
                raise ValueError(f"There are {len(x[name])} labels for {len(x['image'])} images; accepted is one each.")

    def _image(self, x):
        return x["image"]

    def _told(self, x, training):
        told = {name: ops.cast(x[name], "int32") for name in self.labels}
        if not training:
            return told
        return {name: ops.where(self._dropped(label), self.labels[name], label) for name, label in told.items()}

    def _dropped(self, label):
        return self.noise.uniform(ops.zeros(ops.shape(label))) < self.drop_rate

    def _condition(self, n: int, guidance=1.0, **labels):
        if unknown := sorted(set(labels) - set(self.labels)):
            raise ValueError(f"The conditions {unknown} were given; accepted are {sorted(self.labels)} and 'guidance'.")
        told = {}
        for name, classes in self.labels.items():
            if labels.get(name) is None:
                told[name] = ops.full((n,), classes, "int32")
                continue
            label = _one_each(labels[name], n, name)
            check_labels(label, classes, f"Labels {name!r}")
            told[name] = ops.convert_to_tensor(label, "int32")
        weight = _one_each(guidance, n, "guidance")
        if not (np.issubdtype(weight.dtype, np.number) and np.isfinite(weight).all() and (weight >= 0).all()):
            raise ValueError(f"guidance is {guidance}; accepted is a number >= 0, or one for each image.")
        if (weight != 1).any():
            told["guidance"] = ops.convert_to_tensor(weight[:, None, None, None], "float32")
        return told

    def _ask(self, inputs, told, training):
        labels = {name: told[name] for name in self.labels}
        if "guidance" not in told:
            return self.network({**inputs, **labels}, training=training)
        null = {name: ops.full_like(label, self.labels[name]) for name, label in labels.items()}
        both = keras.tree.map_structure(
            lambda one, other: ops.concatenate([one, other]), {**inputs, **labels}, {**inputs, **null}
        )
        conditional, unconditional = ops.split(self.network(both, training=training), 2)
        return unconditional + told["guidance"] * (conditional - unconditional)


def _one_each(values, n: int, name: str) -> np.ndarray:
    """Return n values, of which one may stand for all."""
    values = ops.convert_to_numpy(values)
    values = values if values.ndim else values.repeat(n)
    if len(values) != n:
        raise ValueError(f"There are {len(values)} values of {name!r} for {n} images; accepted is one each, or one.")
    return values
