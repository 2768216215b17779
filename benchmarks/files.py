"""An estate on disk: Parquet tables, as any engine reads them, and the estate file that ours is prepared into."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.generator import EDGE_TYPES, EDGES, EVIDENCE, EVIDENCE_TYPES, KINDS, TEXTS, THINGS, Array, Generated
from policy_dsl.pieces import to_pieces
from policy_dsl.typed.tree import Program
from policy_engine import __version__
from policy_engine.app.gate import GATE_FORMAT
from policy_engine.evaluation.sets.evaluator import chosen_kernel
from policy_engine.evaluation.sets.native_kernel import NativeKernel
from policy_engine.lineage.columns.arrays import Numpy
from policy_engine.lineage.columns.codec import encode
from policy_engine.lineage.columns.numbering import number_nodes
from policy_engine.lineage.columns.table import Column, Edges, EstateTable, EvidenceRows, Texts
from policy_engine.lineage.columns.writer import write_columns

_DAY: Final = 86_400


def write_tables(estate: Generated, folder: Path) -> None:
    """Write three tables: things, edges and evidence."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = pa.array(np.arange(estate.size, dtype=np.int32))
    owners = np.where(estate.owner < 0, None, np.char.add("team-", estate.owner.astype(str)))
    things = {
        "id": numbers,
        "name": pa.array(estate.names()),
        "kind": _texts(KINDS, estate.kind),
        **{name: _texts(TEXTS[name], codes) for name, codes in estate.texts.items()},
        "contains_pii": pa.array(estate.contains_pii),
        "owner": pa.array(owners, pa.string()),
        "soc2_expiry": pa.array(estate.soc2_expiry, mask=estate.soc2_expiry < 0),
    }
    edges = {
        "source": pa.array(estate.source),
        "target": pa.array(estate.target),
        "type": _texts(EDGE_TYPES, estate.edge_type),
    }
    evidence = {
        "about": pa.array(estate.about),
        "type": _texts(EVIDENCE_TYPES, estate.evidence_type),
        "issued": pa.array(estate.issued),
        "until": pa.array(estate.until),
    }
    for name, columns in ((THINGS, things), (EDGES, edges), (EVIDENCE, evidence)):
        pq.write_table(pa.table(columns), folder / name)


def read_tables(folder: Path) -> Generated:
    """Read the tables into columns of numbers."""
    things = pq.read_table(folder / THINGS, read_dictionary=["kind", "owner", *TEXTS])
    edges = pq.read_table(folder / EDGES, read_dictionary=["type"])
    evidence = pq.read_table(folder / EVIDENCE, read_dictionary=["type"])
    owner = things["owner"].combine_chunks()
    return Generated(
        _codes(things, "kind", KINDS),
        {name: _codes(things, name, values) for name, values in TEXTS.items()},
        things["contains_pii"].to_numpy(),
        _codes(things, "owner", tuple(f"team-{n}" for n in range(_most(owner) + 1))).astype(np.int32),
        things["soc2_expiry"].fill_null(-1).to_numpy(),
        edges["source"].to_numpy(),
        edges["target"].to_numpy(),
        _codes(edges, "type", EDGE_TYPES),
        evidence["about"].to_numpy(),
        _codes(evidence, "type", EVIDENCE_TYPES),
        evidence["issued"].to_numpy(),
        evidence["until"].to_numpy(),
    )


def write_estate_file(estate: Generated, path: Path, program: Program) -> None:
    """Write the estate file, as `prepare` would if everything were in columns already."""
    kernel = chosen_kernel("auto")
    numbering = kernel.number_nodes if isinstance(kernel, NativeKernel) else number_nodes
    write_columns(path, _table(estate, program), Numpy(), numbering)


def _table(estate: Generated, program: Program) -> EstateTable:
    names = np.array(estate.names())
    order = np.argsort(names)
    rank = np.empty(estate.size, np.int64)
    rank[order] = np.arange(estate.size)
    kinds, kind = _sorted_codes(KINDS, estate.kind)
    days = [date(1970, 1, 1) + timedelta(days=n) for n in range(int(estate.soc2_expiry.max()) + 1)]
    attributes = {name: _column(codes[order], TEXTS[name]) for name, codes in estate.texts.items()}
    attributes["contains_pii"] = _column(estate.contains_pii[order].astype(np.int64), (False, True))
    attributes["owner"] = _column(estate.owner[order], [f"team-{n}" for n in range(int(estate.owner.max()) + 1)])
    attributes["soc2_expiry"] = _column(estate.soc2_expiry[order], days)
    types, edge_type = _sorted_codes(EDGE_TYPES, estate.edge_type)
    source, target = rank[estate.source], rank[estate.target]
    edge = np.lexsort((target, source, edge_type))
    index, pieces = to_pieces(program)
    documents = {"program": index, "gate": _gate(program), "inputs": b'{"files":{},"folder":"","patterns":{}}'}
    return EstateTable(
        Texts.of(names[order].tolist()),
        kinds,
        kind[order],
        attributes,
        Edges(types, edge_type[edge], source[edge], target[edge]),
        _evidence(estate, rank),
        documents=documents,
        texts={"program.piece": Texts.of(pieces)},
    )


def _evidence(estate: Generated, rank: Array) -> EvidenceRows:
    types, evidence_type = _sorted_codes(EVIDENCE_TYPES, estate.evidence_type)
    about = rank[estate.about]
    # No two records are the same, so each has a digest of its own.
    digests = np.random.default_rng(1).integers(0, 256, (len(about), 32), dtype=np.uint8)
    row = np.lexsort((digests[:, 0], estate.issued, evidence_type, about))
    issued = estate.issued[row].astype(np.int64) * _DAY
    signers = Column(np.full(len(row), 2), Texts.of(['[["auditor"]]']))
    until = estate.until[row].astype(np.int64) * _DAY
    return EvidenceRows(
        types, about[row], evidence_type[row], issued, issued, until, digests[row].tobytes(), signers, {}
    )


def _gate(program: Program) -> bytes:
    said = {
        "format": GATE_FORMAT,
        "engine": __version__,
        "relied_until": None,
        "enforcement": dict.fromkeys(program.rules, "mandatory"),
        "waivers": [],
        "rejected": [],
        "unjudged": 0,
    }
    return json.dumps(said).encode()


def _column(codes: Array, values: Any) -> Column:
    """Return a column of the values that occur: codes of a column begin at 2, and 0 is not stated."""
    used = np.unique(codes[codes >= 0])
    place = np.zeros(len(values) + 1, np.int64)
    place[used] = np.arange(len(used)) + 2
    return Column(place[codes], Texts.of([encode(values[at]) for at in used.tolist()]))


def _sorted_codes(names: tuple[str, ...], codes: Array) -> tuple[tuple[str, ...], Array]:
    ordered = tuple(sorted(names))
    return ordered, np.array([ordered.index(name) for name in names])[codes]


def _texts(values: tuple[str, ...], codes: Array) -> Any:
    indexes = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indexes, pa.array(values)).cast(pa.string())


def _codes(table: Any, column: str, values: tuple[str, ...]) -> Array:
    place = {value: at for at, value in enumerate(values)}
    # A column of one dictionary, in whatever order the file has its values.
    found = table[column].unify_dictionaries().combine_chunks()
    found = found.chunk(0) if isinstance(found, pa.ChunkedArray) else found
    known = np.array([place[value] for value in found.dictionary.to_pylist()] + [-1], np.int32)
    return known[found.indices.fill_null(len(known) - 1).to_numpy(zero_copy_only=False)]


def _most(owners: Any) -> int:
    owners = owners.chunk(0) if isinstance(owners, pa.ChunkedArray) else owners
    return max(int(name.removeprefix("team-")) for name in owners.dictionary.to_pylist())
