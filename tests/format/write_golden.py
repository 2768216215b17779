"""Writes the expected files of the golden pairs anew; review the difference."""

from pathlib import Path

from policy_dsl.format import format_source
from policy_dsl.source import SourceFile

GOLDEN = Path(__file__).parent / "golden"


def main() -> None:
    for path in sorted(GOLDEN.glob("*.input.*")):
        formatted = format_source(SourceFile(path.name, path.read_text(encoding="utf-8")))
        path.with_name(path.name.replace(".input.", ".expected.")).write_text(formatted, encoding="utf-8")


if __name__ == "__main__":
    main()
