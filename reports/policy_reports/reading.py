"""Reading a document strictly: JSON that all readers understand alike, and plain words for what is wrong with it.

>>> refuse_ambiguous_json(b'{"a": 1, "a": 2}')
Traceback (most recent call last):
policy_reports.errors.ReportError: PE6001: the document has two members called `a` in one object
"""

from __future__ import annotations

import json
from collections import Counter

from pydantic import ValidationError

from policy_reports.errors import ReportError


def refuse_ambiguous_json(data: bytes) -> None:
    """Refuse what two JSON readers may understand differently: repeated members, and text that is no JSON at all."""
    try:
        json.loads(data.decode("utf-8"), object_pairs_hook=_unique_members, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise ReportError("PE6001", f"the document is not UTF-8: byte {error.start}") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise ReportError("PE6001", f"the document is not JSON: {where}") from error
    except RecursionError as error:
        raise ReportError("PE6001", "the document is nested too deeply") from error
    except ValueError as error:
        # A number with more digits than Python converts.
        raise ReportError("PE6001", "the document has a number that is too long") from error


def _unique_members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        name = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ReportError("PE6001", f"the document has two members called `{name}` in one object")
    return members


def _no_constant(text: str) -> object:
    raise ReportError("PE6001", f"the document is not JSON: `{text}` is no JSON number")


_PLAIN = {
    "missing": "is missing",
    "extra_forbidden": "is not a member that is known here",
    "string_type": "must be text",
    "string_unicode": "must be text without lone surrogates",
    "string_too_short": "must not be empty",
    "int_type": "must be a whole number",
    "greater_than_equal": "must not be so small",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "too_short": "must not be empty",
    "literal_error": "is not one of the words known here",
    "enum": "is not one of the words known here",
    "string_pattern_mismatch": "must be a digest such as `sha256:` and 64 lower-case hexadecimal digits",
}


def readable(error: ValidationError) -> ReportError:
    """The first problem of a document that does not have its shape, as PE6001, PE6002 or PE6003."""
    problems = error.errors(include_url=False, include_input=False)
    first = problems[0]
    pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in first["loc"])
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    if first["type"] == "contradiction":
        place = f"at `{pointer}`: " if pointer else ""
        return ReportError("PE6003", f"{place}{_one_line(first['msg'])}{more}")
    if first["type"] == "json_invalid":
        return ReportError("PE6001", "the document is not JSON that every reader understands alike")
    text = first["msg"] if first["type"] == "instant" else _PLAIN.get(first["type"], "is not valid here")
    return ReportError(
        "PE6002",
        f"`{_one_line(pointer) or '/'}` {text}{more}",
        help="Compare the document with the published JSON Schema.",
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
