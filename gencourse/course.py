"""What every notebook needs first: seeds, the run's profile, and the catalogue of the course."""

import json
import os
import random
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Value = TypeVar("Value")

PROFILES = ("full", "quick")
PARTS = (
    "Start",
    "Foundations",
    "Autoencoders",
    "GANs",
    "Likelihoods",
    "Diffusion",
    "Language",
    "Images",
    "Time",
    "Practice",
)


def profile() -> str:
    """Return the run's profile: "full" (what a learner runs) or "quick" (what CI runs).

    Raises:
        ValueError: `GENCOURSE_PROFILE` is set to anything else.
    """
    name = os.environ.get("GENCOURSE_PROFILE", "full")
    if name not in PROFILES:
        raise ValueError(f"GENCOURSE_PROFILE is {name!r}; accepted are 'full' and 'quick'.")
    return name


def budget(*, full: Value, quick: Value) -> Value:
    """Return `full` or `quick`, whichever the profile asks for: `epochs = budget(full=20, quick=1)`."""
    return full if profile() == "full" else quick


def setup(seed: int = 0) -> None:
    """Make a notebook repeatable and tidy, and print one line that says what it runs on.

    Seeds Python, NumPy and the Keras backend, hides the backend's start-up lines, and sets the figure style.

    Args:
        seed: the seed of all three random generators, an int >= 0.

    Raises:
        ModuleNotFoundError: TensorFlow (or the backend named by `KERAS_BACKEND`) is not installed in this kernel.
    """
    name = profile()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    random.seed(seed)
    # Keras 3.15 says at every `fit` on a tf.data dataset that it will not shuffle it: the course's datasets shuffle.
    warnings.filterwarnings("ignore", message="`shuffle=True` was passed")
    with _silent_stderr():
        keras = _import_keras()
        keras.utils.clear_session()  # Keras 3.10 does not reseed its global generator otherwise
        keras.utils.set_random_seed(seed)
        keras.ops.zeros(()) + 1  # the first operation prints start-up lines of its own
    from gencourse import __version__
    from gencourse.plots.style import apply_style

    apply_style()
    print(
        f"gencourse {__version__} · Keras {keras.__version__} on {keras.backend.backend()} · "
        f"{accelerator()} · {name} profile · seed {seed}"
    )


def accelerator() -> str:
    """Return the device Keras computes on, in words: "GPU" or "CPU, 2 cores"."""
    import keras

    if any("gpu" in device.lower() for device in keras.distribution.list_devices()):
        return "GPU"
    cores = core_count()
    return f"CPU, {cores} core{'s' * (cores > 1)}"


def core_count() -> int:
    """Return the number of CPU cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _import_keras():
    try:
        import keras
    except ModuleNotFoundError as error:
        package = error.name.partition(".")[0]
        raise ModuleNotFoundError(
            f"{package} is not installed in this kernel's Python. Run `make lab` in the repository and pick the "
            "kernel 'Python 3 (ipykernel)'; in Colab, run the notebook's first code cell. `gencourse doctor` says more."
        ) from None
    return keras


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Send file descriptor 2 to nowhere: TensorFlow's C++ start-up lines ignore Python's sys.stderr."""
    saved = os.dup(2)
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


@dataclass(frozen=True)
class Notebook:
    """One notebook of the course, as its own metadata describes it.

    `number` is the two-digit text of its file name, `topics` are ids of the course checklist, and `minutes` is the
    measured time of the committed full run on one or two CPU cores (None before the first).
    """

    number: str
    title: str
    part: str
    objectives: tuple[str, ...]
    prerequisites: tuple[str, ...]
    topics: tuple[str, ...]
    sources: tuple[str, ...]
    path: Path
    minutes: float | None

    @classmethod
    def read(cls, path: Path) -> "Notebook":
        """Read the metadata of the notebook at `path`.

        Raises:
            ValueError: the file is no notebook, or a field is missing from its `gencourse` metadata.
        """
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))["metadata"]["gencourse"]
            execution = facts.get("execution", {})
            return cls(
                number=facts["number"],
                title=facts["title"],
                part=facts["part"],
                objectives=tuple(facts["objectives"]),
                prerequisites=tuple(facts["prerequisites"]),
                topics=tuple(facts["topics"]),
                sources=tuple(facts["sources"]),
                path=path,
                minutes=execution["seconds"] / 60 if "seconds" in execution else None,
            )
        except (KeyError, json.JSONDecodeError) as error:
            raise ValueError(f"{path.name} has no complete 'gencourse' metadata: {error!r}.") from None


def course_root() -> Path:
    """Return the repository's folder: the nearest parent of the working directory, else of the package, that is one.

    Raises:
        FileNotFoundError: the package was installed without the course around it.
    """
    here = Path.cwd()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[1]):
        if (folder / "notebooks").is_dir() and (folder / "pyproject.toml").is_file():
            return folder
    raise FileNotFoundError(
        "The folder notebooks/ was not found here or above. Run this command inside a clone of the course's repository."
    )


def catalogue(folder: Path | None = None) -> list[Notebook]:
    """Return the course's notebooks in order, read from their own metadata.

    Args:
        folder: where the notebooks are; by default `notebooks/` of the repository.
    """
    folder = folder or course_root() / "notebooks"
    return [Notebook.read(path) for path in sorted(folder.glob("[0-9][0-9]_*.ipynb"))]


def find_notebook(number: str | int, folder: Path | None = None) -> Notebook:
    """Return the notebook with this number, given as 12, "12" or "12_neural_networks".

    Raises:
        LookupError: no notebook has that number; the message lists those there are.
    """
    text = str(number).zfill(2)
    notebooks = catalogue(folder)
    wanted = re.match(r"(\d\d)(_|$)", text)
    for notebook in notebooks:
        if wanted and notebook.number == wanted[1]:
            return notebook
    known = ", ".join(notebook.number for notebook in notebooks)
    raise LookupError(f"There is no notebook {number!r}. The course has: {known}.")
