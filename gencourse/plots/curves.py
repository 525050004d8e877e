"""Lines: any named curves, and the curves of a training."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from gencourse.plots.style import figure, palette


def curves(
    lines: Mapping[str, object],
    *,
    x_label: str,
    y_label: str,
    title: str | None = None,
    y_scale: str = "linear",
) -> Figure:
    """Draw named lines in one panel.

    Args:
        lines: name to values (n,), drawn over 0 ... n-1, or to a pair (x, y) of equal length.
        x_label: what x is, with its unit.
        y_label: what y is, with its unit.
        title: a short heading.
        y_scale: "linear" or "log".

    Raises:
        ValueError: no line, or x and y differ in length.
    """
    if not lines:
        raise ValueError("curves needs at least one line.")
    fig, [axis] = figure(width=5.5, height=2.8)
    for name, line in lines.items():
        pair = line if isinstance(line, tuple) else (np.arange(len(line)), line)
        x, y = (np.asarray(values) for values in pair)
        if x.shape != y.shape:
            raise ValueError(f"The line {name!r} has {x.shape} x values for {y.shape} y values.")
        axis.plot(x, y, label=name)
    axis.set(xlabel=x_label, ylabel=y_label, title=title or "", yscale=y_scale)
    if len(lines) > 1:
        axis.legend()
    return fig


def training_curves(history, keys: Sequence[str] | None = None) -> Figure:
    """Draw what `fit` returned: one panel a quantity, training and validation in it, over epochs from 1.

    Args:
        history: a Keras `History`, or its dict of name to values a epoch.
        keys: which quantities; by default all that have no "val_" before their name.

    Raises:
        ValueError: a key is not in the history.
    """
    record = getattr(history, "history", history)
    keys = list(keys or [key for key in record if not key.startswith("val_") and key != "learning_rate"])
    missing = [key for key in keys if key not in record]
    if missing or not keys:
        raise ValueError(f"The history has no {missing}; it holds {sorted(record)}.")
    fig, axes = figure(width=min(3.4 * len(keys), 9), height=2.4, panels=len(keys))
    for axis, key in zip(axes, keys, strict=True):
        for name, label, colour in ((key, "training", palette[0]), (f"val_{key}", "validation", palette[1])):
            if name in record:
                epochs = np.arange(1, len(record[name]) + 1)
                axis.plot(epochs, record[name], label=label, color=colour, marker="o" if len(epochs) < 3 else None)
        axis.set(xlabel="epoch", title=key.replace("_", " "))
        axis.legend()
    return fig
