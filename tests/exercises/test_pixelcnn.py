import numpy as np
import pytest
from scipy.special import log_softmax

from gencourse.exercises import pixelcnn
from gencourse.exercises.harness import NotYet


def colour_mask(size, kind):
    kept = np.zeros((size, size, 3, 3))
    kept[: size // 2] = 1
    kept[size // 2, : size // 2] = 1
    kept[size // 2, size // 2] = np.triu(np.ones((3, 3)), k=1 if kind == "A" else 0)
    return kept


def image_log_prob(logits, levels):
    return np.take_along_axis(log_softmax(logits, axis=-1), levels[..., None], axis=-1).sum(axis=(1, 2, 3))


def sample_rows(conditional, uniform):
    rows = np.zeros(uniform.shape)
    for j in range(uniform.shape[1]):
        rows[:, j] = uniform[:, j] < conditional(rows)[:, j]
    return rows


def test_right_solutions_pass(capsys):
    pixelcnn.check_colour_mask(colour_mask)
    pixelcnn.check_image_log_prob(image_log_prob)
    pixelcnn.check_sample_rows(sample_rows)
    assert capsys.readouterr().out.count("✓") == 3


def grey_mask(size, kind):
    kept = colour_mask(size, kind)
    kept[size // 2, size // 2] = kind == "B"
    return kept


def narrow_mask(size, kind):
    kept = colour_mask(size, kind)
    kept[: size // 2, size // 2 + 1 :] = 0
    return kept


def unnormalized(logits, levels):
    return np.take_along_axis(logits, levels[..., None], axis=-1).sum(axis=(1, 2, 3))


def rounded(conditional, uniform):
    return sample_rows(conditional, np.full(uniform.shape, 0.5))


def reversed_threshold(conditional, uniform):
    return sample_rows(lambda rows: 1 - conditional(rows), 1 - uniform)


def stub(*arguments):
    raise NotImplementedError


@pytest.mark.parametrize(
    ("check", "wrong", "sentence"),
    [
        ("colour_mask", lambda size, kind: np.swapaxes(colour_mask(size, kind), 2, 3), "the other way round"),
        ("colour_mask", lambda size, kind: colour_mask(size, "B"), "not with kind A"),
        ("colour_mask", grey_mask, "green may see red"),
        ("colour_mask", narrow_mask, "free on the right side"),
        ("image_log_prob", unnormalized, "not normalized"),
        ("image_log_prob", lambda logits, levels: image_log_prob(logits, levels) / levels[0].size, "nats a pixel"),
        ("image_log_prob", lambda logits, levels: -image_log_prob(logits, levels), "the NLL"),
        ("image_log_prob", lambda logits, levels: image_log_prob(logits, 0 * levels), "its own level"),
        ("sample_rows", lambda conditional, u: 1.0 * (u < conditional(0 * u)), "drawn at once"),
        ("sample_rows", rounded, "do not round"),
        ("sample_rows", reversed_threshold, "below the probability"),
        ("sample_rows", lambda conditional, u: 1.0 * (u < 0.5), "never called"),
        *((name, stub, "still a stub") for name in ("colour_mask", "image_log_prob", "sample_rows")),
    ],
)
def test_wrong_solutions_are_refused_with_the_telling_sentence(check, wrong, sentence):
    with pytest.raises(NotYet, match=sentence):
        getattr(pixelcnn, f"check_{check}")(wrong)
