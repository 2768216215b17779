"""An estate as columns, and their arrangement into the sections of an estate file.

Rules:

- nodes are given by rank: in the order of their ids by code point, which is the order of their UTF-8 bytes;
- edges are given in the order of type, source and target; evidence in the order of subject, type, issue, digest and
  begin. A stable sort by node number then leaves every row of the file in its order, in time linear in the edges;
- a column of values holds codes: 0 not stated, 1 contradicted, k from 2 the entry k-2 of its dictionary;
- columns may be arrays of the standard library or of numpy; the bytes of the file are the same.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from policy_engine.lineage.columns.arrays import Arrays, Plain
from policy_engine.lineage.columns.errors import estate_error
from policy_engine.lineage.columns.layout import Sections, Typecode
from policy_engine.lineage.columns.numbering import Numbering, number_nodes

if TYPE_CHECKING:
    from typing_extensions import Buffer

_MOST: Final = 2**32 - 2
_ENDS = {"up": ("source", "target"), "down": ("target", "source")}


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts one after the other in UTF-8: text k lies from ``offset[k]`` to ``offset[k + 1]``."""

    offset: Sequence[int]
    text: "Buffer"

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Texts":
        """Put texts together.

        Raises:
            LineageError: PE3405, one holds half of a surrogate pair.
        """
        offset, text = array("Q", [0]), bytearray()
        for one in texts:
            try:
                text += one.encode("utf-8")
            except UnicodeEncodeError as error:
                raise estate_error("PE3405", "a text holds half of a surrogate pair", None) from error
            offset.append(len(text))
        return cls(offset, text)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of values: the code of each row, and the dictionary of what codes from 2 stand for, in JSON."""

    code: Sequence[int]
    dictionary: Texts


@dataclass(frozen=True, slots=True)
class Edges:
    """Edges in the order of type, source and target, each once; types are indexes of their sorted names."""

    types: tuple[str, ...] = ()
    type: Sequence[int] = ()
    source: Sequence[int] = ()
    target: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class EvidenceRows:
    """Evidence in the order of subject, type, issue, digest and begin; instants are seconds since 1970 in UTC."""

    types: tuple[str, ...] = ()
    subject: Sequence[int] = ()
    type: Sequence[int] = ()
    issued: Sequence[int] = ()
    begins: Sequence[int] = ()
    ends: Sequence[int] = ()
    digest: "Buffer" = b""
    """32 bytes a row."""
    signers: Column | None = None
    fields: Mapping[str, Column] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EstateTable:
    """Everything about an estate, by rank of its nodes; kinds are indexes of their sorted names."""

    ids: Texts
    kinds: tuple[str, ...]
    kind: Sequence[int]
    attributes: Mapping[str, Column] = field(default_factory=dict)
    edges: Edges = field(default_factory=Edges)
    evidence: EvidenceRows = field(default_factory=EvidenceRows)
    documents: Mapping[str, bytes] = field(default_factory=dict)
    """JSON that travels with the estate, such as its compiled policies, by name."""
    texts: Mapping[str, Texts] = field(default_factory=dict)
    """Lists of texts that travel with the estate, such as the pieces of its policies, by name."""
    facts_digest: str | None = None
    digest: str | None = None


def arrange(
    table: EstateTable, arrays: Arrays | None = None, numbering: Numbering = number_nodes
) -> tuple[dict[str, Any], Sections]:
    """Number the nodes, and return the header and the sections of the file.

    Raises:
        LineageError: PE3405, there is more of something than its numbers can count.
    """
    arrays = arrays or Plain()
    edges, n = table.edges, len(table.kind)
    if max(n, len(edges.source), len(table.evidence.subject)) > _MOST or len(edges.types) > 2**16:
        raise estate_error(
            "PE3405", "the estate has more nodes, edges or evidence than an estate file can number", None
        )
    row, order = arrays.grouped(n, edges.source)
    numbers, cycles = numbering(n, memoryview(row), memoryview(arrays.taken("I", edges.target, order)))
    number = arrays.made("I", numbers)
    rank = arrays.inverse(number)
    sections: dict[str, tuple[Typecode, Buffer]] = {
        "ids.offset": ("Q", arrays.made("Q", table.ids.offset)),
        "ids.text": ("B", table.ids.text),
        "ids.number": ("I", number),
        "ids.rank": ("I", rank),
        "kind": ("H", arrays.taken("H", table.kind, rank)),
        "cycle.start": ("I", array("I", [start for start, _ in cycles])),
        "cycle.end": ("I", array("I", [end for _, end in cycles])),
    }
    members, order = arrays.grouped(len(table.kinds), table.kind)
    sections |= {"kind.row": ("I", members), "kind.node": ("I", arrays.taken("I", number, order))}
    for name, column in sorted(table.attributes.items()):
        sections |= _column(f"attribute.{name}", column, rank, arrays)
    sections |= _adjacency(edges, n, number, arrays)
    sections |= _evidence(table.evidence, n, number, arrays)
    sections |= {name: ("B", document) for name, document in sorted(table.documents.items())}
    for name, texts in sorted(table.texts.items()):
        sections |= {f"{name}.offset": ("Q", arrays.made("Q", texts.offset)), f"{name}.text": ("B", texts.text)}
    header = {
        "nodes": n,
        "edges": len(edges.source),
        "evidence": len(table.evidence.subject),
        "cycles": len(cycles),
        "kinds": table.kinds,
        "edge_types": edges.types,
        "attributes": sorted(table.attributes),
        "evidence_types": table.evidence.types,
        "evidence_fields": sorted(table.evidence.fields),
        "documents": sorted(table.documents),
        "facts_digest": table.facts_digest,
        "digest": table.digest,
    }
    return header, sections


def _adjacency(edges: Edges, n: int, number: Sequence[int], arrays: Arrays) -> Sections:
    ends = {"source": arrays.taken("I", number, edges.source), "target": arrays.taken("I", number, edges.target)}
    typecode: Typecode = "B" if len(edges.types) <= 256 else "H"
    sections: dict[str, tuple[Typecode, Buffer]] = {}
    for way, (near, far) in _ENDS.items():
        row, order = arrays.grouped(n, ends[near])
        sections[f"{way}.row"] = ("I", row)
        sections[f"{way}.far"] = ("I", arrays.taken("I", ends[far], order))
        sections[f"{way}.type"] = (typecode, arrays.taken(typecode, edges.type, order))
    return sections


def _evidence(rows: EvidenceRows, n: int, number: Sequence[int], arrays: Arrays) -> Sections:
    row, order = arrays.grouped(n, arrays.taken("I", number, rows.subject))
    digests = memoryview(rows.digest)
    sections: dict[str, tuple[Typecode, Buffer]] = {
        "evidence.row": ("I", row),
        "evidence.type": ("H", arrays.taken("H", rows.type, order)),
        "evidence.issued": ("q", arrays.taken("q", rows.issued, order)),
        "evidence.from": ("q", arrays.taken("q", rows.begins, order)),
        "evidence.until": ("q", arrays.taken("q", rows.ends, order)),
        "evidence.digest": ("B", b"".join(digests[32 * at : 32 * at + 32] for at in order)),
    }
    if rows.signers is not None:
        sections |= _column("evidence.signers", rows.signers, order, arrays)
    for name, column in sorted(rows.fields.items()):
        sections |= _column(f"evidence.field.{name}", column, order, arrays)
    return sections


def _column(name: str, column: Column, order: Sequence[int], arrays: Arrays) -> Sections:
    largest = len(column.dictionary.offset)
    typecode: Typecode = "B" if largest < 2**8 else "H" if largest < 2**16 else "I"
    return {
        f"{name}.code": (typecode, arrays.taken(typecode, column.code, order)),
        f"{name}.offset": ("Q", arrays.made("Q", column.dictionary.offset)),
        f"{name}.text": ("B", column.dictionary.text),
    }
