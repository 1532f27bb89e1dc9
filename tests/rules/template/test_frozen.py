"""Templates against promtool: its frozen texts everywhere, and the real one where it can be built.

`python -m tests.rules.template.test_frozen` writes the frozen texts anew.
"""

import json
import re
import tempfile
from pathlib import Path

import pytest

from streams.rules.template import NOW, Scope, Template
from streams.rules.template.gofmt import quote
from tests.rules.promtool import find_promtool, judge

FILE = Path(__file__).with_name("frozen.json")
FROZEN = json.loads(FILE.read_text(encoding="utf-8"))
TEMPLATES: list[str] = list(FROZEN["templates"])


def scope() -> Scope:
    return {
        "$labels": FROZEN["labels"],
        "$value": FROZEN["value"],
        "$externalLabels": FROZEN["external_labels"],
        "$externalURL": FROZEN["external_url"],
        NOW: float(FROZEN["seconds"]),
    }


def ask(promtool: Path, folder: Path) -> list[str]:
    """What promtool makes of each template, quoted as Go quotes."""
    rules = "".join(
        f"  - {{alert: A{at}, expr: v > 0, annotations: {{t: {json.dumps(text)}}}}}\n"
        for at, text in enumerate(TEMPLATES)
    )
    (folder / "rules.yml").write_text(f"groups:\n- name: t\n  rules:\n{rules}", encoding="utf-8")
    asked = "".join(
        f"  - {{eval_time: {FROZEN['seconds']}s, alertname: A{at}}}\n"
        for at in range(len(TEMPLATES))
    )
    labels = ", ".join(f'{n}="{v}"' for n, v in FROZEN["labels"].items() if n != "__name__")
    (folder / "test.yml").write_text(
        "rule_files: [rules.yml]\ntests:\n- interval: 1m\n"
        f"  external_labels: {json.dumps(FROZEN['external_labels'])}\n"
        f"  external_url: {FROZEN['external_url']}\n"
        f"  input_series: [{{series: 'v{{{labels}}}', values: '{FROZEN['value']}x9'}}]\n"
        f"  alert_rule_test:\n{asked}",
        encoding="utf-8",
    )
    said = judge(promtool, folder / "test.yml").err
    found = re.findall(r"alertname: A(\d+), .*?Annotations:\{t=(.*?)\}\n {12}\]", said, re.DOTALL)
    assert [str(at) for at in range(len(TEMPLATES))] == [at for at, _ in found], said[:500]
    return [text for _, text in found]


@pytest.mark.parametrize("text", TEMPLATES)
def test_a_template_expands_as_promtool_expands_it(text: str) -> None:
    """The same text, also where the template fails."""
    at = TEMPLATES.index(text)
    expanded = Template(text, name=f"__alert_A{at}").expand(scope())

    assert FROZEN["templates"][text] == quote(expanded)


def test_the_frozen_texts_are_those_of_the_real_promtool(tmp_path: Path) -> None:
    """What is frozen is what promtool says today."""
    assert list(FROZEN["templates"].values()) == ask(find_promtool(), tmp_path)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        FROZEN["templates"] = dict(zip(TEMPLATES, ask(find_promtool(), Path(name)), strict=True))
    FILE.write_text(json.dumps(FROZEN, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
