"""Makes the folder of student versions that an instructor hands out."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nbformat

from gencourse.classroom.copies import open_up, relink
from gencourse.classroom.pipeline import Pipeline
from gencourse.course import Notebook, find_notebook

README = """# Your notebooks

{table}

1. Open a notebook in JupyterLab, in the Python that has `gencourse` installed (kernel "Python 3 (ipykernel)").
   `gencourse doctor` says what is missing. Run it from its first cell to its last.
2. The exercises stand at the end. Replace `# YOUR CODE HERE` and `raise NotImplementedError()` by your code, run the
   cell, then run the check cell below it: it says what is wrong, or that the exercise is solved.
3. Leave the check cells as they are: grading restores them. Grading also notes code that touches the checkers.
4. Save the notebook and hand in the file under its own name, such as `{example}`.

Grading runs every cell again from the top, with small budgets (`GENCOURSE_PROFILE=quick`) and a time limit for each
cell, so everything you need must be in the notebook.
"""


def assign(numbers: Sequence[str], out: Path, force: bool = False) -> list[Path]:
    """Write the students' versions of some notebooks, and a README.md for students, into `out`; return the notebooks.

    Args:
        numbers: the notebooks, as ["12", "13"].
        out: the folder; it is made if it does not exist.
        force: write into a folder that already holds something.

    Raises:
        FileExistsError: `out` is a file, or holds something and `force` is False.
        LookupError: there is no such notebook.
        ValueError: a notebook cannot be released; the message says why.
    """
    notebooks = {notebook.path.name: notebook for notebook in map(find_notebook, numbers)}
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not force):
        raise FileExistsError(f"{out} exists and is not empty: choose another folder, or add --force to write into it.")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        pipeline = Pipeline(Path(folder))
        for name, notebook in notebooks.items():
            source = open_up(nbformat.read(notebook.path, as_version=4))
            relink(source, lambda file: file if file in notebooks else None)
            try:
                released = pipeline.release(notebook.path.stem, source)
            except ValueError as error:
                raise ValueError(f"{name} cannot be released: {error}") from None
            nbformat.write(released, Path(folder) / name)
        for name in notebooks:
            shutil.copyfile(Path(folder) / name, out / name)
    (out / "README.md").write_text(_readme(list(notebooks.values())), encoding="utf-8")
    return [out / name for name in notebooks]


def _readme(notebooks: list[Notebook]) -> str:
    rows = ["| notebook | title | CPU minutes, full profile |", "|---|---|---|"]
    for notebook in notebooks:
        minutes = "not measured" if notebook.minutes is None else f"{notebook.minutes:.0f}"
        rows.append(f"| [{notebook.path.name}]({notebook.path.name}) | {notebook.title} | {minutes} |")
    return README.format(table="\n".join(rows), example=notebooks[0].path.name)
