"""What a CycloneDX component says of a model or of data: the model card, and the contents of data.

What becomes what, beside what has an attribute of the same name:

- performance metrics are measures, those of a slice only of a part;
- energy and carbon dioxide of making the model are summed, without its deployment and use;
- use cases are the intended use, ethical considerations and fairness assessments the ethics.

Graphics, inputs, outputs and properties are not kept.
"""

from collections.abc import Iterator
from decimal import Decimal

from policy_engine.lineage.importers.gathering import Gathering, Thing, decimal
from policy_engine.lineage.importers.measures import Measure, declare

# What a model takes in use depends on its users, and is no fact about the model.
_OF_USE = frozenset({"deployment", "inference"})

_Entry = dict[str, object]


def read_model_card(gathering: Gathering, thing: Thing, entry: _Entry, at: str) -> Iterator[tuple[_Entry, str]]:
    """Claim what the model card of a component says; yield the data that it learns from."""
    shapes = gathering.shapes
    card, card_at = shapes.part(entry, "modelCard", at)
    parameters, here = shapes.part(card, "modelParameters", card_at)
    approach, approach_at = shapes.part(parameters, "approach", here)
    gathering.attribute(thing, "task", shapes.text(parameters, "task", here), f"{here}/task")
    gathering.attribute(thing, "approach", shapes.text(approach, "type", approach_at), f"{approach_at}/type")
    _architecture(gathering, thing, parameters, here)
    _measures(gathering, thing, card, card_at)
    _considerations(gathering, thing, card, card_at)
    return shapes.parts(parameters, "datasets", here)


def read_data(gathering: Gathering, thing: Thing, data: _Entry, at: str) -> None:
    """Claim what is said of the contents of a dataset."""
    shapes = gathering.shapes
    classification = shapes.text(data, "classification", at)
    gathering.attribute(thing, "classification", classification, f"{at}/classification")
    sensitive = [text for text, _ in shapes.texts(data, "sensitiveData", at)]
    gathering.attribute(thing, "sensitive_data", sensitive, f"{at}/sensitiveData")
    governance, here = shapes.part(data, "governance", at)
    owners = []
    for owner, place in shapes.parts(governance, "owners", here):
        for key in ("organization", "contact"):
            party, party_at = shapes.part(owner, key, place)
            owners += [name for name in (shapes.text(party, "name", party_at),) if name]
    if len(owners) == 1:
        gathering.attribute(thing, "owner", owners[0], f"{here}/owners")
    elif owners:
        gathering.skip("several owners are not kept: `owner` has one value", f"{here}/owners")


def _architecture(gathering: Gathering, thing: Thing, parameters: _Entry, at: str) -> None:
    family, model = (gathering.shapes.text(parameters, key, at) for key in ("architectureFamily", "modelArchitecture"))
    if model is not None:
        gathering.attribute(thing, "architecture", model, f"{at}/modelArchitecture")
        gathering.attribute(thing, "architecture_family", family, f"{at}/architectureFamily")
    else:
        gathering.attribute(thing, "architecture", family, f"{at}/architectureFamily")


def _measures(gathering: Gathering, thing: Thing, card: _Entry, at: str) -> None:
    shapes = gathering.shapes
    analysis, here = shapes.part(card, "quantitativeAnalysis", at)
    measures = []
    for metric, place in shapes.parts(analysis, "performanceMetrics", here):
        name, part = shapes.text(metric, "type", place), shapes.text(metric, "slice", place)
        if name and metric.get("value") is not None:
            measures.append(Measure(name, metric["value"], f"{place}/value", part, part=part is not None))
    declare(gathering, thing, measures)


def _considerations(gathering: Gathering, thing: Thing, card: _Entry, at: str) -> None:
    shapes = gathering.shapes
    said, here = shapes.part(card, "considerations", at)
    for key, attribute in (("useCases", "intended_use"), ("technicalLimitations", "limitations")):
        texts = [text for text, _ in shapes.texts(said, key, here)]
        gathering.attribute(thing, attribute, texts, f"{here}/{key}")
    ethics = []
    for key, whom, what in (
        ("ethicalConsiderations", "name", "mitigationStrategy"),
        ("fairnessAssessments", "groupAtRisk", "harms"),
    ):
        for entry, place in shapes.parts(said, key, here):
            parts = [text for name in (whom, what) if (text := shapes.text(entry, name, place))]
            ethics += [": ".join(parts)] if parts else []
    gathering.attribute(thing, "ethics", ethics, here)
    environment, place = shapes.part(said, "environmentalConsiderations", here)
    _energy(gathering, thing, environment, place)


def _energy(gathering: Gathering, thing: Thing, environment: _Entry, at: str) -> None:
    """Claim sums, unless one of the amounts is in another unit or no amount: part of a sum is no sum."""
    shapes = gathering.shapes
    sums: dict[str, Decimal | None] = {}
    for entry, here in shapes.parts(environment, "energyConsumptions", at):
        if shapes.text(entry, "activity", here) in _OF_USE:
            continue
        for key, attribute, unit, factor in (
            ("activityEnergyCost", "energy_kwh", "kWh", Decimal(1)),
            ("co2CostEquivalent", "co2_kg", "tCO2eq", Decimal(1000)),
        ):
            cost, place = shapes.part(entry, key, here)
            if not cost:
                continue
            amount, so_far = decimal(cost.get("value")), sums.get(attribute, Decimal(0))
            if amount is None or cost.get("unit") != unit:
                shapes.wrong(cost.get("value") if amount is None else cost.get("unit"), f"an amount in {unit}", place)
                sums[attribute] = None
            else:
                sums[attribute] = None if so_far is None else so_far + amount * factor
    for attribute, total in sums.items():
        gathering.attribute(thing, attribute, total, f"{at}/energyConsumptions")
