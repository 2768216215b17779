"""The things of an estate in columns, found by id: their ranks, and the digests that signed evidence must name."""

from collections.abc import Iterator, Mapping

from policy_engine.lineage.columns.codec import decode
from policy_engine.lineage.columns.table import EstateTable, Texts
from policy_engine.lineage.graph import Fact, Node, subject_digests


class Ranks(Mapping[str, int]):
    """The rank of each id, found by halving."""

    def __init__(self, ids: Texts) -> None:
        self._offset = ids.offset
        self._text = memoryview(ids.text)

    def __len__(self) -> int:
        return len(self._offset) - 1

    def __iter__(self) -> Iterator[str]:
        return (text_of(self._offset[rank], self._offset[rank + 1], self._text) for rank in range(len(self)))

    def __getitem__(self, node_id: str) -> int:
        try:
            wanted = node_id.encode()
        except UnicodeEncodeError:
            raise KeyError(node_id) from None
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            found = bytes(self._text[int(self._offset[middle]) : int(self._offset[middle + 1])])
            if found == wanted:
                return middle
            low, high = (middle + 1, high) if found < wanted else (low, middle)
        raise KeyError(node_id)


class Subjects(Mapping[str, Mapping[str, str]]):
    """The digests of each thing, worked out when they are asked for."""

    def __init__(self, table: EstateTable) -> None:
        self._table = table
        self._ranks = Ranks(table.ids)

    def __len__(self) -> int:
        return len(self._ranks)

    def __iter__(self) -> Iterator[str]:
        return iter(self._ranks)

    def __getitem__(self, node_id: str) -> Mapping[str, str]:
        rank = self._ranks[node_id]
        facts: dict[str, Fact] = {}
        for name in ("digest", "version"):
            column = self._table.attributes.get(name)
            code = int(column.code[rank]) if column is not None else 0
            if column is not None and code > 1:
                texts = column.dictionary
                written = text_of(texts.offset[code - 2], texts.offset[code - 1], memoryview(texts.text))
                facts[name] = Fact(decode(written))
        return subject_digests(Node(node_id, self._table.kinds[int(self._table.kind[rank])], facts))


def text_of(start: int, end: int, text: memoryview) -> str:
    """Return a text of a list of texts."""
    return str(text[int(start) : int(end)], "utf-8")
