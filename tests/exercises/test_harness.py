import numpy as np
import pytest

from gencourse.exercises.harness import NotYet, call, expect, expect_close, likely_mistake


def stub(x):
    raise NotImplementedError()


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (stub, "still a stub"),
        (lambda x: 1 / 0, "`f\\(2\\)` stopped with ZeroDivisionError"),
        (lambda x: None, "returned None"),
        (3, "needs the function you wrote"),
    ],
)
def test_call_says_what_went_wrong(function, sentence):
    with pytest.raises(NotYet, match=sentence):
        call(function, 2, shown="f(2)")


def test_call_protects_its_arguments():
    x = np.zeros(2)
    call(lambda array: array.fill(1) or array, x, shown="f(x)")
    assert not x.any()


@pytest.mark.parametrize(
    ("actual", "sentence"),
    [
        ([1.0, 2.5], r"at \(1,\) gave 2.5, where 2 is wanted. Look again."),
        ([1.0, np.nan], r"gave nan"),
        (1.0, r"shape \(\), where \(2,\)"),
        ("text", "where numbers are wanted"),
    ],
)
def test_expect_close_names_the_difference(actual, sentence):
    with pytest.raises(NotYet, match=sentence):
        expect_close(actual, [1.0, 2.0], shown="f(x)", hint="Look again.")


def test_right_answers_pass():
    assert call(lambda x: x + 1, 2, shown="f(2)") == 3
    expect_close([1.0 + 1e-9, 2.0], [1.0, 2.0], shown="f(x)", hint="")
    expect(True, "never seen")
    with pytest.raises(NotYet, match="seen"):
        expect(False, "seen")


def test_likely_mistake_is_recognized_by_its_outcome():
    outcomes = {"Twice too large.": [2.0, 4.0], "A sign is wrong.": [-1.0, -2.0]}
    assert likely_mistake([-1.0, -2.0], outcomes, "Look again.") == "A sign is wrong."
    assert likely_mistake([9.0, 9.0], outcomes, "Look again.") == "Look again."
