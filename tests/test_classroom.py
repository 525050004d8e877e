"""From the course to a release, from submissions to points: nothing leaks, nothing is lost, the checks stay honest."""

import csv

import nbformat
import pytest
from tiny_course import ENTROPY, NAME, STEP, hand_in, write_course

from gencourse.classroom.assignment import assign
from gencourse.classroom.copies import start, strip
from gencourse.classroom.grading import grade
from gencourse.classroom.tampering import suspicious

SOLVED = {"exercise_1_solution": STEP, "exercise_2_solution": ENTROPY}
PLAIN_MOMENTUM = (
    "def nesterov_step(theta, v, gradient, lr, beta):\n    v = beta * v - lr * gradient(theta)\n    return theta + v, v"
)
STUB = "    # YOUR CODE HERE\n    raise NotImplementedError()"


@pytest.fixture
def course(tmp_path, monkeypatch):
    root = write_course(tmp_path / "course")
    monkeypatch.chdir(root)
    return root


def source_of(notebook, cell_id):
    return next(cell.source for cell in notebook.cells if cell.id == cell_id)


class TestStart:
    def test_copy_has_stubs_and_keeps_what_grading_needs(self, course):
        path = start("12")
        assert path == course / "work" / f"{NAME}.ipynb"
        original = nbformat.read(course / "notebooks" / path.name, as_version=4)
        learner = nbformat.read(path, as_version=4)
        nbformat.validate(learner)
        assert [cell.id for cell in learner.cells] == [cell.id for cell in original.cells]
        assert source_of(learner, "exercise-1-solution").strip().endswith(STUB)
        assert "SOLUTION" not in path.read_text(encoding="utf-8")
        for cell, before in zip(learner.cells, original.cells, strict=True):
            assert cell.metadata.get("nbgrader") == before.metadata.get("nbgrader")
            assert not cell.get("outputs")
            assert "source_hidden" not in cell.metadata.get("jupyter", {})
        navigation = "[13 Next](../notebooks/13_next.ipynb#start) · [all](../README.md#map) · [a](https://a.org/b.md)"
        assert source_of(learner, "navigation") == navigation

    def test_earlier_work_is_never_overwritten(self, course):
        path = start("12")
        path.write_text("my work", encoding="utf-8")
        with pytest.raises(FileExistsError, match="--again"):
            start("12")
        start("12", again=True)
        start("12", again=True)
        assert path.with_name(f"{NAME}.1.ipynb").read_text(encoding="utf-8") == "my work"
        assert path.with_name(f"{NAME}.2.ipynb").exists()

    def test_unknown_number_lists_the_known_ones(self, course):
        with pytest.raises(LookupError, match="12, 13"):
            start("77")

    def test_hidden_tests_are_removed(self):
        cell = nbformat.v4.new_code_cell("check(f)\n### BEGIN HIDDEN TESTS\nassert f(7) == 1\n### END HIDDEN TESTS")
        assert strip(nbformat.v4.new_notebook(cells=[cell])).cells[0].source == "check(f)"


class TestAssign:
    def test_release_holds_no_solution_and_equals_the_learners_copy(self, course, tmp_path):
        paths = assign(["12", "13", "12"], tmp_path / "release")
        assert [path.name for path in paths] == [f"{NAME}.ipynb", "13_next.ipynb"]
        text = paths[0].read_text(encoding="utf-8")
        for secret in ("SOLUTION", "gradient(theta + beta * v)", "keepdims", "a line of output", "source_hidden"):
            assert secret not in text
        released = nbformat.read(paths[0], as_version=4)
        own = nbformat.read(start("12"), as_version=4)
        assert [cell.source for cell in released.cells][:-1] == [cell.source for cell in own.cells][:-1]
        navigation = "[13 Next](13_next.ipynb#start) · all · [a](https://a.org/b.md)"  # no dead link
        assert source_of(released, "navigation") == navigation
        readme = (tmp_path / "release" / "README.md").read_text(encoding="utf-8")
        assert f"[{NAME}.ipynb]" in readme
        assert "not measured" in readme

    def test_full_folder_is_refused_unless_forced(self, course, tmp_path):
        (tmp_path / "note.txt").write_text("mine", encoding="utf-8")
        with pytest.raises(FileExistsError, match="--force"):
            assign(["13"], tmp_path)
        assign(["13"], tmp_path, force=True)
        assert (tmp_path / "note.txt").exists()

    def test_solution_outside_a_solution_cell_is_refused(self, course, tmp_path):
        path = course / "notebooks" / "13_next.ipynb"
        notebook = nbformat.read(path, as_version=4)
        notebook.cells[0].source = "### BEGIN SOLUTION\nx = 1\n### END SOLUTION"
        nbformat.write(notebook, path)
        with pytest.raises(ValueError, match=r"13_next.ipynb cannot be released: .*solution cells"):
            assign(["13"], tmp_path / "release")


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The rows of one grading run over honest, wrong, tampered and broken submissions, and the folder of results."""
    root = write_course(tmp_path_factory.mktemp("class") / "course")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        released = nbformat.read(assign(["12"], root / "release")[0], as_version=4)
        submitted = root / "submitted"

        def hand(student, **sources):
            return hand_in(released, submitted / student / f"{NAME}.ipynb", **sources)

        hand("right", **SOLVED)
        hand("wrong", exercise_1_solution=PLAIN_MOMENTUM)  # and the second is still the stub
        hand("tampered", exercise_1_check="pass", exercise_2_check="print('✓')")
        hand(
            "replacer",
            exercise_1_solution="from gencourse.exercises import harness\nharness.expect = lambda *a: None\n"
            "checks.check_nesterov_step = lambda f: print('✓')\ndef nesterov_step(*a):\n    return 0, 0",
            exercise_2_solution="import sys, types\nfake = types.SimpleNamespace(check_cross_entropy=print)\n"
            "sys.modules['gencourse.exercises.neural_networks'] = checks = fake\ndef cross_entropy(*a):\n    return 0",
        )
        hand(
            "crashing",
            setup="import numpy as np\n1 / 0",
            exercise_1_solution="import threading\nthreading.Event().wait()",
            exercise_2_solution=ENTROPY,
        )
        hand("killing", exercise_1_solution="import os\nos._exit(1)", exercise_2_solution=ENTROPY)

        dodging = hand("dodging", exercise_1_solution=PLAIN_MOMENTUM)
        for cell in dodging.cells:
            cell.metadata["tags"] = ["skip-execution", "raises-exception"]
            if "nbgrader" in cell.metadata:
                cell.metadata.nbgrader |= {"solution": True, "locked": False}
        hand_in(dodging, submitted / "dodging" / f"{NAME}.ipynb")

        lost = hand("lost", **SOLVED)
        lost.cells = [cell for cell in lost.cells if cell.id not in ("exercise-1-check", "exercise-2-solution")]
        hand_in(lost, submitted / "nested [1]" / NAME / f"{NAME}.ipynb")

        (submitted / "lost" / f"{NAME}.ipynb").write_text("no notebook", encoding="utf-8")
        (submitted / "lost" / "77_unknown.ipynb").write_text("{}", encoding="utf-8")
        (submitted / "lost" / "essay.txt").write_text("", encoding="utf-8")
        hand_in(released, submitted / "twice" / f"{NAME}.ipynb")
        hand_in(released, submitted / "twice" / f"{NAME} (1).ipynb")
        (submitted / "empty").mkdir()
        (submitted / "stray.ipynb").write_text("{}", encoding="utf-8")
        seen = []
        grade(submitted, root / "graded", seconds_per_cell=10, on_submission=lambda *now: seen.append(now))
        assert [now[:2] for now in seen] == [(done, 10) for done in range(11)]
    with (root / "graded" / "grades.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file)), root / "graded" / "feedback"


class TestGrade:
    @pytest.mark.parametrize(
        ("student", "points"),
        [
            ("right", ["1.0", "1.0"]),
            ("wrong", ["0.0", "0.0"]),
            ("tampered", ["0.0", "0.0"]),
            ("replacer", ["0.0", "0.0"]),
            ("crashing", ["0.0", "1.0"]),
            ("killing", ["0.0", "1.0"]),
            ("dodging", ["0.0", "0.0"]),
            ("nested [1]", ["1.0", "0.0"]),
        ],
    )
    def test_points(self, graded, student, points):
        rows = [row for row in graded[0] if row["student"] == student]
        assert [row["exercise"] for row in rows] == ["exercise-1", "exercise-2"]
        assert [row["points"] for row in rows] == points
        assert {row["max_points"] for row in rows} == {"1.0"}

    def test_flags_say_what_to_look_at(self, graded):
        flags = {row["student"]: row["flags"] for row in graded[0]}
        assert flags["right"] == flags["wrong"] == ""
        assert "'exercise-1-check' was changed" in flags["tampered"]
        for word in ("sys.modules", "assigns to harness.expect", "assigns to checks.check_nesterov_step"):
            assert word in flags["replacer"]
        assert "mentions _exit" in flags["killing"]
        assert "'exercise-1-check' is missing" in flags["nested [1]"]
        assert "'exercise-2-solution' is missing" in flags["nested [1]"]

    def test_what_cannot_be_graded_is_listed(self, graded):
        found = {(row["student"], row["notebook"]): row["flags"] for row in graded[0] if not row["exercise"]}
        assert found.keys() == {
            ("lost", f"{NAME}.ipynb"), ("lost", "77_unknown.ipynb"), ("lost", "essay.txt"), ("empty", ""),
            ("twice", f"{NAME}.ipynb"), ("twice", f"{NAME} (1).ipynb"), ("", "stray.ipynb"),
        }  # fmt: skip
        assert "no valid notebook" in found["lost", f"{NAME}.ipynb"]
        assert "There is no notebook" in found["lost", "77_unknown.ipynb"]
        assert "twice" in found["twice", f"{NAME}.ipynb"]

    def test_feedback_shows_points_errors_and_flags(self, graded):
        page = (graded[1] / "wrong" / f"{NAME}.html").read_text(encoding="utf-8")
        assert "plain momentum" in page
        assert "Score: 0.0 / 2.0" in page
        assert "mentions sys.modules" in (graded[1] / "replacer" / f"{NAME}.html").read_text(encoding="utf-8")

    def test_missing_or_empty_folder_is_refused(self, course, tmp_path):
        with pytest.raises(FileNotFoundError, match="There is no folder"):
            grade(tmp_path / "nowhere", tmp_path / "out")
        (tmp_path / "submitted").mkdir()
        with pytest.raises(FileNotFoundError, match="is empty"):
            grade(tmp_path / "submitted", tmp_path / "out")


class TestSuspicious:
    @pytest.mark.parametrize(
        "source",
        [
            "import importlib",
            "from importlib import reload as r",
            "import gencourse.exercises.neural_networks as checks",
            "from gencourse import exercises",
            "import sys\nsys.modules['a'] = 1",
            "from sys import modules",
            "getattr(sys, 'modules')",
            "np.abs = lambda x: 0",
            "import scipy.special\nscipy.special.logsumexp = max",
            "setattr(np, 'abs', max)",
            "__builtins__.print = max",
            "f.__globals__['x'] = 1",
            "%load_ext autoreload",
            "for np.abs in [max]: pass",
        ],
    )
    def test_finds(self, source):
        assert suspicious(source, {"np", "scipy"})

    @pytest.mark.parametrize(
        "source", [STEP, ENTROPY, "self.x = np.abs(1)", "a[0] += 1\nb: int = 2", "np.zeros(3)[0] = 1", "def broken(:"]
    )
    def test_leaves_ordinary_code_alone(self, source):
        assert suspicious(source, {"np"}) == []
