"""Checks for notebook 11: standardizing without a leak, nearest centres, cross-validation."""

from collections.abc import Callable

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import KFold, cross_val_score
from sklearn.preprocessing import StandardScaler

from gencourse.exercises.harness import call, expect, expect_close, passed


def check_standardize(standardize: Callable) -> None:
    """Check `standardize(train, test)` against scikit-learn's scaler, fitted on the training data alone."""
    rng = np.random.default_rng(0)
    train, test = rng.normal(3, 2, size=(20, 3)), rng.normal(5, 1, size=(8, 3))
    scaler = StandardScaler().fit(train)
    shown = "standardize(train, test)"
    value = call(standardize, train, test, shown=shown)
    expect(isinstance(value, tuple) and len(value) == 2, f"`{shown}` must return two arrays: train, test.")
    expect_close(value[0], scaler.transform(train), shown=f"{shown}[0]", hint="Subtract the mean, divide by the std.")
    hint = "The test data must be scaled with the mean and standard deviation of the training data; its own would leak."
    expect_close(value[1], scaler.transform(test), shown=f"{shown}[1]", hint=hint)
    passed("both arrays are on the training data's scale")


def check_nearest_centre(nearest_centre: Callable) -> None:
    """Check `nearest_centre(points, centres)` against SciPy's distances."""
    rng = np.random.default_rng(1)
    for n, k, d in ((6, 3, 2), (5, 4, 7), (1, 2, 1)):
        points, centres = rng.normal(size=(n, d)), rng.normal(size=(k, d))
        shown = f"nearest_centre(points {points.shape}, centres {centres.shape})"
        value = call(nearest_centre, points, centres, shown=shown)
        hint = "Sum the squared differences over the last axis, then take argmin over the centres."
        expect_close(value, cdist(points, centres).argmin(axis=1), shown=shown, hint=hint)
    passed("every point has its nearest centre")


def check_cross_validate(cross_validate: Callable) -> None:
    """Check `cross_validate(fit, error, x, y, k)` against scikit-learn, for folds of equal and of unequal size."""

    def fit(x, y):
        return LinearRegression().fit(x, y)

    def error(model, x, y):
        return mean_squared_error(y, model.predict(x))

    rng = np.random.default_rng(2)
    for n, k in ((12, 3), (12, 5)):
        x = rng.normal(size=(n, 2))
        y = x @ [1.0, -2.0] + rng.normal(size=n)
        scores = cross_val_score(LinearRegression(), x, y, cv=KFold(k), scoring="neg_mean_squared_error")
        shown = f"cross_validate(fit, error, x, y, {k}) for {n} points"
        value = call(cross_validate, fit, error, x, y, k, shown=shown)
        hint = "Fit on all folds but one, measure on that one, and average the k errors (not the n points)."
        expect_close(value, -scores.mean(), shown=shown, hint=hint)
    passed("the mean held-out error equals scikit-learn's")
