"""Every model of the course, tiny, through the one harness: a new model adds one case."""

import numpy as np
import pytest
from model_harness import CHECKS, Case, case_name, check_name, run_under_jax, runnable

from gencourse.recipes.judge import build_judge


def digits() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    return generator.random((8, 28, 28, 1), "float32"), generator.integers(0, 10, 8, "int32")


CASES = [
    Case(
        "judge",
        build=lambda: build_judge(widths=(4, 4, 4)),
        data=digits,
        inputs=("xy",),
        deterministic=("predict_on_batch",),  # a plain Keras model: it refuses what Keras refuses, so no `bad`
    ),
]


@pytest.mark.parametrize("check", CHECKS, ids=check_name)
@pytest.mark.parametrize("case", runnable(CASES), ids=case_name)
def test_model(case, check):
    check(case)


def test_single_loss_models_under_jax():
    run_under_jax(__file__)
