"""nbgrader's three steps (release, autograde, feedback) on one notebook, in a throw-away course folder."""

import logging
import os
import sysconfig
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateAssignment, GenerateFeedback
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import CheckCellMetadata, LimitOutput, NbGraderPreprocessor, SaveAutoGrades
from traitlets import Float
from traitlets.config import Config

from gencourse.execution import NotebookError, execute

QUIET = logging.getLogger(__name__)
QUIET.addHandler(logging.NullHandler())
QUIET.propagate = False


class RunQuickly(NbGraderPreprocessor):
    """Runs a submission in the quick profile, each cell within its time limit, errors kept as outputs."""

    seconds_per_cell = Float(60.0).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Run `nb` in place, as nbgrader's own step between restoring the locked cells and counting the points."""
        folder = Path(resources["metadata"]["path"])
        while True:
            try:
                execute(nb, folder=folder, profile="quick", timeout=self.seconds_per_cell, keep_going=True)
                break
            except NotebookError as error:  # the kernel is gone: once more, without the cell that ended it
                cell = next(cell for cell in nb.cells if cell.id == error.cell_id)
                cell.source = f"raise RuntimeError({str(error)!r})\n{cell.source}"
        for cell in nb.cells:
            if cell.metadata.get("nbgrader", {}).get("grade"):
                # nbgrader would give no points for a warning on stderr, and all points to a cell that never ran.
                cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
                if cell.execution_count is None:
                    cell.outputs.append(new_output("error", ename="NotRun", evalue="", traceback=["It did not run."]))
        return nb, resources


class Pipeline:
    """One course folder of nbgrader's; every notebook is an assignment of its own name."""

    def __init__(self, folder: Path, seconds_per_cell: float = 60.0):
        self.folder = folder
        self.config = Config()
        self.config.CourseDirectory.root = str(folder)
        self.config.RunQuickly.seconds_per_cell = seconds_per_cell
        self.config.Autograde.autograde_preprocessors = [RunQuickly, LimitOutput, SaveAutoGrades, CheckCellMetadata]
        self.config.HTMLExporter.template_name = "feedback"

    def release(self, name: str, source: NotebookNode) -> NotebookNode:
        """Register `source` (with its solutions) as assignment `name` and return the students' version.

        Raises:
            ValueError: nbgrader refuses the notebook; the message says why.
        """
        self._write("source", ".", name, source)
        self._convert(GenerateAssignment, name, ".")
        return self._read("release", ".", name)

    def autograde(self, name: str, student: str, submission: NotebookNode) -> dict[str, tuple[float, float]]:
        """Restore the locked cells of a submission, run it, and return `{check cell: (points, maximum)}`.

        Raises:
            ValueError: it could not be graded; the message says why.
        """
        self._write("submitted", student, name, submission)
        self._convert(Autograde, name, student)
        with Gradebook(f"sqlite:///{self.folder / 'gradebook.db'}") as gradebook:
            grades = gradebook.find_submission_notebook(name, name, student).grades
            return {grade.name: (float(grade.score), float(grade.max_score)) for grade in grades}

    def feedback(self, name: str, student: str) -> str:
        """Return the HTML page that shows an autograded submission with its points."""
        self._convert(GenerateFeedback, name, student)
        return (self.folder / "feedback" / student / name / f"{name}.html").read_text(encoding="utf-8")

    def _convert(self, converter: type, name: str, student: str) -> None:
        course = CourseDirectory(config=self.config, assignment_id=name, student_id=student, log=QUIET)
        step = converter(coursedir=course, config=self.config, log=QUIET)
        step.force = True
        problems = _Problems()
        QUIET.addHandler(problems)
        try:
            with _alembic_on_path(), warnings.catch_warnings(action="ignore"):
                step.start()
        except NbGraderException as error:
            raise ValueError(problems.last or str(error)) from None
        finally:
            QUIET.removeHandler(problems)

    def _path(self, step: str, student: str, name: str) -> Path:
        return self.folder / step / student / name / f"{name}.ipynb"

    def _write(self, step: str, student: str, name: str, notebook: NotebookNode) -> None:
        path = self._path(step, student, name)
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)

    def _read(self, step: str, student: str, name: str) -> NotebookNode:
        return nbformat.read(self._path(step, student, name), as_version=4)


@contextmanager
def _alembic_on_path() -> Iterator[None]:
    """nbgrader calls alembic by its bare name, which is on no PATH unless the environment is activated."""
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), before])
    try:
        yield
    finally:
        os.environ["PATH"] = before


class _Problems(logging.Handler):
    """Keeps the last line of the traceback that nbgrader logs before it gives up."""

    last = ""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage().strip()
        if text.startswith("Traceback"):
            self.last = text.splitlines()[-1].rpartition("Error: ")[2]
