"""Coverage documents: which rules ask for what each row of a catalogue of obligations obliges to.

A pack keeps its document beside its rules, as `coverage.yaml`. Rules of a document:

- a row names the rules that stand for it, or says why there is none; it may do both, where a part is left out;
- classes: `A` a rule decides from facts and evidence, `M` a rule looks at a document that a person judges, `P` the
  organisation attests; `A+M` both; `-` an entry that obliges to nothing;
- `beyond` names the rules of the pack that stand for no row, each with why it is there.

>>> document = b"framework: X\\nregulation: 1\\nrows:\\n  - {id: a, class: A, reason: no such thing}\\n"
>>> parse_coverage(document, "coverage.yaml").rows[0].id
'a'
"""

from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from policy_engine.model.errors import Fault, InputError

_FORM = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
_Text = Annotated[str, Field(min_length=1)]


class CoverageRow(BaseModel):
    """One row of the catalogue: its id there, its class, and the rules that stand for it or why there are none."""

    model_config = _FORM

    id: _Text
    test_class: Literal["A", "M", "P", "A+M", "-"] = Field(alias="class")
    rules: tuple[_Text, ...] = ()
    reason: str = ""

    @model_validator(mode="after")
    def _says_something(self) -> "CoverageRow":
        if not self.rules and not self.reason:
            raise ValueError("a row names rules, or gives a reason")
        return self


class Coverage(BaseModel):
    """What the packs of one framework cover; ``regulation`` is the section of the catalogue, or a name without one."""

    model_config = _FORM

    framework: _Text
    regulation: int | str
    rows: tuple[CoverageRow, ...] = Field(min_length=1)
    beyond: dict[str, _Text] = {}

    @property
    def rules(self) -> frozenset[str]:
        """Return every rule that the document names."""
        return frozenset(self.beyond) | {rule for row in self.rows for rule in row.rules}


def parse_coverage(data: bytes, place: str) -> Coverage:
    """Return what a coverage document says.

    Raises:
        InputError: PE0003, with every part that is not as it should be.
    """
    try:
        return Coverage.model_validate(yaml.safe_load(data))
    except yaml.YAMLError as error:
        raise InputError(
            [str(Fault("PE0003", f"this is not valid YAML: {' '.join(str(error).split())[:200]}", place))]
        ) from error
    except ValidationError as error:
        raise InputError(
            [
                str(Fault("PE0003", f"`{'.'.join(map(str, found['loc']))}`: {found['msg'].lower()}", place))
                for found in error.errors()
            ]
        ) from error
