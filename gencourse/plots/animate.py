"""Frames as a small animation."""

import io

import numpy as np
from PIL import Image

from gencourse.plots.images import as_images

SIZE_LIMIT = 100_000  # bytes


def animation(frames, *, alt: str, fps: float = 8) -> None:
    """Display frames as a looping GIF under 100 KB.

    Args:
        frames: (t, h, w) or (t, h, w, 1 or 3), values in [0, 1].
        alt: what a reader who cannot see the animation must know.
        fps: frames a second.

    Raises:
        ValueError: the frames are not images in [0, 1], `alt` is empty, or the GIF would pass 100 KB.
    """
    from IPython.display import display

    if not alt.strip():
        raise ValueError("plots.animation needs alt: one sentence that says what moves.")
    gif = encode_gif(frames, fps)
    if len(gif) > SIZE_LIMIT:
        raise ValueError(f"The animation is {len(gif) // 1000} KB; at most 100 KB. Give fewer or smaller frames.")
    height, width = as_images(frames).shape[1:3]
    magnified = max(1, round(256 / max(height, width)))
    display(
        {"image/gif": gif, "text/plain": alt},
        metadata={"image/gif": {"width": width * magnified, "height": height * magnified, "alt": alt}},
        raw=True,
    )


def encode_gif(frames, fps: float) -> bytes:
    """Return the frames as the bytes of a looping GIF."""
    pixels = np.round(as_images(frames) * 255).astype("uint8")
    images = [Image.fromarray(frame.squeeze(-1) if frame.shape[-1] == 1 else frame) for frame in pixels]
    buffer = io.BytesIO()
    images[0].save(
        buffer,
        format="gif",
        save_all=True,
        append_images=images[1:],
        duration=round(1000 / fps),
        loop=0,
        optimize=True,
    )
    return buffer.getvalue()
