"""The command: what each verb prints, writes and refuses. What the verbs do is tested where it is written."""

import subprocess
import sys

import nbformat
import pytest
from tiny_course import NAME, write_course
from typer.testing import CliRunner

from gencourse import health
from gencourse.cli import app
from gencourse.health import Check


@pytest.fixture
def course(tmp_path, monkeypatch):
    root = write_course(tmp_path / "course")
    monkeypatch.chdir(root)
    return root


def gencourse(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def refusal(result):
    """The one line on stderr of a command that was refused."""
    assert result.exit_code == 1
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("Error: ")
    return lines[0]


def test_command_starts_without_the_heavy_packages():
    heavy = "{'tensorflow', 'keras', 'tensorflow_datasets', 'matplotlib', 'nbclient', 'nbgrader', 'numpy'}"
    code = f"import sys, gencourse.cli; print(sorted({heavy} & sys.modules.keys()))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


@pytest.mark.parametrize("verb", ["list", "start", "doctor", "run", "train", "sample", "assign", "grade"])
def test_every_verb_explains_itself(verb):
    result = gencourse(verb, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.stdout


def test_list_shows_the_catalogue(course):
    lines = gencourse("list").stdout.splitlines()
    row = next(line for line in lines if "Neural networks" in line)
    assert [cell.strip() for cell in row.strip("│").split("│")] == ["12", "Neural networks", "Foundations", "1.5", "11"]


def test_list_outside_a_course_names_what_is_missing(course, monkeypatch):
    monkeypatch.setattr("gencourse.cli.catalogue", lambda: (_ for _ in ()).throw(FileNotFoundError("no notebooks/")))
    assert "no notebooks/" in refusal(gencourse("list"))


def test_start_says_where_the_copy_is_and_refuses_a_second(course):
    assert f"work/{NAME}.ipynb" in gencourse("start", 12).stdout
    assert "--again" in refusal(gencourse("start", "12"))
    assert gencourse("start", 12, "--again").exit_code == 0


@pytest.mark.parametrize("command", [("start", "77"), ("run", "77"), ("assign", "12", "77")])
def test_unknown_notebook_lists_the_known_ones(course, command):
    assert "The course has: 12, 13" in refusal(gencourse(*command))


def test_run_writes_beside_the_course_and_not_into_it(course):
    before = (course / "notebooks" / "13_next.ipynb").read_bytes()
    result = gencourse("run", 13, "--profile", "quick")
    assert result.exit_code == 0, result.stderr
    executed = nbformat.read(course / "work" / "run" / "13_next.ipynb", as_version=4)
    assert executed.cells[0].outputs[0].text == "42\n"
    assert "42" in (course / "work" / "run" / "13_next.html").read_text(encoding="utf-8")
    assert (course / "notebooks" / "13_next.ipynb").read_bytes() == before
    assert "never written" in refusal(gencourse("run", 13, "--out", "notebooks"))


def test_run_names_the_cell_that_failed(course):
    path = course / "notebooks" / "13_next.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].source = "1 / 0"
    nbformat.write(notebook, path)
    assert "Cell 'answer' stopped with ZeroDivisionError" in refusal(gencourse("run", "13"))
    assert not (course / "work" / "run" / "13_next.ipynb").exists()


def test_doctor_says_ok(course, monkeypatch):
    monkeypatch.setattr(health, "examine", lambda: iter([Check("data", "intact")]))
    result = gencourse("doctor")
    assert result.exit_code == 0
    assert "OK      data: intact" in result.stdout
    assert "2 minutes on two CPU cores (Foundations 2)" in result.stdout


def test_doctor_names_the_problem_and_the_remedy(course, monkeypatch):
    found = [Check("Python", "3.11"), Check("data", "damaged", "data/mnist [x] is damaged: run `make data`.")]
    monkeypatch.setattr(health, "examine", lambda: iter(found))
    result = gencourse("doctor")
    assert "PROBLEM data: damaged" in result.stdout
    assert "→ data/mnist [x] is damaged: run `make data`." in result.stdout
    assert "1 problem" in refusal(result)


def test_train_lists_the_recipes_it_knows():
    assert "judge" in refusal(gencourse("train", "jduge"))


@pytest.mark.parametrize(("package", "remedy"), [("nbgrader", "classroom"), ("tensorflow", "make lab")])
def test_missing_package_is_one_line(course, monkeypatch, package, remedy):
    def missing(*_):
        raise ModuleNotFoundError(f"No module named '{package}.api'", name=f"{package}.api")

    monkeypatch.setattr("gencourse.cli.catalogue", missing)
    line = refusal(gencourse("list"))
    assert f"{package} is not installed" in line
    assert remedy in line


def test_interrupt_is_one_line(course, monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr("gencourse.cli.catalogue", interrupted)
    result = gencourse("list")
    assert result.exit_code == 130
    assert result.stderr.strip() == "Stopped."


def test_assign_and_grade_say_what_they_wrote(course):
    assert f"{NAME}.ipynb and README.md" in gencourse("assign", 12).stdout
    assert "--force" in refusal(gencourse("assign", 12))
    (course / "submitted" / "ada").mkdir(parents=True)
    (course / "submitted" / "ada" / f"{NAME}.ipynb").write_text("{}", encoding="utf-8")
    result = gencourse("grade", "submitted")
    assert result.exit_code == 0
    assert "ada" in result.stdout
    assert "no valid notebook" in (course / "graded" / "grades.csv").read_text(encoding="utf-8")
    assert "There is no folder" in refusal(gencourse("grade", "nowhere"))


def test_sample_writes_a_picture_that_its_seed_decides(tmp_path):
    pictures = [tmp_path / f"{index}.png" for index in range(3)]
    for picture, seed in zip(pictures, (1, 1, 2), strict=True):
        assert gencourse("sample", "vae_mnist", "-n", 3, "--seed", seed, "--out", picture).exit_code == 0
    one, again, other = (picture.read_bytes() for picture in pictures)
    assert one.startswith(b"\x89PNG")
    assert one == again != other


def test_sample_refuses_a_model_that_draws_nothing(tmp_path):
    assert "'judge' cannot be sampled: Classifies digits" in refusal(gencourse("sample", "judge"))
    assert "no recipe 'jury'" in refusal(gencourse("sample", "jury"))
