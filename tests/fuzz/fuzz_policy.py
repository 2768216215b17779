"""Coverage-guided fuzzing of the front end: `python tests/fuzz/fuzz_policy.py [libFuzzer options]`, with atheris.

Whatever the bytes, compiling must end, must not raise, and must give diagnostics that can be drawn. What compiles
without an error must also run its tests without raising: a checked pack has no type error at evaluation.
"""

import sys
from pathlib import Path

LIBRARY = Path(__file__).parents[2] / "policies" / "library"


def one_input(data: bytes) -> None:
    """Put bytes through the whole front end, once as a plain and once as a literate pack."""
    from policy_dsl import compile_bytes
    from policy_dsl.diagnostics import Severity, render_text
    from policy_engine.app.policy_tests import run_tests

    files = LIBRARY.glob("std/*.policy") if b"std.ai" in data else ()
    standard = {path.name: path.read_bytes() for path in files}
    for name in ("fuzz.policy", "fuzz.policy.md"):
        program, found = compile_bytes({**standard, name: data})
        for diagnostic in found:
            assert render_text(diagnostic, program.files)
        if not any(d.severity is Severity.ERROR for d in found):
            run_tests(program)


def main() -> None:
    """Fuzz until stopped or until the options say."""
    import atheris

    with atheris.instrument_imports(include=["policy_dsl"]):
        import policy_dsl.compiler  # noqa: F401 - imported to be instrumented
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
