"""The `gencourse` command. Each verb is thin; whatever takes time to import is imported in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from gencourse.course import Notebook, catalogue, course_root, find_notebook

app = typer.Typer(
    name="gencourse",
    help="The generative-AI course: its notebooks, their data and weights, and a class that takes it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
console = Console()
errors = Console(stderr=True, soft_wrap=True)

Number = Annotated[str, typer.Argument(help="The notebook's number, such as 12.", show_default=False)]
SECONDS_PER_CELL = 3600.0  # `run` waits for one cell; the longest of the course takes minutes

MISSING = {
    "nbgrader": "Run `pip install -e '.[classroom]'` in the course's folder.",
    "tensorflow": "Run `make lab`, or `pip install -e '.[cpu]'`, in the course's folder.",
}


@contextmanager
def one_line(interrupted: str = "Stopped.") -> Iterator[None]:
    """Turn a refusal into one line on stderr and exit code 1, and Ctrl-C into `interrupted` and 130."""
    try:
        yield
    except typer.Exit:  # a RuntimeError too
        raise
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        remedy = MISSING.get(package, "Run `make lab` in the course's folder; `gencourse doctor` says what is missing.")
        _refuse(f"{package} is not installed. {remedy}" if package else str(error))
    except (OSError, ValueError, LookupError, RuntimeError) as error:
        _refuse(str(error))
    except KeyboardInterrupt:
        errors.print(interrupted)
        raise typer.Exit(130) from None


def _refuse(message: str) -> None:
    errors.print(f"[bold red]Error:[/] {escape(' '.join(message.split()))}")
    raise typer.Exit(1) from None


@app.command("list")
def list_notebooks() -> None:
    """Show the course's notebooks: number, title, part, CPU minutes and prerequisites."""
    with one_line():
        table = Table("No.", "Title", "Part", "CPU minutes", "Needs")
        for notebook in catalogue():
            needs = ", ".join(notebook.prerequisites) or "—"
            table.add_row(notebook.number, notebook.title, notebook.part, _minutes(notebook), needs)
        console.print(table)


def _minutes(notebook: Notebook) -> str:
    return "—" if notebook.minutes is None else f"{notebook.minutes:.1f}"


@app.command()
def start(
    number: Number,
    again: Annotated[bool, typer.Option(help="Begin afresh; the old copy is kept under a numbered name.")] = False,
) -> None:
    """Make your own copy of a notebook in work/, with the exercises unsolved."""
    from gencourse.classroom.copies import start as start_copy

    with one_line():
        path = start_copy(number, again)
        console.print(f"Your copy is work/{path.name}. Open it with: jupyter lab work/{path.name}", soft_wrap=True)


@app.command()
def doctor() -> None:
    """Look at the installation, the machine, the data and the weights, and say what to mend."""
    with one_line():
        from gencourse.health import examine

        problems = 0
        for check in examine():
            problems += check.remedy is not None
            mark = "[green]OK[/]     " if check.remedy is None else "[bold red]PROBLEM[/]"
            console.print(f"{mark} {check.name}: {escape(check.found)}", soft_wrap=True)
            if check.remedy is not None:
                console.print(f"        → {escape(check.remedy)}", soft_wrap=True)
        console.print(_expected_minutes(catalogue()), soft_wrap=True)
        if problems:
            _refuse(f"{problems} problem{'s' if problems > 1 else ''}; each line above says what to do.")
        console.print("[bold green]OK[/]: everything is in place.")


def _expected_minutes(notebooks: list[Notebook]) -> str:
    parts: dict[str, float] = {}
    for notebook in notebooks:
        parts[notebook.part] = parts.get(notebook.part, 0) + (notebook.minutes or 0)
    each = ", ".join(f"{part} {minutes:.0f}" for part, minutes in parts.items())
    return f"The notebooks take {sum(parts.values()):.0f} minutes on two CPU cores ({each})."


@app.command()
def run(
    number: Number,
    profile: Annotated[
        Literal["full", "quick"], typer.Option(help="'quick' only shows that everything runs.")
    ] = "full",
    out: Annotated[Path | None, typer.Option(help="Where the results go.", show_default="work/run")] = None,
) -> None:
    """Execute the course's own notebook, showing progress by cell, and write an executed copy and a web page."""
    with one_line("Stopped; nothing was written."):
        import nbformat
        from nbconvert import HTMLExporter

        from gencourse.execution import execute

        source = find_notebook(number).path
        out = out or course_root() / "work" / "run"
        if out.resolve() == source.parent.resolve():
            raise ValueError("The course's own notebooks/ is never written: choose another folder.")
        out.mkdir(parents=True, exist_ok=True)
        notebook = nbformat.read(source, as_version=4)
        with _progress() as progress:
            task = progress.add_task(source.stem, total=len(notebook.cells))
            seconds = execute(
                notebook,
                folder=source.parent,
                profile=profile,
                timeout=SECONDS_PER_CELL,
                on_cell=lambda done, total: progress.update(task, completed=done),
            )
        page, _ = HTMLExporter().from_notebook_node(notebook)
        nbformat.write(notebook, out / source.name)
        (out / source.name).with_suffix(".html").write_text(page, encoding="utf-8")
        console.print(f"{seconds:.0f} s. Written: {out / source.stem}.ipynb and .html", soft_wrap=True)


def _progress() -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    return Progress(*columns, console=errors, transient=True)


@app.command()
def train(
    name: Annotated[str, typer.Argument(help="The recipe, such as judge.", show_default=False)],
    fresh: Annotated[bool, typer.Option(help="Begin afresh instead of where an earlier run stopped.")] = False,
) -> None:
    """Train a model by its recipe and write its weights; a run that was stopped goes on where it was."""
    with one_line():
        from gencourse import recipes

        recipes.train(name, fresh=fresh)


@app.command()
def sample(
    name: Annotated[str, typer.Argument(help="The trained model, such as vae_mnist.", show_default=False)],
    n: Annotated[int, typer.Option("-n", min=1, max=400, help="How many images.")] = 40,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same images.")] = 0,
    out: Annotated[Path, typer.Option(help="The picture to write.")] = Path("samples.png"),
) -> None:
    """Draw images from a trained model, and write them as one picture."""
    with one_line():
        from gencourse import plots, recipes
        from gencourse.plots.style import compact_png

        out.write_bytes(compact_png(plots.image_grid(recipes.sample(name, n, seed))))
        console.print(f"Written: {out}", soft_wrap=True)


@app.command()
def assign(
    numbers: Annotated[list[str], typer.Argument(help="The notebooks' numbers, such as 12 13.", show_default=False)],
    out: Annotated[Path, typer.Option(help="The folder to hand out.")] = Path("release"),
    force: Annotated[bool, typer.Option(help="Write into a folder that already holds something.")] = False,
) -> None:
    """For instructors: make the students' versions of some notebooks, without solutions and hidden tests."""
    with one_line():
        from gencourse.classroom.assignment import assign as make_assignment

        paths = make_assignment(numbers, out, force)
        console.print(f"Written to {out}: {', '.join(path.name for path in paths)} and README.md", soft_wrap=True)


@app.command()
def grade(
    submitted: Annotated[Path, typer.Argument(help="Holds <student>/NN_slug.ipynb.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Gets grades.csv and feedback/, written anew each time.")] = Path("graded"),
    cell_seconds: Annotated[float, typer.Option(min=1, help="The time limit of one cell.")] = 60,
) -> None:
    """For instructors: grade submissions into grades.csv and HTML feedback. Student code runs here, not sandboxed."""
    with one_line():
        from gencourse.classroom.grading import grade as grade_all

        with _progress() as progress:
            task = progress.add_task("", total=None)
            rows = grade_all(
                submitted,
                out,
                cell_seconds,
                on_submission=lambda done, total, what: progress.update(
                    task, completed=done, total=total, description=escape(what)
                ),
            )
        table = Table("Student", "Notebook", "Points", "Look at")
        for (student, notebook), points, flags in _totals(rows):
            table.add_row(escape(student), escape(notebook), points, escape(flags))
        console.print(table)
        console.print(f"Written to {out}: grades.csv and feedback/", soft_wrap=True)


def _totals(rows: list) -> Iterator[tuple[tuple[str, str], str, str]]:
    """The rows of one submission together: (student, notebook), "points / maximum", flags."""
    submissions: dict[tuple[str, str], list] = {}
    for row in rows:
        submissions.setdefault((row.student, row.notebook), []).append(row)
    for who, found in submissions.items():
        graded = [row for row in found if row.exercise]
        points = f"{sum(row.points for row in graded):g} / {sum(row.max_points for row in graded):g}" if graded else "—"
        yield who, points, found[0].flags
