"""A Markdown document with the text of a law and the rules beside it is a pack."""

from datetime import UTC, datetime

import pytest

from policy_dsl.source import policy_blocks
from policy_engine.app.evaluate import evaluate
from policy_engine.app.inputs import read_inputs
from policy_engine.cli.main import main
from policy_engine.model.errors import InputError

LAW = """# House rules

Every model has an owner, says section 1.

```policy
policy house.rules
    version "1.0.0"
use std.ai

rule owned
    "Every model has an owner"
    for each Model
    must model.owner is known
```

An example that is no rule:

```yaml
policy: nothing
```

~~~policy
test "a model without an owner"
    at 2027-01-01
    given
        Model m
    expect fail of owned on m
~~~
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "house.policy.md").write_text(LAW)
    (tmp_path / "inventory.yaml").write_text("inventory: 1\nnodes:\n  - {id: m, kind: Model}\n")
    (tmp_path / "profile.toml").write_text('profile = 1\npacks = ["house.policy.md"]\nsources = ["inventory.yaml"]\n')
    return tmp_path


def test_its_rules_are_evaluated(folder):
    run = evaluate(read_inputs(folder), datetime(2027, 1, 1, tzinfo=UTC))
    assert [(r.rule, r.status.value) for r in run.results] == [("house.rules.owned", "fail")]


def test_its_tests_run(folder, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["test", str(folder)])
    assert stop.value.code == 0
    assert "1 passed" in capsys.readouterr().out


def test_a_mistake_is_shown_at_its_place_in_the_document(folder):
    (folder / "house.policy.md").write_text(LAW.replace("model.owner", "model.onwer"))
    with pytest.raises(InputError) as refused:
        evaluate(read_inputs(folder), datetime(2027, 1, 1, tzinfo=UTC))
    (report,) = refused.value.reports
    assert "house.policy.md:13:16" in report
    assert "13 |     must model.onwer is known" in report


@pytest.mark.parametrize(
    ("markdown", "kept"),
    [
        ("```policy\nuse a\n", ["use", "a"]),
        ("````policy\n```\nuse a\n````\nuse b", ["```", "use", "a"]),
        ("~~~\n```policy\nuse a\n```\n~~~\n", []),
        ("```policy extra\nuse a\n```", ["use", "a"]),
        ("```policyx\nuse a\n```", []),
        ("    ```policy\n    use a\n", []),
        ("no blocks", []),
        ("", []),
    ],
)
def test_blocks_are_found_as_markdown_says(markdown, kept):
    blocks = policy_blocks(markdown)
    assert blocks.split() == kept
    assert len(blocks) == len(markdown)
    assert blocks.count("\n") == markdown.count("\n")
