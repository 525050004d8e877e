"""Arrays in, figure out: the course's few kinds of picture, always in the same look."""

from gencourse.plots.animate import animation
from gencourse.plots.curves import curves, training_curves
from gencourse.plots.images import image_grid
from gencourse.plots.maps import density_map, latent_map
from gencourse.plots.style import apply_style, figure, palette, show

__all__ = [
    "animation",
    "apply_style",
    "curves",
    "density_map",
    "figure",
    "image_grid",
    "latent_map",
    "palette",
    "show",
    "training_curves",
]
