"""An estate as three Parquet tables, which Spark and everybody else can read.

Rules:

- ``nodes`` has ``number`` (any distinct integers), ``id``, ``kind``, ``attribute.NAME`` for each attribute that is
  stated anywhere, and ``contradicted``, a list of names; a value is JSON as ``lineage.columns.codec`` writes it;
- ``edges`` has ``type``, ``source`` and ``target``: numbers, from the thing that depends to what it depends on;
- ``evidence`` has ``subject``, ``type``, ``digest``, ``issued``, ``from`` and ``until`` in seconds since 1970 (no
  ``until``: without end), ``signers``, a list of the roles of each distinct key, and ``field.NAME``;
- tables are written whole or not at all, and checked when they are opened.
"""

import os
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import reduce
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - its name everywhere

from policy_dsl.values import Value
from policy_engine.evaluation.sets.evidence import EPOCH
from policy_engine.evaluation.sets.spark_codes import SparkEvaluationError
from policy_engine.lineage.columns.codec import decode, encode
from policy_engine.lineage.columns.layout import NEVER
from policy_engine.lineage.columns.reader import EstateFile
from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.graph import Edge, Fact, Node, Snapshot
from policy_engine.model.evidence import Evidence, EvidenceSet

_NEEDED: Final = {
    "nodes": {"number": "bigint", "id": "string", "kind": "string", "contradicted": "array<string>"},
    "edges": {"type": "string", "source": "bigint", "target": "bigint"},
    "evidence": {
        "subject": "bigint",
        "type": "string",
        "digest": "string",
        "issued": "bigint",
        "from": "bigint",
        "until": "bigint",
        "signers": "array<array<string>>",
    },
}
ATTRIBUTE: Final = "attribute."
FIELD: Final = "field."
# Rows that are written, and later read, together.
_ROWS: Final = 1 << 18


# --- writing --------------------------------------------------------------------------------------------------------


def write_tables(file: EstateFile, folder: Path) -> None:
    """Write the tables of an estate file into a folder that is not there yet.

    Raises:
        SparkEvaluationError: PE3553, there is something already, or it cannot be written.
        LineageError: PE3403, the file is damaged.
    """
    if folder.exists():
        raise SparkEvaluationError("PE3553", f"`{folder}` is there already", "remove it, or name another folder")
    whole = folder.with_name(f"{folder.name}.partial-{os.getpid()}")
    try:
        for name, table in (("nodes", _nodes(file)), ("edges", _edges(file)), ("evidence", _evidence(file))):
            (whole / name).mkdir(parents=True)
            pq.write_table(table, whole / name / "part-0.parquet", row_group_size=_ROWS)
        whole.rename(folder)
    except OSError as error:
        raise SparkEvaluationError("PE3553", f"the tables cannot be written to `{folder}`: {error.strerror}") from error
    finally:
        shutil.rmtree(whole, ignore_errors=True)


def _nodes(file: EstateFile) -> pa.Table:
    number = np.arange(file.nodes, dtype=np.int64)
    columns: dict[str, Any] = {
        "number": number,
        "id": pa.array([file.id(node) for node in range(file.nodes)], pa.string()),
        "kind": _named(_view(file, "kind"), file.kinds),
    }
    contradicted: list[tuple[Any, str]] = []
    for name in file.attributes:
        if f"attribute.{name}.code" in file:
            codes = _view(file, f"attribute.{name}.code")
            columns[f"{ATTRIBUTE}{name}"] = _texts(file, f"attribute.{name}", codes)
            contradicted += [(node, name) for node in np.flatnonzero(codes == 1).tolist()]
    names = [name for _, name in sorted(contradicted)]
    counts = np.bincount(np.array([node for node, _ in contradicted], np.int64), minlength=file.nodes)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    columns["contradicted"] = pa.ListArray.from_arrays(pa.array(offsets), pa.array(names, pa.string()))
    return pa.table(columns)


def _edges(file: EstateFile) -> pa.Table:
    counts = np.diff(_view(file, "up.row"))
    source = np.repeat(np.arange(file.nodes, dtype=np.int64), counts)
    return pa.table(
        {
            "type": _named(_view(file, "up.type"), file.edge_types),
            "source": source,
            "target": _view(file, "up.far").astype(np.int64),
        }
    )


def _evidence(file: EstateFile) -> pa.Table:
    counts = np.diff(_view(file, "evidence.row"))
    rows = file.length("evidence.type")
    digests = bytes(file.section("evidence.digest"))
    until = _view(file, "evidence.until")
    known = file.signers() if rows else ()
    listed = [[sorted(roles) for roles in known[entry]] for entry in range(len(known))]
    signers = [listed[code - 2] for code in (_view(file, "evidence.signers.code").tolist() if rows else [])]
    columns: dict[str, Any] = {
        "subject": np.repeat(np.arange(file.nodes, dtype=np.int64), counts),
        "type": _named(_view(file, "evidence.type"), file.evidence_types),
        "digest": pa.array([f"sha256:{digests[at : at + 32].hex()}" for at in range(0, 32 * rows, 32)], pa.string()),
        "issued": _view(file, "evidence.issued"),
        "from": _view(file, "evidence.from"),
        "until": pa.array(until, mask=until == NEVER),
        "signers": pa.array(signers, pa.list_(pa.list_(pa.string()))),
    }
    for name in file.evidence_fields:
        if f"evidence.field.{name}.code" in file:
            codes = _view(file, f"evidence.field.{name}.code")
            columns[f"{FIELD}{name}"] = _texts(file, f"evidence.field.{name}", codes)
    return pa.table(columns)


def _view(file: EstateFile, name: str) -> Any:
    section = file.section(name)
    typecode = file.typecode(name) or "B"
    return np.frombuffer(section, typecode) if section.nbytes else np.zeros(0, typecode)


def _named(codes: Any, names: tuple[str, ...]) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(names, pa.string())).cast("string")


def _texts(file: EstateFile, column: str, codes: Any) -> Any:
    """Return the values of a column as text; nothing where none is stated."""
    known = file.dictionary(column)
    texts = pa.array([encode(known[entry]) for entry in range(len(known))], pa.string())
    places = pa.array(codes.astype(np.int64) - 2, mask=codes < 2)
    return texts.take(places)


# --- reading --------------------------------------------------------------------------------------------------------


class EstateTables:
    """The tables of an estate, as data frames."""

    def __init__(self, nodes: DataFrame, edges: DataFrame, evidence: DataFrame) -> None:
        """Take data frames, from wherever they come, and check that they fit each other.

        Raises:
            SparkEvaluationError: PE3552, a column is missing; PE3554, they contradict themselves.
        """
        self.nodes, self.edges, self.evidence = nodes, edges, evidence
        self.attributes = _columns(nodes, ATTRIBUTE)
        self.fields = _columns(evidence, FIELD)
        self._check()
        self.size = nodes.count()

    @classmethod
    def open(cls, session: SparkSession, folder: str) -> "EstateTables":
        """Open the tables in a folder, of any file system that Spark reads.

        Raises:
            SparkEvaluationError: PE3552, they are not there; PE3554, they contradict themselves.
        """
        found = []
        for name in _NEEDED:
            try:
                found.append(session.read.parquet(f"{folder}/{name}"))
            except PySparkException as error:
                advice = "write them with `write_tables`, or as `docs/scale.md` describes"
                raise SparkEvaluationError("PE3552", f"there is no table `{name}` in `{folder}`", advice) from error
        return cls(*found)

    def _check(self) -> None:
        for name, frame in (("nodes", self.nodes), ("edges", self.edges), ("evidence", self.evidence)):
            types = {field.name: field.dataType.simpleString() for field in frame.schema.fields}
            for column, wanted in _NEEDED[name].items():
                if types.get(column) != wanted:
                    raise SparkEvaluationError("PE3552", f"the table `{name}` has no column `{column}` of `{wanted}`")
            for column, found in types.items():
                if column.startswith((ATTRIBUTE, FIELD)) and found != "string":
                    raise SparkEvaluationError("PE3552", f"the column `{column}` of `{name}` is not text")
            # What stands for no value inside an evaluation must not be taken for one that is written.
            texts = [quoted(column).isin("", "!") for column in types if column.startswith((ATTRIBUTE, FIELD))]
            _refuse(frame.where(_any(texts)).select(F.lit("").alias("said")), f"a value in `{name}` is", "said")
        for column in ("number", "id"):
            again = self.nodes.groupBy(column).count().where((F.col("count") > 1) | F.col(column).isNull())
            _refuse(again, f"there are several nodes, or none, with the {column}", column)
        known = self.nodes.select(F.col("number").alias("known"))
        for name, column in (("edges", "source"), ("edges", "target"), ("evidence", "subject")):
            frame = self.edges if name == "edges" else self.evidence
            astray = frame.join(known, F.col(column) == F.col("known"), "left_anti")
            _refuse(astray, f"a row of `{name}` is about a node that is not there: its {column} is", column)
        for name, frame in (("nodes", self.nodes), ("edges", self.edges), ("evidence", self.evidence)):
            needed = [column for column in _NEEDED[name] if column != "until"]
            empty = [F.col(column).isNull() for column in needed]
            _refuse(frame.where(_any(empty)).select(F.lit("nothing").alias("said")), f"a row of `{name}` has", "said")

    # --- on the driver -------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Return the lineage in memory: for estates that are small enough."""
        ids, nodes = dict[int, str](), []
        for row in self.nodes.toLocalIterator():
            ids[row["number"]] = row["id"]
            conflicts: dict[str, tuple[Fact, ...]] = dict.fromkeys(row["contradicted"], ())
            values = {n: Fact(value_of(text)) for n, text in _stated(row, ATTRIBUTE) if n not in conflicts}
            nodes.append(Node(row["id"], row["kind"], values, conflicts))
        edges = [Edge(row["type"], ids[row["source"]], ids[row["target"]]) for row in self.edges.toLocalIterator()]
        return Snapshot.build(nodes, edges)

    def evidence_set(self) -> EvidenceSet:
        """Return the evidence in memory: for estates that are small enough."""
        subjects = self.nodes.select(F.col("number").alias("subject"), F.col("id").alias("about"))
        return EvidenceSet.of(_record(row) for row in self.evidence.join(subjects, "subject").toLocalIterator())


def quoted(column: str) -> Column:
    """Return a column whose name has a full stop in it."""
    return F.col(f"`{column}`")


def value_of(text: str) -> Value:
    """Return the value of a text in a table.

    Raises:
        SparkEvaluationError: PE3554, it is none.
    """
    try:
        return decode(text)
    except LineageError as error:
        raise SparkEvaluationError("PE3554", f"`{text[:80]}` is no value", "see `docs/scale.md`") from error


def instant(seconds: int) -> datetime:
    """Return the instant of a second since 1970.

    Raises:
        SparkEvaluationError: PE3554, it lies outside the calendar.
    """
    try:
        return EPOCH + timedelta(seconds=seconds)
    except OverflowError as error:
        raise SparkEvaluationError("PE3554", f"the instant `{seconds}` lies outside the calendar") from error


def _record(row: Row) -> Evidence:
    return Evidence(
        digest=row["digest"],
        type=row["type"],
        subject=row["about"],
        issued=instant(row["issued"]),
        counts_from=instant(row["from"]),
        counts_until=None if row["until"] is None else instant(row["until"]),
        fields={name: value_of(text) for name, text in _stated(row, FIELD)},
        signers=tuple(frozenset(roles) for roles in row["signers"]),
    )


def _stated(row: Row, prefix: str) -> Iterator[tuple[str, str]]:
    for name, text in row.asDict().items():
        if name.startswith(prefix) and text is not None:
            yield name.removeprefix(prefix), text


def _any(conditions: list[Column]) -> Column:
    return reduce(lambda one, other: one | other, conditions, F.lit(False))


def _columns(frame: DataFrame, prefix: str) -> frozenset[str]:
    return frozenset(name.removeprefix(prefix) for name in frame.columns if name.startswith(prefix))


def _refuse(wrong: DataFrame, message: str, column: str) -> None:
    found = wrong.select(column).first()
    if found is not None:
        raise SparkEvaluationError("PE3554", f"{message} `{found[0]}`")
