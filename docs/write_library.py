"""Writes the pages of the policy library: an index of each pack with its coverage, and a page for each rule.

    python docs/write_library.py

Everything under `library/` is replaced, and the `roles.yaml` of each starter. A test fails when a page is not up to
date.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from policy_dsl.typed import tree
from policy_dsl.typed.tree import PackInfo, Program, Rule
from policy_dsl.values import format_instant
from policy_engine.app.evaluate import compile_policies
from policy_engine.app.rule_page import rule_page, table_row
from policy_engine.app.start import STARTERS, roles_document, starters
from policy_engine.packs.coverage import Coverage, CoverageRow, parse_coverage
from policy_engine.packs.library import library, library_folder, select
from policy_engine.packs.profile import parse_profile

DOCS = Path(__file__).parent
PAGES = DOCS / "library"
VOCABULARY = "std"

_INTRO = """\
# The policy library

Every pack of the library, and every rule with what it asks, why, of whom, what must be shown, and an example of each
answer. The pages are made from the packs. They are not legal advice: a rule sees an inventory and signed evidence.

| pack | framework | rules | obligations looked at | with rules | with a reason instead |
|---|---|---|---|---|---|
"""

_PACK_INTRO = """\
What the packs implement and how they read facts is said in [their own README]({readme}). A profile takes all of them
with `packs = ["{name}"]`.
"""

_COVERAGE_INTRO = """\
## Coverage

Each row is an obligation of the catalogue that the library is built from, by its place in the text. Class `A`: a rule
decides it from facts and evidence. `M`: a rule looks at the presence, signer, age and version of a document that a
person judges. `P`: the organisation attests it. *Tests* counts the expectations of the packs' own tests by result.

| obligation | class | rules | tests |
|---|---|---|---|
"""


def generated() -> dict[Path, str]:
    """Return the text of every page, by its path."""
    program = compile_policies(select(library(), {}).files, {})[0]
    expected = _expectations(program)
    packs = {pack.name: pack for pack in program.packs}
    tops = sorted({name.partition(".")[0] for name in packs} - {VOCABULARY})
    found = {_page_of(rule): _rule_page(program, packs[rule.pack], rule) for rule in program.rules.values()}
    index = [_INTRO]
    for top in tops:
        rules = [rule for rule in program.rules.values() if rule.pack.partition(".")[0] == top]
        documents = coverage_of(top)
        found[PAGES / top / "README.md"] = _pack_page(top, program, rules, documents, expected)
        index.append(_index_row(top, packs, rules, documents))
    found[PAGES / "README.md"] = "".join(index)
    for name in starters():
        profile = parse_profile((STARTERS / name / "profile.toml").read_bytes(), name)
        chosen = select(profile.packs, {})
        found[STARTERS / name / "roles.yaml"] = roles_document(program.only(chosen.selected))
    return found


def coverage_of(top: str) -> tuple[Coverage, ...]:
    """Return the coverage documents in the folder of a pack."""
    paths = sorted((library_folder() / top).glob("*.yaml"))
    return tuple(parse_coverage(path.read_bytes(), str(path.name)) for path in paths)


def _expectations(program: Program) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {name: Counter() for name in program.rules}
    for test in program.tests:
        for step in test.steps:
            if isinstance(step, tree.Expectation):
                found[step.rule][step.status] += 1
    return found


def _page_of(rule: Rule) -> Path:
    return PAGES.joinpath(*rule.name.split(".")).with_suffix(".md")


def _rule_page(program: Program, pack: PackInfo, rule: Rule) -> str:
    return rule_page(program, pack, rule, program.files[rule.span.file])


def _index_row(top: str, packs: dict[str, PackInfo], rules: list[Rule], documents: tuple[Coverage, ...]) -> str:
    framework = " and ".join(dict.fromkeys(packs[rule.pack].framework for rule in rules))
    rows = [row for document in documents for row in document.rows]
    ruled = sum(bool(row.rules) for row in rows)
    return (
        f"| [`{top}`]({top}/README.md) | {framework} | {len(rules)} | {len(rows)} | {ruled} | {len(rows) - ruled} |\n"
    )


def _pack_page(
    top: str, program: Program, rules: list[Rule], documents: tuple[Coverage, ...], expected: dict[str, Counter[str]]
) -> str:
    readme = f"../../../policies/library/{top}/README.md"
    lines = [f"# {top}", "", _PACK_INTRO.format(readme=readme, name=top), "## Rules", ""]
    lines += ["| rule | cites | severity | basis | in force |", "|---|---|---|---|---|"]
    lines += [_rule_row(rule, PAGES / top) for rule in rules]
    for document in documents:
        title = "" if len(documents) == 1 else f" of {document.framework}"
        lines += ["", _COVERAGE_INTRO.replace("## Coverage", f"## Coverage{title}").rstrip("\n")]
        lines += [_coverage_row(row, program, expected, PAGES / top) for row in document.rows]
        if document.beyond:
            lines += ["", "Rules that stand for no row:", ""]
            lines += [
                f"- {_link(program.rules[name], PAGES / top)}: {' '.join(why.split())}"
                for name, why in document.beyond.items()
            ]
    return "\n".join(lines) + "\n"


def _rule_row(rule: Rule, folder: Path) -> str:
    since = _day(rule.start) + (f" until {_day(rule.end)}" if rule.end is not None else "")
    cells = (f"{_link(rule, folder)}: {rule.title}", ", ".join(rule.citations), rule.severity, rule.basis, since)
    return table_row(cells)


def _coverage_row(row: CoverageRow, program: Program, expected: dict[str, Counter[str]], folder: Path) -> str:
    links = [_link(program.rules[name], folder) for name in row.rules]
    counts: Counter[str] = sum((expected[name] for name in row.rules), Counter())
    tests = ", ".join(f"{number} {status.replace('_', ' ')}" for status, number in sorted(counts.items()))
    said = "<br>".join([*links, *([row.reason] if row.reason else [])])
    return table_row((row.id, row.test_class, said, tests or "-"))


def _link(rule: Rule, folder: Path) -> str:
    page = _page_of(rule)
    own = page.is_relative_to(folder)
    path = page.relative_to(folder).as_posix() if own else f"../{page.relative_to(PAGES).as_posix()}"
    return f"[`{rule.name.partition('.')[2] if own else rule.name}`]({path})"


def _day(instant: datetime | None) -> str:
    return format_instant(instant).removesuffix("T00:00:00Z") if instant is not None else "always"


def stale() -> Iterator[Path]:
    """Yield the pages that are kept for rules that are no more."""
    known = set(generated())
    yield from (path for path in PAGES.rglob("*.md") if path not in known)


def main() -> None:
    """Write every page, and nothing else under `library/`."""
    files = generated()
    shutil.rmtree(PAGES, ignore_errors=True)
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
