"""The checker of notebook 52 accepts right solutions of any style and names the typical mistakes."""

import numpy as np
import pytest

from gencourse.exercises.guidance import check_combine, check_drop_labels, check_keep_known
from gencourse.exercises.harness import NotYet


def stub(*arguments):
    raise NotImplementedError()


def combine(free, told, weight):
    weight = np.reshape(weight, (-1, 1, 1, 1))
    return free + weight * (told - free)


def combine_one_by_one(free, told, weight):
    weight = np.broadcast_to(weight, len(free))
    return np.stack([(1 - w) * a + w * b for a, b, w in zip(free, told, weight, strict=True)])


def exchanged(free, told, weight):
    return combine(told, free, weight)


def papers_weight(free, told, weight):
    return combine(free, told, 1 + np.asarray(weight))


def difference(free, told, weight):
    return combine(free, told, weight) - free


def one_weight_only(free, told, weight):
    return free + weight * (told - free)


def drop_labels(labels, classes, rate, rng):
    return {name: np.where(rng.random(len(own)) < rate, classes[name], own) for name, own in labels.items()}


def drop_in_copies(labels, classes, rate, rng):
    dropped = {}
    for name, own in labels.items():
        dropped[name] = own.copy()
        dropped[name][rng.uniform(size=len(own)) < rate] = classes[name]
    return dropped


def drop_together(labels, classes, rate, rng):
    lost = rng.random(len(next(iter(labels.values())))) < rate
    return {name: np.where(lost, classes[name], own) for name, own in labels.items()}


def drop_the_batch(labels, classes, rate, rng):
    return {name: np.full_like(own, classes[name]) if rng.random() < rate else own for name, own in labels.items()}


def keep_at_the_rate(labels, classes, rate, rng):
    return drop_labels(labels, classes, 1 - rate, rng)


def drop_to_zero(labels, classes, rate, rng):
    return drop_labels(labels, dict.fromkeys(classes, 0), rate, rng)


def drop_in_place(labels, classes, rate, rng):
    for name, own in labels.items():
        own[rng.random(len(own)) < rate] = classes[name]
    return labels


def keep_known(x, signal, noise, picture, known, mask):
    picture = np.where(mask[..., None], picture, known)
    return picture, (x - signal * picture) / noise


def keep_known_by_index(x, signal, noise, picture, known, mask):
    both = known.copy()
    both[:, mask] = picture[:, mask]
    return [both, (x - signal * both) / noise]


def inverted(x, signal, noise, picture, known, mask):
    return keep_known(x, signal, noise, picture, known, ~mask)


def own_noise(x, signal, noise, picture, known, mask):
    return keep_known(x, signal, noise, picture, known, mask)[0], (x - signal * picture) / noise


def undivided(x, signal, noise, picture, known, mask):
    picture, remains = keep_known(x, signal, noise, picture, known, mask)
    return picture, noise * remains


def picture_only(x, signal, noise, picture, known, mask):
    return keep_known(x, signal, noise, picture, known, mask)[0][:1]


@pytest.mark.parametrize(
    ("check", "right"),
    [
        (check_combine, combine),
        (check_combine, combine_one_by_one),
        (check_drop_labels, drop_labels),
        (check_drop_labels, drop_in_copies),
        (check_keep_known, keep_known),
        (check_keep_known, keep_known_by_index),
    ],
)
def test_a_right_solution_passes(check, right, capsys):
    check(right)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("check", "wrong", "sentence"),
    [
        (check_combine, stub, "still a stub"),
        (check_combine, exchanged, "the other way round"),
        (check_combine, papers_weight, "the paper's"),
        (check_combine, difference, "The difference alone"),
        (check_combine, one_weight_only, "an array"),
        (check_drop_labels, stub, "still a stub"),
        (check_drop_labels, drop_together, "draw anew for each name"),
        (check_drop_labels, drop_the_batch, "not one for the batch"),
        (check_drop_labels, keep_at_the_rate, "are wanted|not one for the batch"),
        (check_drop_labels, drop_to_zero, "its null label is 3"),
        (check_drop_labels, drop_in_place, "have changed"),
        (check_keep_known, stub, "still a stub"),
        (check_keep_known, inverted, "the other way round"),
        (check_keep_known, own_noise, "the network's own picture"),
        (check_keep_known, undivided, "Divide by the noise rate"),
        (check_keep_known, picture_only, "two arrays"),
    ],
)
def test_a_wrong_solution_is_refused_with_the_telling_sentence(check, wrong, sentence):
    with pytest.raises(NotYet, match=sentence):
        check(wrong)
