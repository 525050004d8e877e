"""One look for every figure of the course: colours, sizes, and the single way to show a figure."""

import io

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's palette, distinguishable under every common form of colour blindness.
palette = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000"]

DOTS_PER_INCH = 110


def apply_style() -> None:
    """Set matplotlib's defaults for the course."""
    plt.rcParams.update(
        {
            "figure.dpi": DOTS_PER_INCH,
            "figure.constrained_layout.use": True,
            "font.size": 9,
            "axes.titlesize": 9.5,
            "axes.titlelocation": "left",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": False,
            "axes.prop_cycle": plt.cycler(color=palette),
            "image.cmap": "cividis",
            "legend.frameon": False,
            "lines.linewidth": 1.6,
        }
    )


def figure(width: float = 7.0, height: float = 2.6, panels: int = 1, **subplot_options) -> tuple[Figure, list[Axes]]:
    """Return a figure in the course's look and its panels, side by side.

    Args:
        width: inches.
        height: inches.
        panels: the number of axes in the row, at least 1.
        **subplot_options: passed to `matplotlib.pyplot.subplots`, such as `sharey=True`.
    """
    if panels < 1:
        raise ValueError(f"A figure needs at least one panel, not {panels}.")
    apply_style()
    fig, axes = plt.subplots(1, panels, figsize=(width, height), squeeze=False, **subplot_options)
    return fig, list(axes[0])


def show(fig: Figure, *, alt: str) -> None:
    """Display a figure as a compact PNG with alternative text, and close it.

    Args:
        fig: the figure.
        alt: what a reader who cannot see the figure must know, one or two sentences.

    Raises:
        ValueError: `alt` is empty.
    """
    from IPython.display import display

    if not alt.strip():
        raise ValueError("plots.show needs alt: one sentence that says what the figure shows.")
    png = compact_png(fig)
    width = round(fig.get_figwidth() * DOTS_PER_INCH)
    plt.close(fig)
    bundle = {"image/png": png, "text/plain": alt}
    display(bundle, metadata={"image/png": {"width": width, "alt": alt}}, raw=True)


def compact_png(fig: Figure) -> bytes:
    """Render a figure as a PNG with an adaptive palette, about a third of the usual size."""
    from PIL import Image

    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=DOTS_PER_INCH, facecolor="white")
    return quantized_png(Image.open(buffer))


def quantized_png(image) -> bytes:
    """Encode a PIL image as a PNG with an adaptive palette: of 128 colours, or of 32 where all of them are grey."""
    from PIL import Image

    image = image.convert("RGB")
    pixels = np.asarray(image)
    grey = (pixels == pixels[..., :1]).all()
    compact = io.BytesIO()
    image.quantize(32 if grey else 128, dither=Image.Dither.NONE).save(compact, format="png", optimize=True)
    return compact.getvalue()
