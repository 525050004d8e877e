"""Grades a folder of submissions into a CSV file and one HTML page a notebook, and drops nothing in silence."""

import ast
import copy
import csv
import html
import re
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_notebook

from gencourse.classroom.copies import strip
from gencourse.classroom.pipeline import Pipeline
from gencourse.classroom.tampering import imported_names, suspicious
from gencourse.course import Notebook, find_notebook

# What a student's cell has put in a checker's place is forgotten, and the checker comes from its file again.
RELOAD = """\
import sys
for _name in [name for name in sys.modules if name.startswith("gencourse.exercises")]:
    del sys.modules[_name]
import gencourse.exercises
"""


@dataclass(frozen=True)
class Grade:
    """One row of grades.csv: an exercise with its points, or (with no exercise) a file that could not be graded."""

    student: str
    notebook: str
    exercise: str = ""
    points: float | None = None
    max_points: float | None = None
    flags: str = ""


def grade(
    submitted: Path,
    out: Path,
    seconds_per_cell: float = 60.0,
    on_submission: Callable[[int, int, str], None] = lambda done, total, what: None,
) -> list[Grade]:
    """Grade `submitted/<student>/NN_slug.ipynb` and return the rows of `out/grades.csv`.

    Feedback goes to `out/feedback/<student>/NN_slug.html`. Both are written anew each time. nbgrader's own layout,
    `submitted/<student>/<assignment>/NN_slug.ipynb`, is accepted too. Student code runs unsandboxed.

    Args:
        submitted: the folder of students' folders.
        out: where the results go; made if it does not exist.
        seconds_per_cell: the time limit of one cell; a cell that exceeds it is interrupted, the next ones run.
        on_submission: called as `on_submission(done, total, what)` before each file and after the last.

    Raises:
        FileNotFoundError: `submitted` is no folder, or there is nothing in it.
    """
    if not submitted.is_dir():
        raise FileNotFoundError(f"There is no folder {submitted}: give the one that holds a folder for each student.")
    rows, files = _collect(submitted)
    if not rows and not files:
        raise FileNotFoundError(f"{submitted} is empty: it should hold a folder for each student.")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        course = Course(Pipeline(Path(folder), seconds_per_cell))
        for done, (student, path) in enumerate(files):
            on_submission(done, len(files), f"{student} {path.name}")
            try:
                found, page = course.grade(student, path, f"submission-{done}")
            except (ValueError, LookupError, OSError) as error:
                rows.append(Grade(student, path.name, flags=f"not graded: {error}"))
                continue
            rows += found
            feedback = out / "feedback" / student / f"{found[0].notebook}.html"
            feedback.parent.mkdir(parents=True, exist_ok=True)
            feedback.write_text(page, encoding="utf-8")
        on_submission(len(files), len(files), "done")
    rows.sort(key=lambda row: (row.student, row.notebook))
    _write(rows, out / "grades.csv")
    return rows


class Course:
    """The course's own notebooks, each prepared once for grading."""

    def __init__(self, pipeline: Pipeline):
        self.pipeline = pipeline
        self.handed_out: dict[str, NotebookNode] = {}

    def grade(self, student: str, path: Path, submission_id: str) -> tuple[list[Grade], str]:
        """Grade one file: its rows, and its feedback page."""
        notebook = find_notebook(path.stem)
        name = notebook.path.stem
        if name not in self.handed_out:
            self.handed_out[name] = self._prepare(notebook)
        handed_out, submission = self.handed_out[name], _read(path)
        flags = list(_flags(submission, handed_out))
        points = self.pipeline.autograde(name, submission_id, _sanitize(submission, handed_out))
        rows = [
            Grade(student, name, check.removesuffix("-check"), *points[check], "; ".join(flags))
            for check in _exercise_cells(handed_out)
            if check in points
        ]
        return rows, _with_banner(self.pipeline.feedback(name, submission_id), flags)

    def _prepare(self, notebook: Notebook) -> NotebookNode:
        """Register a notebook with nbgrader, its check cells reloading the checker; return what students were given."""
        source = nbformat.read(notebook.path, as_version=4)
        handed_out = strip(source)
        imports = list(dict.fromkeys(_checker_imports(source)))
        for cell in _exercise_cells(source).values():
            if cell.metadata.nbgrader.get("grade"):
                cell.source = RELOAD + "\n".join([*imports, cell.source])
        self.pipeline.release(notebook.path.stem, source)
        return handed_out


def _collect(submitted: Path) -> tuple[list[Grade], list[tuple[str, Path]]]:
    """Rows for what cannot be graded, and (student, file) for what may be."""
    rows, files = [], []
    for folder in _visible(submitted):
        if not folder.is_dir():
            rows.append(Grade("", folder.name, flags="not graded: it lies in no student's folder"))
            continue
        found = [path for path in _visible(folder) if path.is_file()]
        found += [path for inner in _visible(folder) if inner.is_dir() for path in _visible(inner)]
        found = [path for path in found if path.name != "timestamp.txt"]  # nbgrader's own
        if not found:
            rows.append(Grade(folder.name, "", flags="not graded: no notebook was handed in"))
        numbers = Counter(path.name[:2] for path in found if path.suffix == ".ipynb")
        for path in found:
            if path.suffix != ".ipynb":
                rows.append(Grade(folder.name, path.name, flags="not graded: it is no .ipynb file"))
            elif numbers[path.name[:2]] > 1:
                rows.append(Grade(folder.name, path.name, flags="not graded: handed in twice; keep one of the files"))
            else:
                files.append((folder.name, path))
    return rows, files


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _read(path: Path) -> NotebookNode:
    try:
        with warnings.catch_warnings(action="ignore"):  # missing cell ids: _sanitize gives new ones
            notebook = nbformat.read(path, as_version=4)
            nbformat.validate(notebook)
    except (nbformat.ValidationError, AttributeError, KeyError, TypeError, ValueError):
        raise ValueError("it is no valid notebook") from None
    return notebook


def _grade_id(cell: NotebookNode) -> str | None:
    """The exercise cell that this is, by nbgrader's metadata or, where an editor lost that, by the cell's id."""
    metadata = cell.metadata.get("nbgrader")
    return (metadata.get("grade_id") if isinstance(metadata, dict) else None) or cell.get("id")


def _exercise_cells(notebook: NotebookNode) -> dict[str, NotebookNode]:
    return {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells if "nbgrader" in cell.metadata}


def _checker_imports(notebook: NotebookNode) -> Iterator[str]:
    """The import statements of a notebook that name a checker."""
    for cell in notebook.cells:
        if cell.cell_type == "code" and "exercises" in cell.source:
            for node in ast.parse(cell.source).body:
                if isinstance(node, ast.Import | ast.ImportFrom) and "exercises" in ast.unparse(node):
                    yield ast.unparse(node)


def _flags(submission: NotebookNode, handed_out: NotebookNode) -> Iterator[str]:
    """What a person should look at: missing and changed cells, and code that reaches for the checkers."""
    expected = _exercise_cells(handed_out)
    submitted = {_grade_id(cell): cell for cell in submission.cells}
    for grade_id, cell in expected.items():
        if grade_id not in submitted:
            yield f"cell '{grade_id}' is missing"
        elif cell.metadata.nbgrader.get("locked") and submitted[grade_id].source.strip() != cell.source.strip():
            yield f"cell '{grade_id}' was changed, and restored for grading"
    unchanged = {cell.source.strip() for cell in handed_out.cells}
    imported = set().union(*(imported_names(cell.source) for cell in submission.cells if cell.cell_type == "code"))
    for position, cell in enumerate(submission.cells, start=1):
        if cell.cell_type == "code" and cell.source.strip() not in unchanged:
            for finding in suspicious(cell.source, imported):
                yield f"cell {position} {finding}"


def _sanitize(submission: NotebookNode, handed_out: NotebookNode) -> NotebookNode:
    """Return the submission with the course's own metadata and nothing else's (a tag can make a cell be skipped).

    The first cell of a name counts. A missing check cell is put back at the end.
    """
    missing = copy.deepcopy(_exercise_cells(handed_out))
    cells = copy.deepcopy(submission.cells)
    for position, cell in enumerate(cells, start=1):
        original = missing.pop(_grade_id(cell), None)
        cell.id = original.metadata.nbgrader.grade_id if original else f"cell-{position}"
        cell.metadata = NotebookNode({"nbgrader": original.metadata.nbgrader} if original else {})
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    cells += [cell for cell in missing.values() if cell.metadata.nbgrader.get("grade")]
    return new_notebook(cells=cells, metadata={"kernelspec": handed_out.metadata.kernelspec})


def _with_banner(page: str, flags: list[str]) -> str:
    if not flags:
        return page
    items = "".join(f"<li>{html.escape(flag)}</li>" for flag in flags)
    banner = f"<section><p>Noted for the instructor:</p><ul>{items}</ul></section>"
    return re.sub(r"<body[^>]*>", lambda body: body[0] + banner, page, count=1)


def _write(rows: list[Grade], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, fieldnames=[field.name for field in fields(Grade)])
        table.writeheader()
        table.writerows(asdict(row) for row in rows)
