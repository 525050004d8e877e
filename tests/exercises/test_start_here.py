import numpy as np
import pytest

from gencourse.exercises import start_here
from gencourse.exercises.harness import NotYet


def test_right_solutions_pass(capsys):
    start_here.check_to_unit_range(lambda pixels: pixels.astype("float32") / 255)
    start_here.check_rows_needed(lambda n, columns: -(-n // columns))
    start_here.check_mean_image(lambda images, labels, label: images[labels == label].mean(axis=0))
    assert capsys.readouterr().out.count("✓") == 3


@pytest.mark.parametrize(
    ("check", "wrong", "sentence"),
    [
        ("to_unit_range", lambda pixels: pixels.astype("float32") / 256, "brightest byte is 255"),
        ("to_unit_range", lambda pixels: pixels / 255, "float32 is wanted"),
        ("to_unit_range", lambda pixels: pixels // 255, "gave 0"),
        ("rows_needed", lambda n, columns: n // columns, "partly filled"),
        ("rows_needed", lambda n, columns: n // columns + 1, "never empty"),
        ("mean_image", lambda images, labels, label: images.mean(axis=0), "Choose by label"),
        ("mean_image", lambda images, labels, label: images[labels == label].mean(), "has shape"),
        ("mean_image", lambda images, labels, label: np.median(images[labels == label], axis=0), "gave"),
    ],
)
def test_typical_mistakes_are_named(check, wrong, sentence):
    with pytest.raises(NotYet, match=sentence):
        getattr(start_here, f"check_{check}")(wrong)
