"""The items of a DataHub file, unwrapped into aspects: what is told of which URN, and where.

A file is a list. Each item is a metadata change event (MCE), which holds a snapshot of a thing with many aspects, or a
metadata change proposal (MCP), which holds one; old files wrap a value as the list of its type's name and itself. The
value of an MCP's aspect is JSON in a text, or the value itself. Aspects are named here as MCPs name them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from policy_engine.lineage.importers.embedded import embedded
from policy_engine.lineage.importers.gathering import Gathering
from policy_engine.lineage.importers.placeholders import filled
from policy_engine.lineage.located import step

Entry = dict[str, object]

# Aspects whose types are not called as the aspects are.
_NAMES = {
    "trainingData": "mlModelTrainingData",
    "evaluationData": "mlModelEvaluationData",
    "metrics": "mlModelMetrics",
    "ethicalConsiderations": "mlModelEthicalConsiderations",
    "caveatsAndRecommendations": "mlModelCaveatsAndRecommendations",
}


@dataclass(frozen=True, slots=True)
class Aspect:
    """One aspect of one thing; ``removed`` says that it, or with no name the thing, was taken away."""

    urn: str
    name: str
    value: Entry
    at: str
    removed: bool = False


def is_item(content: object) -> bool:
    """Tell whether something is an item of a DataHub file."""
    if not isinstance(content, dict):
        return False
    return "proposedSnapshot" in content or ("aspectName" in content and "entityType" in content)


def aspects(gathering: Gathering, item: Entry, at: str) -> Iterator[Aspect]:
    """Yield the aspects of an item."""
    if item.get("proposedSnapshot") is not None:
        yield from _of_snapshot(gathering, item, at)
    else:
        yield from _of_proposal(gathering, item, at)


def plain(of: Entry, key: str, at: str) -> tuple[Entry, str, str]:
    """Step into the wrapping of a value that Avro's JSON puts the name of its simple type around.

    >>> plain({"name": {"string": "Ada"}}, "name", "/0")
    ({'string': 'Ada'}, 'string', '/0/name')
    """
    raw = of.get(key)
    if isinstance(raw, dict) and len(raw) == 1 and next(iter(raw)) in ("string", "array"):
        return raw, next(iter(raw)), at + step(key)
    return of, key, at


def _of_snapshot(gathering: Gathering, item: Entry, at: str) -> Iterator[Aspect]:
    _, snapshot, here = _unwrapped(gathering, item["proposedSnapshot"], f"{at}/proposedSnapshot")
    urn = filled(gathering, gathering.shapes.text(snapshot, "urn", here), here)
    if not urn:
        gathering.skip("a thing without a URN is not kept", here, "PE3120")
        return
    yield Aspect(urn, "", {}, here)
    for raw, place in gathering.shapes.items(snapshot, "aspects", here):
        kind, value, inside = _unwrapped(gathering, raw, place)
        name = kind.rpartition(".")[2]
        # MLModelProperties is mlModelProperties, DatasetProperties datasetProperties.
        name = f"ml{name[2:]}" if name.startswith("ML") else name[:1].lower() + name[1:]
        yield Aspect(urn, _NAMES.get(name, name), value, inside)


def _of_proposal(gathering: Gathering, item: Entry, at: str) -> Iterator[Aspect]:
    shapes = gathering.shapes
    urn = filled(gathering, shapes.text(item, "entityUrn", at), at)
    name = shapes.text(item, "aspectName", at)
    removed = shapes.text(item, "changeType", at) == "DELETE"
    if not urn:
        gathering.skip("a thing without a URN is not kept", at, "PE3120")
    elif removed:
        yield Aspect(urn, name or "", {}, at, removed=True)
    else:
        wrapped, here = shapes.part(item, "aspect", at)
        raw, place = (wrapped.get("value"), f"{here}/value")
        if raw is None:
            raw, place = wrapped.get("json"), f"{here}/json"
        if isinstance(raw, str):
            raw = embedded(gathering, raw, place)
        value = {} if raw is None else shapes.mapping(raw, place)
        if value is not None:
            yield Aspect(urn, name or "", value, place)


def _unwrapped(gathering: Gathering, raw: object, at: str) -> tuple[str, Entry, str]:
    """Return a value and the name of its type, from ``{type: value}`` or the old ``[type, value]``."""
    if isinstance(raw, list) and len(raw) == 2 and isinstance(raw[0], str):
        value, here, kind = raw[1], f"{at}/1", raw[0]
    elif isinstance(raw, dict) and len(raw) == 1:
        kind = next(iter(raw))
        value, here = raw[kind], at + step(kind)
    else:
        gathering.shapes.wrong(raw, "a value under the name of its type", at)
        return "", {}, at
    return kind, gathering.shapes.mapping(value, here) or {}, here
