"""Developers' commands for notebooks: `python -m tools.notebooks execute 12`, `format`, `link`, `harvest`."""

import hashlib
import json
import platform
import sys
from collections.abc import Iterator
from copy import deepcopy
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import nbformat
import typer
from nbformat import NotebookNode
from rich.console import Console
from rich.progress import Progress

from gencourse.course import core_count, course_root, find_notebook
from gencourse.execution import NotebookError
from gencourse.execution import execute as run_cells
from tools import documents

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
console = Console()

MEASURED_PACKAGES = ("keras", "tensorflow", "tensorflow-cpu", "numpy", "gencourse")


def notebook_paths() -> list[Path]:
    """Return the committed notebooks in course order."""
    return sorted((course_root() / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def read(path: Path) -> NotebookNode:
    """Read a notebook, refusing one that is not valid nbformat 4.5."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def write(notebook: NotebookNode, path: Path) -> bool:
    """Write the committed form (sorted keys, indent 1, no editor state); return whether the file changed."""
    text = canonical(notebook)
    changed = not path.exists() or path.read_text(encoding="utf-8") != text
    if changed:
        path.write_text(text, encoding="utf-8", newline="\n")
    return changed


def canonical(notebook: NotebookNode) -> str:
    """Return the notebook's committed text: only metadata that the course uses, sorted keys, indent 1."""
    notebook = deepcopy(notebook)
    notebook.metadata = {
        "gencourse": notebook.metadata["gencourse"],
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for cell in notebook.cells:
        cell.metadata = {key: cell.metadata[key] for key in ("jupyter", "nbgrader", "tags") if key in cell.metadata}
    return json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def code_hash(notebook: NotebookNode) -> str:
    """Return the SHA-256 of the code cells but the generated Colab cell; it tells when outputs are stale."""
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code" and cell.id != "colab"]
    return hashlib.sha256("\0".join(sources).encode()).hexdigest()


def linked(path: Path) -> NotebookNode:
    """Return the notebook at `path` with its generated cells renewed from the catalogue."""
    notebook = read(path)
    cells = {cell.id: cell for cell in notebook.cells}
    for cell_id, source in documents.generated_cells(path).items():
        if cell_id not in cells:
            raise typer.BadParameter(f"{path.name} has no cell with the id {cell_id!r}; see CONTRIBUTING.md.")
        cells[cell_id].source = source
    return notebook


@app.command()
def execute(
    number: str,
    profile: Annotated[str, typer.Option(help="'full' writes the notebook; 'quick' only with --out.")] = "full",
    out: Annotated[Path | None, typer.Option(help="Write the executed copy into this folder instead.")] = None,
    timeout: Annotated[float, typer.Option(help="Seconds a cell may take.")] = 1200,
) -> None:
    """Execute a notebook and write its outputs, its measured time and what it ran on into it."""
    if profile == "quick" and out is None:
        raise typer.BadParameter("committed outputs come from the full profile only: give --out with --profile quick.")
    path = find_notebook(number).path
    notebook = linked(path)
    with Progress(console=console) as progress:
        task = progress.add_task(path.stem, total=len(notebook.cells))
        seconds = run_cells(
            notebook,
            folder=path.parent,
            profile=profile,
            timeout=timeout,
            on_cell=lambda done, total: progress.update(task, completed=done, total=total),
        )
    notebook.metadata["gencourse"]["execution"] = {
        "profile": profile,
        "seconds": round(seconds, 1),
        "cores": core_count(),
        "packages": dict(sorted(_versions())),
        "code_hash": code_hash(notebook),
    }
    target = path if out is None else out / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    write(notebook, target)
    console.print(f"{target.name}: {seconds:.0f} s, {target.stat().st_size / 1000:.0f} KB")
    if out is None:
        link()
        harvest()


def _versions() -> Iterator[tuple[str, str]]:
    yield "python", platform.python_version()
    for package in MEASURED_PACKAGES:
        try:
            yield package, version(package)
        except ModuleNotFoundError:
            continue


@app.command(name="format")
def format_notebooks() -> None:
    """Write every notebook in its committed form."""
    for path in notebook_paths():
        if write(read(path), path):
            console.print(f"formatted {path.name}")


@app.command()
def link() -> None:
    """Renew what is generated from metadata: cells of each notebook, and the tables of README.md and roadmap.md."""
    for path in notebook_paths():
        if write(linked(path), path):
            console.print(f"linked {path.name}")
    for name, text in documents.linked_pages(course_root()).items():
        _write_page(course_root() / name, text)
    for name, picture in documents.gallery_pictures(course_root()).items():
        (course_root() / name).parent.mkdir(parents=True, exist_ok=True)
        (course_root() / name).write_bytes(picture)


@app.command()
def harvest() -> None:
    """Collect the results of the committed notebooks into RESULTS.md."""
    _write_page(course_root() / "RESULTS.md", documents.results_page(notebook_paths()))


def _write_page(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8", newline="\n")
        console.print(f"wrote {path.name}")


if __name__ == "__main__":
    try:
        app()
    except (LookupError, ValueError, NotebookError) as error:
        sys.exit(f"notebooks: {error}")
