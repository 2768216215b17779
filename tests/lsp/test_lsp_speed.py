"""A file of a thousand rules, and how long an author waits for it."""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from tests.lsp.lsp_client import Editor, place_of

RULE = """
rule documented_{n} "Every dataset has a datasheet 😀"
    cites "Art. 10(2)"
    severity high
    for each System where system.stage in {{staging, production}}
    must
        every Dataset upstream of system via trained_on, validated_on
            has evidence datasheet signed by data_steward not older than max_age
    otherwise "{{system.name}} learns from {{dataset.name}}"
"""
TEXT = (
    "policy big\nuse std.ai\nparameter max_age: Duration = 365 days\n"
    + "".join(RULE.format(n=n) for n in range(1000))
    + "\n# the end\n"
)
LIMIT = 2.0


def test_a_thousand_rules_are_answered_within_two_seconds(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    editor = Editor(tmp_path)
    uri = (tmp_path / "big.policy").as_uri()
    editor.open(uri, TEXT)
    assert editor.wait_for_diagnostics(uri) == []
    best: dict[str, float] = {}
    for _ in range(3):  # whatever else the machine does is no matter of the server's
        for name, taken in measured(editor, uri).items():
            best[name] = min(taken, best.get(name, taken))
        if max(best.values()) <= LIMIT:
            break
    editor.close()
    for name, taken in best.items():
        record_property(name, round(taken, 2))
    assert max(best.values()) <= LIMIT, best


def measured(editor: Editor, uri: str) -> dict[str, float]:
    """Return the seconds of each answer, the first ones after a change of the text."""
    seconds: dict[str, float] = {}

    def timed(name: str, work: Callable[[], object]) -> None:
        start = perf_counter()
        work()
        seconds[name] = perf_counter() - start

    editor.change(uri, TEXT.replace("the end", "the end\nrule last for each Sistem must true"))
    timed("diagnostics", lambda: editor.wait_for_diagnostics(uri))
    assert [d["code"] for d in editor.diagnostics[uri]["diagnostics"]] == ["PE2005"]
    editor.change(uri, TEXT)
    place = place_of(TEXT, "than max|_age")
    timed("hover after a change", lambda: editor.at("hover", uri, place_of(TEXT, "rule documented_|999")))
    timed("completion", lambda: editor.labels(uri, place_of(TEXT, "where system.|stage")))
    timed("references", lambda: editor.at("references", uri, place, context={"includeDeclaration": True}))
    timed("outline", lambda: editor.ask("textDocument/documentSymbol", {"textDocument": {"uri": uri}}))
    timed("rename", lambda: editor.at("rename", uri, place, newName="oldest"))
    return seconds
