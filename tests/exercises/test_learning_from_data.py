import numpy as np
import pytest

from gencourse.exercises import learning_from_data
from gencourse.exercises.harness import NotYet


def standardize(train, test):
    return (train - train.mean(axis=0)) / train.std(axis=0), (test - train.mean(axis=0)) / train.std(axis=0)


def standardize_with_leak(train, test):
    return (train - train.mean(axis=0)) / train.std(axis=0), (test - test.mean(axis=0)) / test.std(axis=0)


def nearest_centre(points, centres):
    return np.array([np.argmin([np.linalg.norm(point - centre) for centre in centres]) for point in points])


def cross_validate(fit, error, x, y, k, held_out_is_trained_on=False, pooled=False):
    errors, weights = [], []
    for fold in np.array_split(np.arange(len(x)), k):
        train = np.arange(len(x)) if held_out_is_trained_on else np.setdiff1d(np.arange(len(x)), fold)
        errors.append(error(fit(x[train], y[train]), x[fold], y[fold]))
        weights.append(len(fold) if pooled else 1)
    return np.average(errors, weights=weights)


def test_right_solutions_pass(capsys):
    learning_from_data.check_standardize(standardize)
    learning_from_data.check_nearest_centre(nearest_centre)
    learning_from_data.check_cross_validate(cross_validate)
    assert capsys.readouterr().out.count("✓") == 3


@pytest.mark.parametrize(
    ("check", "wrong", "sentence"),
    [
        ("standardize", standardize_with_leak, "its own would leak"),
        ("standardize", lambda train, test: (train - train.mean(), test - train.mean()), "divide by the std"),
        ("standardize", lambda train, test: train, "must return two arrays"),
        ("nearest_centre", lambda points, centres: nearest_centre(centres, points), "has shape"),
        ("nearest_centre", lambda points, centres: np.zeros(len(points)), "argmin over the centres"),
        ("cross_validate", lambda *a: cross_validate(*a, held_out_is_trained_on=True), "all folds but one"),
        ("cross_validate", lambda *a: cross_validate(*a, pooled=True), "not the n points"),
    ],
)
def test_typical_mistakes_are_named(check, wrong, sentence):
    with pytest.raises(NotYet, match=sentence):
        getattr(learning_from_data, f"check_{check}")(wrong)
