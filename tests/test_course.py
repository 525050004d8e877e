import json
import subprocess
import sys

import keras
import numpy as np
import pytest

from gencourse.course import Notebook, budget, catalogue, find_notebook, profile, setup


def write_notebook(folder, number, **changes):
    facts = {"number": number, "title": "A title", "part": "Foundations", "objectives": ["one"], "prerequisites": [],
             "topics": [], "sources": []} | changes  # fmt: skip
    path = folder / f"{number}_topic.ipynb"
    path.write_text(json.dumps({"metadata": {"gencourse": facts}, "cells": []}))
    return path


def test_profile_is_full_unless_told(monkeypatch):
    monkeypatch.delenv("GENCOURSE_PROFILE", raising=False)
    assert profile() == "full"
    assert budget(full=20, quick=1) == 20
    monkeypatch.setenv("GENCOURSE_PROFILE", "quick")
    assert budget(full=20, quick=1) == 1


def test_unknown_profile_is_refused(monkeypatch):
    monkeypatch.setenv("GENCOURSE_PROFILE", "fast")
    with pytest.raises(ValueError, match=r"'fast'.*'full' and 'quick'"):
        profile()


def test_setup_repeats_numpy_and_keras(capsys):
    draws = []
    for _ in range(2):
        setup(seed=3)
        draws.append((np.random.random(4), keras.ops.convert_to_numpy(keras.random.normal((4,)))))  # noqa: NPY002
    np.testing.assert_array_equal(draws[0][0], draws[1][0])
    np.testing.assert_array_equal(draws[0][1], draws[1][1])
    assert f"Keras {keras.__version__}" in capsys.readouterr().out


def test_missing_tensorflow_is_one_sentence(tmp_path):
    """A kernel without TensorFlow: Keras's own import fails, and setup says what to do."""
    program = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "from gencourse.course import setup\n"
        "try:\n    setup()\nexcept ModuleNotFoundError as error:\n    print(error)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "tensorflow is not installed in this kernel's Python. Run `make lab`" in run.stdout


def test_importing_the_package_is_quick():
    heavy = "{'tensorflow', 'keras', 'matplotlib', 'tensorflow_datasets'}"
    program = f"import sys, gencourse.course, gencourse.results; print({heavy} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_catalogue_is_in_order_and_found_by_number(tmp_path):
    write_notebook(tmp_path, "12")
    write_notebook(tmp_path, "00", execution={"seconds": 90})
    notebooks = catalogue(tmp_path)
    assert [notebook.number for notebook in notebooks] == ["00", "12"]
    assert notebooks[0].minutes == 1.5
    assert notebooks[1].minutes is None
    assert find_notebook("12_topic", tmp_path) == find_notebook(12, tmp_path) == notebooks[1]
    assert find_notebook(0, tmp_path) == notebooks[0]


@pytest.mark.parametrize("number", ["77", "x", "1", "120"])
def test_unknown_number_lists_those_there_are(tmp_path, number):
    write_notebook(tmp_path, "12")
    with pytest.raises(LookupError, match=rf"no notebook '{number}'. The course has: 12"):
        find_notebook(number, tmp_path)


def test_incomplete_metadata_names_the_file(tmp_path):
    path = tmp_path / "12_topic.ipynb"
    path.write_text(json.dumps({"metadata": {"gencourse": {"number": "12"}}}))
    with pytest.raises(ValueError, match=r"12_topic\.ipynb has no complete 'gencourse' metadata: KeyError\('title'\)"):
        Notebook.read(path)
