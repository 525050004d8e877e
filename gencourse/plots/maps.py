"""Two-dimensional maps: densities over the plane, and points of a latent space."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from gencourse.plots.style import figure, palette


def density_map(density, extent: tuple[float, float, float, float], points=None, title: str | None = None) -> Figure:
    """Draw one density, or several side by side, over the plane; brighter is denser.

    Args:
        density: (h, w), values >= 0, row 0 at the bottom; or a dict of name to such an array.
        extent: (left, right, bottom, top) of the plane.
        points: (n, 2) samples drawn over every panel.
        title: the heading of a single density.

    Raises:
        ValueError: an array is not two-dimensional, or holds a negative or non-finite value.
    """
    named = density if isinstance(density, Mapping) else {title or "": density}
    fig, axes = figure(width=min(2.5 * len(named), 9.5), height=2.6 if len(named) < 4 else 2.3, panels=len(named))
    for axis, (name, values) in zip(axes, named.items(), strict=True):
        values = np.asarray(values)
        if values.ndim != 2 or not np.isfinite(values).all() or values.min() < 0:
            raise ValueError(f"The density {name!r} is not a finite, non-negative (height, width) array.")
        axis.imshow(values, extent=extent, origin="lower", aspect="equal")
        if points is not None:
            axis.scatter(*np.asarray(points).T, s=2, color=palette[3], alpha=0.6, linewidths=0)
        axis.set(title=name, xlim=extent[:2], ylim=extent[2:])
        axis.tick_params(labelsize=7)
    return fig


def latent_map(codes, labels, names: Sequence[str] | None = None, title: str | None = None) -> Figure:
    """Draw two-dimensional codes, coloured and marked by label.

    Args:
        codes: (n, 2).
        labels: (n,) integers from 0.
        names: a name a label; by default its number.
        title: a short heading.

    Raises:
        ValueError: codes are not (n, 2), or there is not one label a code.
    """
    codes, labels = np.asarray(codes), np.asarray(labels)
    if codes.ndim != 2 or codes.shape[1] != 2 or labels.shape != codes.shape[:1]:
        raise ValueError(f"Codes {codes.shape} and labels {labels.shape}; accepted are (n, 2) and (n,).")
    fig, [axis] = figure(width=4.6, height=3.6)
    for label in np.unique(labels):
        chosen = codes[labels == label]
        colour, marker = palette[label % 8], "o" if label < 8 else "^"
        name = names[label] if names is not None else str(label)
        axis.scatter(*chosen.T, s=7, alpha=0.6, linewidths=0, color=colour, marker=marker, label=name)
    axis.set(title=title or "", xlabel="first coordinate", ylabel="second coordinate")
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), markerscale=2.5, handletextpad=0.1)
    return fig
