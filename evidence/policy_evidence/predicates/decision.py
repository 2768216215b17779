"""A decision: the digests of everything that went in, the instant, and every result that came out.

Rules: counts in = counts out, and the verdict is the one that the counts give, so that a signed decision cannot
contradict itself. The results are free JSON objects here: their meaning belongs to the engine that `replay`s them.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Self, TypeVar

from pydantic import AfterValidator, Field, JsonValue, StrictInt, model_validator

from policy_evidence.shapes import Digest, Document, Instant, Text, plainly

Count = Annotated[StrictInt, Field(ge=0)]
T = TypeVar("T")


def _rising(key: Callable[[T], str]) -> Callable[[tuple[T, ...]], tuple[T, ...]]:
    def check(values: tuple[T, ...]) -> tuple[T, ...]:
        keys = [key(value) for value in values]
        if keys != sorted(set(keys)):
            raise plainly("must be sorted, each one once")
        return values

    return check


class Verdict(StrEnum):
    """One word for the whole assessment."""

    COMPLIANT = "compliant"
    NOT_COMPLIANT = "not_compliant"
    UNDECIDED = "undecided"


class Engine(Document):
    """The program that decided."""

    name: Text
    version: Text


class Pack(Document):
    """One policy pack, by name, version and the digest of its text."""

    name: Text
    version: Text
    sha256: Digest


class Inputs(Document):
    """Everything a decision rests on, by digest."""

    snapshot: Digest
    trust: Digest
    profile: Digest
    packs: Annotated[tuple[Pack, ...], AfterValidator(_rising(lambda pack: pack.name))]
    evidence: Annotated[tuple[Digest, ...], AfterValidator(_rising(str))]


class Counts(Document):
    """How many results have which status."""

    pass_: Count = Field(alias="pass")
    fail: Count
    unknown: Count
    not_applicable: Count
    waived: Count

    @property
    def total(self) -> int:
        """The number of results."""
        return self.pass_ + self.fail + self.unknown + self.not_applicable + self.waived

    @property
    def verdict(self) -> Verdict:
        """The verdict that these counts give: one failure decides; one unknown, or no result at all, leaves open."""
        if self.fail:
            return Verdict.NOT_COMPLIANT
        return Verdict.UNDECIDED if self.unknown or not self.total else Verdict.COMPLIANT


class DecisionPredicate(Document):
    """What was decided, at which instant, from which inputs, with every result."""

    engine: Engine
    instant: Instant
    inputs: Inputs
    verdict: Verdict
    counts: Counts
    results: tuple[dict[str, JsonValue], ...]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.counts.total != len(self.results):
            raise plainly(f"counts {self.counts.total} results but lists {len(self.results)}")
        if self.verdict is not self.counts.verdict:
            raise plainly(f"says `{self.verdict}` but its counts give `{self.counts.verdict}`")
        return self
