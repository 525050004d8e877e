"""Text that is generated, never typed: links and tables from the notebooks' metadata, RESULTS.md from their outputs."""

import base64
import csv
import json
import re
import tomllib
from pathlib import Path

from gencourse.course import PARTS, Notebook, catalogue, course_root, find_notebook
from gencourse.results import MIME_TYPE, format_value

COLAB_CELL = """\
if "google.colab" in str(get_ipython()):  # anywhere else this cell does nothing
    REPOSITORY = "{repository}"
    if not REPOSITORY:
        raise RuntimeError("This copy has no public address yet: upload the repository and run `%pip install .` in it.")
    !git clone --quiet --depth 1 {{REPOSITORY}} /content/gencourse
    %pip install --quiet /content/gencourse
    %cd /content/gencourse/notebooks"""


def repository() -> str:
    """Return the public address of the repository, from the one place that holds it, or ""."""
    with (course_root() / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["tool"]["gencourse"]["repository"]


def generated_cells(path: Path) -> dict[str, str]:
    """Return the source of the generated cells of one notebook, by cell id."""
    notebooks = catalogue(path.parent)
    index = [notebook.path for notebook in notebooks].index(path)
    return {
        "at-a-glance": at_a_glance(notebooks[index], notebooks),
        "colab": COLAB_CELL.format(repository=repository()),
        "navigation": navigation(index, notebooks),
    }


def at_a_glance(notebook: Notebook, notebooks: list[Notebook]) -> str:
    """Return the table under a notebook's heading: what you build, what you need, how long it takes."""
    known = {other.number: other for other in notebooks}
    needs = [_link(known[number]) if number in known else number for number in notebook.prerequisites]
    rows = [
        "| You will build | Prerequisites | CPU minutes |",
        "|:--|:--|:--|",
        f"| {'<br>'.join(notebook.objectives)} | {'<br>'.join(needs) or 'none'} | {_minutes(notebook)} |",
    ]
    if repository():
        page = f"{repository().replace('https://github.com/', '')}/blob/main/notebooks/{notebook.path.name}"
        rows += ["", f"[Open in Colab](https://colab.research.google.com/github/{page})"]
    return "\n".join(rows)


def navigation(index: int, notebooks: list[Notebook]) -> str:
    """Return the line of links that ends a notebook."""
    before = [f"← {_link(notebooks[index - 1])}"] if index else []
    after = [f"{_link(notebooks[index + 1])} →"] if index + 1 < len(notebooks) else []
    return " · ".join([*before, "[all notebooks](../README.md#the-course)", *after])


def _link(notebook: Notebook, folder: str = "") -> str:
    return f"[{notebook.number} {notebook.title}]({folder}{notebook.path.name})"


def _minutes(notebook: Notebook) -> str:
    if notebook.minutes is None:
        return "not yet measured"
    return "under 1" if notebook.minutes < 1 else f"{notebook.minutes:.0f}"


def linked_pages(root: Path) -> dict[str, str]:
    """Return README.md and roadmap.md with the blocks between their markers renewed."""
    notebooks = catalogue(root / "notebooks")
    blocks = {
        "gallery": gallery_table(root),
        "modules": modules_table(root, notebooks),
        "topics": topics_table(root, notebooks),
        "printed-symbols": symbols_table(root),
    }
    pages = {}
    for name in ("README.md", "roadmap.md"):
        pages[name] = (root / name).read_text(encoding="utf-8")
        for block, table in blocks.items():
            pattern = rf"(<!-- {block}:begin -->\n).*?(<!-- {block}:end -->)"
            pages[name] = re.sub(
                pattern, lambda match, table=table: match[1] + table + "\n" + match[2], pages[name], flags=re.S
            )
    return pages


def gallery_table(root: Path) -> str:
    """Return the README's gallery: one picture a row, taken from the notebooks by `gallery_pictures`."""
    lines = []
    for row in rows(root, "gallery.csv"):
        picture = f"docs/gallery/{row['notebook']}-{row['cell']}.png"
        lines += [f"![{row['caption']}]({picture})", "", f"*{row['caption']}*", ""]
    return "\n".join(lines).strip()


def gallery_pictures(root: Path) -> dict[str, bytes]:
    """Return the gallery's pictures by path: the first PNG output of the named cell of each named notebook.

    Raises:
        ValueError: a named cell does not exist or shows no picture.
    """
    pictures = {}
    for row in rows(root, "gallery.csv"):
        path = find_notebook(row["notebook"], root / "notebooks").path
        outputs = [
            output
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
            if cell["id"] == row["cell"]
            for output in cell["outputs"]
            if "image/png" in output.get("data", {})
        ]
        if not outputs:
            raise ValueError(f"tools/roadmap/gallery.csv: {path.name} has no picture in a cell {row['cell']!r}.")
        encoded = "".join(outputs[0]["data"]["image/png"])
        pictures[f"docs/gallery/{row['notebook']}-{row['cell']}.png"] = base64.b64decode(encoded)
    return pictures


def rows(root: Path, name: str) -> list[dict[str, str]]:
    with (root / "tools" / "roadmap" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def modules_table(root: Path, notebooks: list[Notebook]) -> str:
    """Return the table of all modules: those that are built with link and minutes, the others as planned."""
    built = {notebook.number: notebook for notebook in notebooks}
    lines = ["| Part | Notebook | You will build | CPU minutes |", "|:--|:--|:--|--:|"]
    for row in rows(root, "modules.csv"):
        number = row["number"]
        part = f"{number[0]} {PARTS[int(number[0])]}"
        if number in built:
            notebook = built[number]
            objectives = "; ".join(notebook.objectives)
            lines.append(f"| {part} | {_link(notebook, 'notebooks/')} | {objectives} | {_minutes(notebook)} |")
        else:
            lines.append(f"| {part} | {number} {row['title']} | planned | |")
    return "\n".join(lines)


def topics_table(root: Path, notebooks: list[Notebook]) -> str:
    """Return the table checklist id → notebook; a topic that no notebook treats yet is planned."""
    lines = ["| id | topic | where |", "|:--|:--|:--|"]
    for row in rows(root, "topics.csv"):
        treated = [_link(notebook, "notebooks/") for notebook in notebooks if row["id"] in notebook.topics]
        built = {notebook.number for notebook in notebooks}
        planned = [number for number in row["notebooks"].split() if number not in built]
        where = treated + ([f"planned: {', '.join(planned)}"] if planned else [])
        lines.append(f"| {row['id']} | {row['topic']} | {' · '.join(where) or 'planned'} |")
    return "\n".join(lines)


def symbols_table(root: Path) -> str:
    """Return the table printed symbol → fixed symbol → test, planned where the part is not built yet."""
    lines = ["| printed symbol | fixed symbol | notebook | test |", "|:--|:--|:--|:--|"]
    for row in rows(root, "printed_symbols.csv"):
        fixed = f"`{row['fixed']}`" if row["fixed"] else "planned"
        lines.append(f"| `{row['printed']}` | {fixed} | {row['notebook']} | {row['test'] or 'planned'} |")
    return "\n".join(lines)


def results_page(paths: list[Path]) -> str:
    """Return RESULTS.md: every result in the outputs of the committed notebooks.

    Raises:
        ValueError: two results share an id, or one was recorded in the quick profile.
    """
    columns = ("id", "metric", "ours", "published", "gap", "protocol", "source", "notebook")
    lines = [f"| {' | '.join(columns)} |", "|" + ":--|" * len(columns)]
    seen: dict[str, str] = {}
    for path in paths:
        for result in results_of(path):
            if result["id"] in seen or result["profile"] != "full":
                raise ValueError(
                    f"{path.name}: the result {result['id']!r} stands twice or is not from a full run ({seen})."
                )
            seen[result["id"]] = path.name
            value, published, unit = result["value"], result["published"], result["unit"]
            gap = None if published is None else value - published
            cells = [
                result["id"],
                result["metric"],
                format_value(value, unit),
                format_value(published, unit),
                format_value(gap, unit, sign="+"),
                result["protocol"],
                result["source"],
                f"[{path.stem[:2]}](notebooks/{path.name})",
            ]
            lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return (
        "# Results\n\n"
        "Every number the course reports, harvested by `make format` from the outputs of the committed notebooks,\n"
        "which `make execute NB=…` ran in the full profile on one or two CPU cores. The gap is ours minus the\n"
        "published number.\n\n"
        "A judge-Fréchet distance compares 64 features of the course's own digit classifier over 2,000 samples. It is\n"
        "not the published Inception FID (6.8 on MNIST for the best GAN of a large search, Lucic et al. 2018), which\n"
        "takes 2,048 features of a network for photographs: compare it only with the floor and what is beside it.\n\n"
        + "\n".join(lines)
        + "\n"
    )


def results_of(path: Path) -> list[dict]:
    """Return the results in the outputs of one notebook, as `gencourse.results.report` recorded them."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return [output["data"][MIME_TYPE] for output in outputs if MIME_TYPE in output.get("data", {})]
