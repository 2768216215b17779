"""Reading an estate from files of any known format.

Rules: the format is found by content; what cannot be read is a problem and the rest is read without it; nothing
depends on the order of the files. All documents of a format that is a log are read together.
A key that stands twice refuses our own inventory; of a document of others, which nobody here can put right, the last
value is taken with a warning.

>>> from policy_dsl.typed.schema import Schema
>>> estate = load_estate({"notes.yaml": b"hello: world"}, Schema())
>>> [problem.code for problem in estate.problems]
['PE3111']
"""

from collections.abc import Mapping
from dataclasses import replace

from policy_dsl.collector import without_search_for_cycles
from policy_dsl.typed.schema import Schema
from policy_engine.lineage.claims import Claims
from policy_engine.lineage.documents import Document, Limits, read_documents
from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.estate import Estate
from policy_engine.lineage.graph import Source
from policy_engine.lineage.importers.croissant import CroissantImporter
from policy_engine.lineage.importers.cyclonedx import CycloneDxImporter
from policy_engine.lineage.importers.datahub import DataHubImporter
from policy_engine.lineage.importers.dbt import DbtImporter
from policy_engine.lineage.importers.huggingface import HuggingFaceImporter
from policy_engine.lineage.importers.interface import Importer, LogImporter
from policy_engine.lineage.importers.inventory import InventoryImporter
from policy_engine.lineage.importers.kserve import KServeImporter
from policy_engine.lineage.importers.mlflow_export import MlflowExportImporter
from policy_engine.lineage.importers.openlineage import OpenLineageImporter
from policy_engine.lineage.importers.spdx3 import Spdx3Importer
from policy_engine.lineage.join import join
from policy_engine.lineage.located import Place, step
from policy_engine.model.problems import Problem, Severity, as_errors, sort_problems

IMPORTERS: tuple[Importer | LogImporter, ...] = (
    InventoryImporter(),
    CycloneDxImporter(),
    Spdx3Importer(),
    CroissantImporter(),
    MlflowExportImporter(),
    HuggingFaceImporter(),
    OpenLineageImporter(),
    KServeImporter(),
    DbtImporter(),
    DataHubImporter(),
)
"""Every format that is read, in the order in which a document is tried."""

_LAST_COUNTS = "the last of the values is taken; have whoever makes the document put it right"


def load_estate(
    files: Mapping[str, bytes], schema: Schema, *, strict: bool = False, limits: Limits | None = None
) -> Estate:
    """Read files, by name, into one graph; ``strict`` makes every warning an error."""
    with without_search_for_cycles():
        return _load(files, schema, strict, limits or Limits())


def _load(files: Mapping[str, bytes], schema: Schema, strict: bool, limits: Limits) -> Estate:
    problems: list[Problem] = []
    documents: dict[str, Document] = {}
    claims: list[Claims] = []
    logs: dict[LogImporter, list[tuple[Document, Source]]] = {}
    for file in sorted(files):
        repeated: list[Problem] = []
        try:
            found = read_documents(file, files[file], limits, repeated=repeated)
        except LineageError as error:
            problems.append(error.problem)
            continue
        if not found:
            problems.append(_unknown(file, "the file holds nothing"))
        for document in found:
            if documents.setdefault(document.name, document) is not document:
                message = f"two documents have the name `{document.name}`; this one is not read"
                problems.append(
                    Problem("PE3150", Severity.ERROR, message, document.file, help="rename one of the files")
                )
                continue
            importer = next((each for each in IMPORTERS if each.detects(document)), None)
            if repeated and (importer is None or isinstance(importer, InventoryImporter)):
                problems.append(repeated[0])  # in a document of ours it is a mistake to put right
            elif importer is None:
                problems.append(_unknown(document.file, "the format of the document is not known", document))
            else:
                problems.extend(replace(each, severity=Severity.WARNING, help=_LAST_COUNTS) for each in repeated)
                source = Source(document.name, document.sha256, importer.name, document.name)
                if isinstance(importer, LogImporter):
                    logs.setdefault(importer, []).append((document, source))
                else:
                    claims.append(importer.claims(document, source, schema))
    claims.extend(importer.claims_of_log(parts, schema) for importer, parts in logs.items())
    snapshot, found_joining = join(claims, schema)
    problems.extend(_located(problem, documents) for problem in found_joining)
    ordered = sort_problems(problems)
    return Estate(snapshot, as_errors(ordered) if strict else ordered)


def _unknown(file: str, message: str, document: Document | None = None) -> Problem:
    place = document.place("") if document else None
    line, column = place or (None, None)
    expected = "; ".join(importer.sign for importer in IMPORTERS)
    return Problem("PE3111", Severity.ERROR, message, file, "", line, column, f"what is read: {expected}")


def _located(problem: Problem, documents: Mapping[str, Document]) -> Problem:
    """Return a problem with the file that a person opens and, where it can be found, the line and column."""
    document = documents.get(problem.file)
    if document is None:
        return problem
    place = _nearest_place(document, problem.pointer) or (problem.line, None)
    return replace(problem, file=document.file, line=place[0], column=place[1])


def _nearest_place(document: Document, pointer: str) -> Place | None:
    """Return the place of what a pointer names; what is missing is missed in what should hold it."""
    while pointer:
        if (place := document.place(pointer)) is not None:
            return place
        pointer = pointer.rpartition("/")[0]
    # The document itself begins where the first of its entries does: a file may hold several.
    first = next(iter(document.content), None) if isinstance(document.content, dict) else None
    return None if first is None else document.place(step(first))
