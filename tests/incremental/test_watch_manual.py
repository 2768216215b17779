"""The Python example of the manual runs."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "watch.md"


def test_the_example_runs(bank, tmp_path):
    (example,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "credit-scoring").symlink_to(bank)
    printed = io.StringIO()
    with contextlib.chdir(tmp_path), contextlib.redirect_stdout(printed):
        exec(compile(example, str(PAGE), "exec"), {})
    owned, bound = printed.getvalue().splitlines()
    assert owned == "example_bank.model_risk.models_owned embedder unknown fail [('attribute', 'embedder', 'stage')]"
    assert bound.startswith("example_bank.model_risk.suppliers_bound credit-scoring fail pass [")
    assert "('kind', 'cumulus-hosting', '')" in bound
