"""A course of two small notebooks for the tests of the command line and the classroom."""

import copy
import json
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

NAME = "12_neural_networks"

STEP = """\
def nesterov_step(theta, v, gradient, lr, beta):
    ### BEGIN SOLUTION
    v = beta * v - lr * gradient(theta + beta * v)
    return theta + v, v
    ### END SOLUTION
"""
ENTROPY = """\
def cross_entropy(logits, labels):
    ### BEGIN SOLUTION
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_total = np.log(np.exp(shifted).sum(axis=1))
    return float(np.mean(log_total - shifted[np.arange(len(labels)), labels]))
    ### END SOLUTION
"""


def write_course(root: Path) -> Path:
    """Make the smallest folder that counts as a course; return it."""
    (root / "notebooks").mkdir(parents=True)
    (root / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    setup = new_code_cell("import numpy as np\n\nfrom gencourse.exercises import neural_networks as checks", id="setup")
    setup.outputs = [nbformat.v4.new_output("stream", text="a line of output")]
    cells = [
        new_markdown_cell("# 12 · Neural networks", id="title"),
        setup,
        _exercise(STEP, "exercise-1-solution", solution=True),
        _exercise("checks.check_nesterov_step(nesterov_step)", "exercise-1-check"),
        _exercise(ENTROPY, "exercise-2-solution", solution=True),
        _exercise("checks.check_cross_entropy(cross_entropy)", "exercise-2-check"),
        new_markdown_cell(
            "[13 Next](13_next.ipynb#start) · [all](../README.md#map) · [a](https://a.org/b.md)", id="navigation"
        ),
    ]
    write_notebook(root / "notebooks" / f"{NAME}.ipynb", "12", "Neural networks", cells, seconds=90)
    write_notebook(root / "notebooks" / "13_next.ipynb", "13", "Next", [new_code_cell("print(6 * 7)", id="answer")])
    return root


def write_notebook(path: Path, number: str, title: str, cells: list, seconds: float | None = None) -> None:
    facts = {"number": number, "title": title, "part": "Foundations", "prerequisites": ["11"]}
    facts |= {"objectives": ["one"], "topics": ["one"], "sources": ["one"]}
    if seconds is not None:
        facts["execution"] = {"seconds": seconds}
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    metadata = {"gencourse": facts, "kernelspec": kernel, "language_info": {"name": "python"}}
    nbformat.write(new_notebook(cells=cells, metadata=metadata), path)


def _exercise(source: str, grade_id: str, solution: bool = False) -> NotebookNode:
    cell = new_code_cell(source, id=grade_id)
    cell.metadata["nbgrader"] = {
        "schema_version": 3, "grade_id": grade_id, "grade": not solution, "solution": solution,
        "locked": not solution, "task": False,
    }  # fmt: skip
    if solution:
        cell.metadata["jupyter"] = {"source_hidden": True}
    else:
        cell.metadata.nbgrader["points"] = 1
    return cell


def hand_in(released: NotebookNode, path: Path, **sources: str) -> NotebookNode:
    """Write a submission: the released notebook with the source of some cells, named by their ids, replaced."""
    submission = copy.deepcopy(released)
    for cell in submission.cells:
        if cell.id.replace("-", "_") in sources:
            cell.source = sources[cell.id.replace("-", "_")]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(submission), encoding="utf-8")
    return submission
