"""How long the language's front end and the gate take: `python benchmarks/front_end.py [--rules 1000] [--rounds 5]`.

Each row is the median of several rounds. Two peers run in the same rounds: lark alone, which only lexes and parses the
same text with the same grammar, and Python starting up, which is the least that any command costs.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from policy_dsl import compile_packs
from policy_dsl.format import format_source
from policy_dsl.source import SourceFile
from policy_dsl.storage import program_from_bytes, program_to_bytes
from policy_dsl.syntax import lark_parser
from policy_engine.packs.library import select

RULE = """
rule rule_{number}
    "Every dataset that system {number} learns from has a current datasheet"
    cites "Art. 10(2)", "Annex IV(2)(d)"
    severity high
    for each System where system.annex_iii is known and system.stage in {{staging, production}}
    must
        every Dataset upstream of system via trained_on, validated_on, derived_from
            has evidence datasheet signed by data_steward not older than 365 days
        and some Person in system.overseen_by where person.has_authority
    except research when system.purpose is research
    otherwise "{{system.name}} learns from {{dataset.name}}"
    remedy "Ask {{dataset.owner}} to sign a datasheet for {{dataset.name}}"
"""


def median(work: Callable[[], object], rounds: int) -> float:
    """Return the median of the seconds that some work takes."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def lark_alone(text: str) -> None:
    """Lex and parse every declaration with lark, and do nothing else."""
    parser = lark_parser._lark()
    for declaration in text.split("\nrule ")[1:]:
        feed = lark_parser.Feed()
        for token in parser.lex("rule " + declaration):
            # lark's own lexer knows neither units nor where a keyword is a name.
            unit = token.type == "NAME" and feed.wants("UNIT")
            feed.take(token.update(type="UNIT" if unit else token.type if feed.wants(token.type) else "NAME"))


def gate(environment: dict[str, str]) -> Callable[[], object]:
    """Return a whole run of the gate on the example, in a process of its own."""
    example = Path(__file__).parents[1] / "examples" / "credit-scoring"
    inventory = str(example / "inventory.yaml")
    command = [sys.executable, "-m", "policy_engine.cli.main", "check", inventory, "--at", "2027-01-01", "--quiet"]
    return lambda: subprocess.run(command, env=environment, capture_output=True, check=False)


def main() -> None:
    """Measure and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rules", type=int, default=1000)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    standard = [SourceFile(name, data.decode()) for name, data in select(["std.ai"], {}).files.items()]
    text = "policy big\nuse std.ai\n" + "".join(RULE.format(number=n) for n in range(chosen.rules))
    big = SourceFile("big.policy", format_source(SourceFile("big.policy", text)))
    program, found = compile_packs([*standard, big])
    stored = program_to_bytes(program, found)
    with tempfile.TemporaryDirectory() as folder:
        kept = {"PATH": os.defpath, "POLICY_ENGINE_CACHE": folder}
        gate(kept)()
        rows: list[tuple[str, Callable[[], object]]] = [
            ("parse and check", lambda: compile_packs([*standard, big])),
            ("format", lambda: format_source(big)),
            ("load the kept program", lambda: program_from_bytes(stored)),
            ("peer: lark alone, lex and parse", lambda: lark_alone(big.text)),
            ("gate, whole process, compiling", gate({**kept, "POLICY_ENGINE_CACHE": "off"})),
            ("gate, whole process, kept program", gate(kept)),
            ("peer: Python starting up", lambda: subprocess.run([sys.executable, "-c", "pass"], check=True)),
        ]
        print(f"{chosen.rules} rules, median of {chosen.rounds}")
        for name, work in rows:
            print(f"{name:<36} {median(work, chosen.rounds) * 1000:8.0f} ms")


if __name__ == "__main__":
    main()
