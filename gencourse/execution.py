"""Runs a notebook cell by cell in a fresh kernel of this very Python, whatever kernels Jupyter knows of."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

TIMED_OUT = {"ename": "CellTimeoutError", "evalue": "", "traceback": ["The cell ran longer than its time limit."]}


class NotebookError(RuntimeError):
    """A cell failed; the message names it, `cell_id` is its id and `traceback` what the kernel printed, if it could."""

    def __init__(self, cell_id: str, happening: str, traceback: str = ""):
        super().__init__(f"Cell '{cell_id}' {happening}")
        self.cell_id = cell_id
        self.traceback = traceback


class ThisPython(AsyncKernelManager):
    """Starts IPython kernels of the running interpreter: a kernel "python3" on disk may belong to another Python."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """The command that starts the kernel."""
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="Python 3 (ipykernel)", language="python")


def execute(
    notebook: NotebookNode,
    *,
    folder: Path,
    profile: str,
    timeout: float,
    on_cell: Callable[[int, int], None] | None = None,
    keep_going: bool = False,
) -> float:
    """Run every code cell of `notebook` in order, writing the outputs into it, and return the seconds taken.

    Args:
        notebook: the notebook; its code cells are changed in place.
        folder: the kernel's working directory.
        profile: "full" or "quick", the kernel's `GENCOURSE_PROFILE`.
        timeout: the limit of one cell, in seconds.
        on_cell: called as `on_cell(done, total)` after each cell, and once with `done=0` before the first.
        keep_going: a cell that fails, or that the time limit interrupts, keeps its error as an output and the next one
            runs, as grading wants it; otherwise the first failure ends the run.

    Raises:
        NotebookError: a cell failed or ran out of time (with `keep_going`: ignored the interrupt), or its kernel died.
    """
    client = NotebookClient(
        notebook,
        kernel_manager_class=ThisPython,
        timeout=timeout,
        allow_errors=keep_going,
        interrupt_on_timeout=keep_going,
        error_on_timeout=TIMED_OUT if keep_going else None,
        raise_on_iopub_timeout=True,
        on_cell_executed=_record_error,
    )
    total = len(notebook.cells)
    if on_cell:
        on_cell(0, total)
    start = time.perf_counter()
    # Cell by cell, because the client's own loop turns Ctrl-C into a dead kernel instead of a KeyboardInterrupt.
    environment = {**os.environ, "GENCOURSE_PROFILE": profile}
    with client.setup_kernel(cwd=str(folder), env=environment, stderr=subprocess.DEVNULL):
        for index, cell in enumerate(notebook.cells):
            try:
                client.execute_cell(cell, index)
            except CellExecutionError as error:
                said = f"{error.ename}: {error.evalue}".strip(": ")
                raise NotebookError(cell.id, f"stopped with {said}", error.traceback) from None
            except CellTimeoutError:
                raise NotebookError(cell.id, f"did not stop within {timeout:g} seconds.") from None
            except DeadKernelError:
                raise NotebookError(cell.id, "ended its kernel: out of memory, or an exit.") from None
            if on_cell:
                on_cell(index + 1, total)
    return time.perf_counter() - start


def _record_error(cell: NotebookNode, cell_index: int, execute_reply: dict) -> None:
    """Write into the cell an error that the kernel replied with but did not show: a time limit, a debugger's exit."""
    content = execute_reply["content"]
    shown = {output.ename for output in cell.outputs if output.output_type == "error"}
    if content["status"] == "error" and content["ename"] not in shown:
        facts = {name: content[name] for name in ("ename", "evalue", "traceback")}
        cell.outputs.append(NotebookNode(output_type="error", **facts))
