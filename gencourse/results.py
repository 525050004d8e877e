"""Our number beside the published one, drawn in the notebook and harvested from it into RESULTS.md."""

import math
from dataclasses import asdict, dataclass
from html import escape

MIME_TYPE = "application/vnd.gencourse.result+json"


@dataclass(frozen=True)
class Result:
    """A measured number with everything needed to judge it.

    Jupyter shows it as a small table; the same cell output carries it as JSON under `MIME_TYPE`, so that RESULTS.md is
    harvested from data and never parsed from text.
    """

    id: str
    metric: str
    value: float
    unit: str
    published: float | None
    protocol: str
    source: str
    profile: str

    @property
    def gap(self) -> float | None:
        """`value - published` in `unit`, or None where there is nothing to compare with."""
        return None if self.published is None else self.value - self.published

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return {MIME_TYPE: asdict(self), "text/html": self._html(), "text/plain": str(self)}

    def __str__(self) -> str:
        line = f"{self.metric}: {format_value(self.value, self.unit)}"
        if self.published is not None:
            gap = format_value(self.gap, self.unit, sign="+")
            line += f" (published {format_value(self.published, self.unit)}, gap {gap})"
        return f"{line}. Protocol: {self.protocol}. Source: {self.source}."

    def _html(self) -> str:
        cells = {
            "metric": self.metric,
            "ours": format_value(self.value, self.unit),
            "published": format_value(self.published, self.unit),
            "gap": format_value(self.gap, self.unit, sign="+"),
            "protocol": self.protocol,
            "source": self.source,
        }
        head = "".join(f"<th style='text-align:left'>{name}</th>" for name in cells)
        row = "".join(f"<td style='text-align:left'>{escape(text)}</td>" for text in cells.values())
        note = "" if self.profile == "full" else "<p>Quick profile: shown, not recorded.</p>"
        return f"<table><tr>{head}</tr><tr>{row}</tr></table>{note}"


def report(
    id: str,
    metric: str,
    value: float,
    *,
    protocol: str,
    source: str,
    unit: str = "",
    published: float | None = None,
) -> Result:
    """Report a measured number beside the published one; make it the last expression of a cell.

    Args:
        id: a stable name in kebab-case, unique in the course, such as "mnist-convnet-accuracy".
        metric: what was measured, in words.
        value: our number, finite, in `unit`.
        protocol: what was trained and tested on, how many samples, which seed.
        source: where `published` stands; "own measurement" where there is nothing to compare with.
        unit: "%", "nats", ...
        published: the published number in the same unit under the same protocol, or None.

    Raises:
        ValueError: `value` is not finite (a diverged run is no result), or `id` is not kebab-case.
    """
    from gencourse.course import profile

    if not math.isfinite(value):
        raise ValueError(f"The result {id!r} is {value}: only a finite number can be reported.")
    if not id or not all(word.isalnum() and word == word.lower() for word in id.split("-")):
        raise ValueError(f"The result id {id!r} is not kebab-case, such as 'mnist-convnet-accuracy'.")
    published = None if published is None else float(published)
    return Result(id, metric, float(value), unit, published, protocol, source, profile())


def format_value(value: float | None, unit: str = "", sign: str = "") -> str:
    """Write a number with four significant digits and its unit; None becomes a dash."""
    if value is None:
        return "–"
    digits = 3 if value == 0 else max(0, 3 - math.floor(math.log10(abs(value))))
    return f"{value:{sign}.{min(digits, 4)}f} {unit}".rstrip()
