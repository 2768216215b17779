"""The measures that documents state of a model: they are declared, not shown.

Rules:

- every measure is one text of ``declared_metrics``, such as ``f1 = 0.66 on Beans``;
- what is called accuracy, of the whole and not of a part, is ``declared_accuracy`` if it is a fraction from 0 to 1
  or written with a percent sign, and if no other accuracy is stated.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from policy_engine.lineage.importers.gathering import Gathering, Thing, decimal
from policy_engine.lineage.importers.missing import says_nothing

# A longer value is a table or a history, which no rule could read.
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure as a document states it; ``on`` is the data, and ``part`` says that it is of a part of them."""

    name: str
    value: object
    at: str
    on: str | None = None
    part: bool = False


def declare(gathering: Gathering, thing: Thing, measures: Iterable[Measure]) -> None:
    """Claim the measures of a model."""
    accuracies: dict[Decimal, str] = {}
    said: list[str] = []
    first = ""
    for measure in measures:
        value = measure.value
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            gathering.shapes.wrong(value, "a number or a text", measure.at)
            continue
        if says_nothing(str(value)) or says_nothing(measure.name):
            continue
        if len(str(value)) > _LONGEST:
            gathering.skip(f"measures of more than {_LONGEST} characters are not kept", measure.at)
            continue
        on = f" on {measure.on}" if measure.on else ""
        said.append(f"{measure.name} = {value}{on}")
        first = first or measure.at
        number = decimal(value)
        if number is not None and measure.name.strip().casefold() == "accuracy" and not measure.part:
            accuracies.setdefault(number, measure.at)
    gathering.attribute(thing, "declared_metrics", said, first)
    _accuracy(gathering, thing, accuracies)


def _accuracy(gathering: Gathering, thing: Thing, found: dict[Decimal, str]) -> None:
    if not found:
        return
    number, at = next(iter(found.items()))
    if len(found) > 1:
        gathering.skip("several accuracies are stated of one model, so none of them is its accuracy", at, "PE3171")
    elif 0 <= number <= 1:
        gathering.attribute(thing, "declared_accuracy", number, at)
    else:
        message = f"the accuracy is `{number}`, which is no fraction from 0 to 1"
        gathering.shapes.report("PE3171", message, at, advice="write it like `0.93` or `93%`")
