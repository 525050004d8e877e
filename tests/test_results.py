import pytest

from gencourse.results import MIME_TYPE, format_value, report

FACTS = {"protocol": "10,000 test images", "source": "a paper (2020)"}


def test_report_carries_json_and_a_table(monkeypatch):
    monkeypatch.delenv("GENCOURSE_PROFILE", raising=False)
    bundle = report("mnist-accuracy", "test accuracy", 99.5, unit="%", published=99.2, **FACTS)._repr_mimebundle_()
    assert bundle[MIME_TYPE] == {
        "id": "mnist-accuracy", "metric": "test accuracy", "value": 99.5, "unit": "%", "published": 99.2,
        "profile": "full", **FACTS,
    }  # fmt: skip
    assert "<td style='text-align:left'>+0.3000 %</td>" in bundle["text/html"]
    assert "published 99.20 %" in bundle["text/plain"]


def test_nothing_published_draws_a_dash():
    result = report("toy-nll", "test NLL", 3, unit="nats", **FACTS)
    assert result.gap is None
    assert "<td style='text-align:left'>–</td>" in result._repr_mimebundle_()["text/html"]


def test_quick_profile_is_marked(monkeypatch):
    monkeypatch.setenv("GENCOURSE_PROFILE", "quick")
    result = report("toy-nll", "test NLL", 3, **FACTS)
    assert result.profile == "quick"
    assert "not recorded" in result._repr_mimebundle_()["text/html"]


def test_table_escapes_html():
    assert "<script>" not in report("a-b", "<script>", 1.0, **FACTS)._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_diverged_run_is_no_result(value):
    with pytest.raises(ValueError, match="only a finite number"):
        report("toy-nll", "test NLL", value, **FACTS)


@pytest.mark.parametrize("name", ["", "Toy-nll", "toy nll", "toy--nll"])
def test_id_is_kebab_case(name):
    with pytest.raises(ValueError, match="kebab-case"):
        report(name, "test NLL", 1.0, **FACTS)


@pytest.mark.parametrize(
    ("value", "text"),
    [(99.31, "99.31"), (0.012345, "0.0123"), (1234.5, "1234"), (0, "0.000"), (-2.5, "-2.500"), (None, "–")],
)
def test_four_significant_digits(value, text):
    assert format_value(value) == text
