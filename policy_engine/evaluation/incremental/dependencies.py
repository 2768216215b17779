"""The index from facts to the results that read them.

Rules:

- a fact is named by a key: what is said, of which thing, and which part of it;
- that something is absent is a fact too: whoever looked for it read it;
- a result reads what was looked at while it was decided last, and nothing more.

| key | the fact |
|---|---|
| `KIND, node, ""` | whether there is the thing, and its kind |
| `ATTRIBUTE, node, name` | the value of an attribute, that none is stated, or that sources contradict each other |
| `FROM, node, type` | where the edges of a type lead to from a thing |
| `TO, node, type` | where the edges of a type come from |
| `FROM` or `TO`, `node, "type,type"` | the same of several types, asked for together |
| `MEMBERS, kind, ""` | which things are of exactly this kind |
| `EVIDENCE, node, type` | the verified evidence of a type about a thing |
| `WAIVER, rule, subject` | the accepted waivers of a result |

>>> index = Dependencies()
>>> index.record(("documented", "scorer"), {(ATTRIBUTE, "scorer", "stage")})
>>> index.readers([(ATTRIBUTE, "scorer", "stage"), (ATTRIBUTE, "scorer", "owner")])
{('documented', 'scorer')}
"""

from collections.abc import Collection, Iterable
from typing import Final

KIND: Final = "kind"
ATTRIBUTE: Final = "attribute"
FROM: Final = "from"
TO: Final = "to"
MEMBERS: Final = "members"
EVIDENCE: Final = "evidence"
WAIVER: Final = "waiver"

Key = tuple[str, str, str]
"""The name of a fact. A plain tuple: hundreds of thousands are made in a second."""

Pair = tuple[str, str]
"""The name of a result: its rule and its subject."""


class Dependencies:
    """Which results read which facts, both ways."""

    def __init__(self) -> None:
        self._readers: dict[Key, set[Pair]] = {}
        self._reads: dict[Pair, frozenset[Key]] = {}
        # INVARIANT: every key is kept once, however many results read its fact.
        self._kept: dict[Key, Key] = {}

    def record(self, pair: Pair, reads: Collection[Key]) -> None:
        """Note what a result read, in the place of what it read before."""
        before = self._reads.get(pair, frozenset())
        keep = self._kept.setdefault
        after = self._reads[pair] = frozenset([keep(key, key) for key in reads])
        for key in after - before:
            self._readers.setdefault(key, set()).add(pair)
        self._release(pair, before - after)

    def forget(self, pair: Pair) -> None:
        """Drop a result that is no more."""
        self._release(pair, self._reads.pop(pair, frozenset()))

    def readers(self, keys: Iterable[Key]) -> set[Pair]:
        """Return the results that read any of some facts."""
        found: set[Pair] = set()
        for key in keys:
            found |= self._readers.get(key, set())
        return found

    def reads(self, pair: Pair) -> frozenset[Key]:
        """Return what a result read; nothing when there is no such result."""
        return self._reads.get(pair, frozenset())

    def _release(self, pair: Pair, keys: Iterable[Key]) -> None:
        for key in keys:
            readers = self._readers[key]
            readers.discard(pair)
            if not readers:
                del self._readers[key], self._kept[key]
