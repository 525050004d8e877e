"""Makes the learner's copy of a notebook: solutions replaced by stubs, outputs cleared, never over earlier work."""

import copy
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from gencourse.course import course_root, find_notebook

SOLUTION = re.compile(r"^([ \t]*)[^\n]*BEGIN SOLUTION.*?END SOLUTION[^\n]*$", re.MULTILINE | re.DOTALL)
HIDDEN_TESTS = re.compile(r"\n?^[^\n]*BEGIN HIDDEN TESTS.*?END HIDDEN TESTS[^\n]*$", re.MULTILINE | re.DOTALL)
STUB = r"\1# YOUR CODE HERE\n\1raise NotImplementedError()"  # nbgrader's words
LINK = re.compile(r"\[([^\]]*)\]\(((?:\.\./)?\w[\w./-]*\.(?:ipynb|md))(#[^)]*)?\)")  # to a file of the course


def start(number: str, again: bool = False) -> Path:
    """Write the stripped copy `work/NN_slug.ipynb` of a notebook and return its path.

    Args:
        number: the notebook, as "12".
        again: keep an earlier copy as `NN_slug.1.ipynb` (or the next free number) and begin afresh.

    Raises:
        FileExistsError: there is an earlier copy, and `again` is False.
        LookupError: there is no such notebook.
    """
    source = find_notebook(number).path
    target = course_root() / "work" / source.name
    if target.exists():
        if not again:
            raise FileExistsError(
                f"work/{target.name} exists and may hold your work: open it, or add --again to begin afresh "
                "(the old copy is kept under a numbered name)."
            )
        target.rename(_free_name(target))
    target.parent.mkdir(exist_ok=True)
    notebook = open_up(strip(nbformat.read(source, as_version=4)))
    relink(notebook, lambda file: file if file.startswith("../") else f"../notebooks/{file}")
    nbformat.write(notebook, target)
    return target


def strip(notebook: NotebookNode) -> NotebookNode:
    """Return a copy as nbgrader would release it: stubs for solutions, no hidden tests, no outputs."""
    stripped = copy.deepcopy(notebook)
    for cell in stripped.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = SOLUTION.sub(STUB, cell.source)
        cell.source = HIDDEN_TESTS.sub("", cell.source)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return stripped


def open_up(notebook: NotebookNode) -> NotebookNode:
    """Show the cells that the course keeps folded, and forget when and where it was executed; return the notebook."""
    notebook.metadata.get("gencourse", {}).pop("execution", None)
    for cell in notebook.cells:
        cell.metadata.get("jupyter", {}).pop("source_hidden", None)
    return notebook


def relink(notebook: NotebookNode, target: Callable[[str], str | None]) -> None:
    """Point links to the course's files at `target(file)`; where that is None the link becomes plain text."""

    def moved(match: re.Match) -> str:
        text, new, anchor = match[1], target(match[2]), match[3] or ""
        return f"[{text}]({new}{anchor})" if new else text

    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = LINK.sub(moved, cell.source)


def _free_name(path: Path) -> Path:
    number = 1
    while (kept := path.with_name(f"{path.stem}.{number}.ipynb")).exists():
        number += 1
    return kept
