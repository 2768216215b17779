"""Documents damaged as no careful author would: keys lost, moved and doubled, values of other types, bytes flipped."""

import copy
import json
import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

HOSTILE: list[Any] = [
    None, True, 0, -1, 10**30, 1e300, 1.5, "", " ", "x\ny", "\x1b[31mred", "\u202egpj.exe", "\ufeff", "e\u0301",
    "a" * 1025, "x" * 100_000, [], [None], [[]], [{}], {}, {"": None}, {"name": 7}, [7], "unknown", "NOASSERTION",
    "{{x}}", "${y}", "http://[", "https://a:99999999/", "pkg:", "pkg:huggingface/", "pkg:a/%zz", "hf://", "models:/",
    "s3://", "urn:", "urn:uuid:zz", "sha256:zz", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
    "2025-02-30", "2025-01-01T25:61:61Z", "9" * 400, "1e400", "NaN", "%", "99%", "²", "urn:li:dataset:(((", "urn:li:",
    "/", "..", "@", "#", "a@b@c", "-", "[]", "{}", "[1", '{"a":' * 300, "[" * 5000, "1 EUR",
]  # fmt: skip
"""Values that somebody's code did not expect."""

_WORDS = [value for value in HOSTILE if isinstance(value, str)]


def mutated(documents: list[Any], count: int, seed: int) -> Iterator[bytes]:
    """Yield documents as JSON, each with one to six changes of its structure, some with bytes changed as well."""
    chance = random.Random(seed)
    for _ in range(count):
        document = _thinned(chance.choice(documents), chance)
        for _ in range(chance.choice((1, 1, 2, 3, 6))):
            _change(document, chance)
        data = json.dumps(document, default=float).encode()
        yield _with_other_bytes(data, chance) if chance.random() < 0.1 else data


def _thinned(value: Any, chance: random.Random) -> Any:
    """Return a copy without most entries of long lists and mappings, so that changes meet what matters."""
    if isinstance(value, dict):
        keys = list(value) if len(value) <= 40 else chance.sample(list(value), 40)
        return {key: _thinned(value[key], chance) for key in keys}
    if isinstance(value, list):
        return [_thinned(item, chance) for item in (value if len(value) <= 8 else chance.sample(value, 8))]
    return value


def _change(document: Any, chance: random.Random) -> None:
    paths = [path for path in _paths(document) if path]
    if not paths:
        return
    path = chance.choice(paths)
    holder, key = _at(document, path[:-1]), path[-1]
    match chance.randrange(6):
        case 0 | 1:
            holder[key] = copy.deepcopy(chance.choice(HOSTILE))
        case 2:
            del holder[key]
        case 3 if isinstance(holder, dict):
            holder[chance.choice([*_WORDS, "id", "name"])[:2000]] = holder.pop(key)
        case 3:
            holder.insert(key, copy.deepcopy(holder[key]))
        case 4:
            holder[key] = copy.deepcopy(_at(document, chance.choice(paths)))
        case _:
            value = holder[key]
            holder[key] = chance.choice([[value], {"a": value}, str(value)[:5000]])


def _paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for key, inner in entries for path in _paths(inner, (*at, key)))]


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def _with_other_bytes(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 3))):
        at = chance.randrange(len(changed) + 1)
        changed[at : at + chance.choice((0, 1, 30))] = bytes(chance.sample(range(256), chance.choice((0, 1, 3))))
    return bytes(changed)


def plain(value: Any) -> Any:
    """Return content that was read as JSON can write it."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value
