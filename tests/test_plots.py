"""Plots refuse what they would draw wrongly, and draw what they are given."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from gencourse import plots
from gencourse.plots.animate import encode_gif
from gencourse.plots.style import compact_png

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def shown(monkeypatch):
    """The bundles that a notebook would display."""
    bundles = []
    monkeypatch.setattr("IPython.display.display", lambda data, metadata, raw: bundles.append((data, metadata)))
    return bundles


@pytest.mark.parametrize("count", range(1, 10))
@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1), (8, 8, 3)])
def test_image_grid_draws_every_image(count, shape):
    """The printed `display_generated_images` crashed for one to four images and drew a tensor's first row."""
    images = RNG.random((count, *shape))
    fig = plots.image_grid(images, columns=3)
    drawn = [axis.images[0].get_array() for axis in fig.axes if axis.images]
    assert len(drawn) == count
    for image, array in zip(images, drawn, strict=True):
        np.testing.assert_allclose(np.squeeze(image), array, atol=1e-6)
    assert {axis.images[0].get_clim() for axis in fig.axes if axis.images} == {(0, 1)}


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.full((2, 4, 4), -0.5), r"span \[-0.5, -0.5\]; accepted is \[0, 1\]"),
        (np.full((2, 4, 4), 255), r"span \[255, 255\]"),
        (np.full((2, 4, 4), np.nan), "accepted is"),
        (np.zeros((4, 4)), r"shape \(4, 4, 1\)|shape \(4, 4\)"),
        (np.zeros((2, 4, 4, 2)), "1 or 3 channels"),
        (np.zeros((0, 4, 4)), "n >= 1"),
    ],
)
def test_image_grid_refuses(images, message):
    with pytest.raises(ValueError, match=message):
        plots.image_grid(images)


def test_image_grid_wants_one_title_an_image():
    with pytest.raises(ValueError, match="1 titles for 2 images"):
        plots.image_grid(np.zeros((2, 4, 4)), titles=["one"])


def test_show_needs_alt_and_closes(shown):
    fig, _ = plots.figure()
    with pytest.raises(ValueError, match="needs alt"):
        plots.show(fig, alt=" ")
    plots.show(fig, alt="An empty panel.")
    data, metadata = shown[0]
    assert metadata["image/png"]["alt"] == data["text/plain"] == "An empty panel."
    assert not plt.get_fignums()


def test_shown_png_is_an_image():
    fig, _ = plots.figure()
    image = Image.open(io.BytesIO(compact_png(fig)))
    assert image.format == "PNG"
    assert image.width > 300


def test_density_map_row_zero_is_at_the_bottom():
    density = np.zeros((4, 4))
    density[0, 3] = 1.0
    image = plots.density_map(density, (0, 1, 0, 1)).axes[0].images[0]
    assert image.origin == "lower"
    assert tuple(image.get_extent()) == (0, 1, 0, 1)


@pytest.mark.parametrize("density", [np.full((4, 4), -1.0), np.full((4, 4), np.nan), np.zeros(4)])
def test_density_map_refuses(density):
    with pytest.raises(ValueError, match="non-negative"):
        plots.density_map(density, (0, 1, 0, 1))


def test_curves_draw_what_they_get():
    axis = plots.curves({"a": [3.0, 1.0], "b": ([5, 6], [1.0, 2.0])}, x_label="x", y_label="y").axes[0]
    np.testing.assert_array_equal(axis.lines[0].get_xydata(), [[0, 3], [1, 1]])
    np.testing.assert_array_equal(axis.lines[1].get_xydata(), [[5, 1], [6, 2]])
    with pytest.raises(ValueError, match="at least one line"):
        plots.curves({}, x_label="x", y_label="y")
    with pytest.raises(ValueError, match="'a' has"):
        plots.curves({"a": ([1], [1, 2])}, x_label="x", y_label="y")


def test_training_curves_pair_validation_with_training():
    fig = plots.training_curves({"loss": [2.0, 1.0], "val_loss": [3.0, 2.0], "learning_rate": [0.1, 0.1]})
    assert len(fig.axes) == 1
    assert [line.get_label() for line in fig.axes[0].lines] == ["training", "validation"]
    np.testing.assert_array_equal(fig.axes[0].lines[1].get_xydata(), [[1, 3], [2, 2]])
    with pytest.raises(ValueError, match=r"no \['accuracy'\]; it holds \['loss'\]"):
        plots.training_curves({"loss": [1.0]}, keys=["accuracy"])


def test_latent_map_colours_by_label():
    codes, labels = RNG.random((30, 2)), np.arange(30) % 10
    collections = plots.latent_map(codes, labels).axes[0].collections
    assert len(collections) == 10
    np.testing.assert_allclose(collections[4].get_offsets(), codes[labels == 4])
    with pytest.raises(ValueError, match=r"accepted are \(n, 2\)"):
        plots.latent_map(RNG.random((30, 3)), labels)


def test_animation_keeps_every_frame_and_its_limit(shown):
    frames = np.linspace(0, 1, 6)[:, None, None] * np.ones((6, 8, 8))
    assert Image.open(io.BytesIO(encode_gif(frames, fps=8))).n_frames == 6
    plots.animation(frames, alt="A square fades in.")
    assert "image/gif" in shown[0][0]
    with pytest.raises(ValueError, match="at most 100 KB"):
        plots.animation(RNG.random((60, 64, 64)), alt="Noise.")
