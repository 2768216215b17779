"""What our statements say: one model and one published JSON Schema for each predicate type.

Rules: the type is a URI that ends in a major version; a model is immutable and refuses unknown fields; a type of
evidence is an identifier chosen by the policy that asks for it, so `datasheet` becomes
`urn:ai-policy-engine:evidence:datasheet:v1`. `waiver`, `decision`, `bundle` and `packs` name our own statements and are
never types of evidence.

>>> predicate_type_of("datasheet")
'urn:ai-policy-engine:evidence:datasheet:v1'
>>> short_name_of("urn:ai-policy-engine:waiver:v1")
'waiver'
"""

import re
from datetime import datetime
from typing import Final, TypeAlias, assert_never, cast

from policy_evidence.canonical import JsonValue
from policy_evidence.errors import FormatError, quoted
from policy_evidence.predicates.bundle import BundlePredicate
from policy_evidence.predicates.decision import Counts, DecisionPredicate, Engine, Inputs, Pack, Verdict
from policy_evidence.predicates.evidence import EvidencePredicate, FieldValue, Scalar
from policy_evidence.predicates.packs import PacksPredicate, SignedPack
from policy_evidence.predicates.waiver import WaiverPredicate
from policy_evidence.shapes import Misfit, fit, path_text, published_schema

__all__ = [
    "BUNDLE_TYPE",
    "DECISION_TYPE",
    "EVIDENCE_TYPE_PREFIX",
    "PACKS_TYPE",
    "WAIVER_TYPE",
    "BundlePredicate",
    "Counts",
    "DecisionPredicate",
    "Engine",
    "EvidencePredicate",
    "FieldValue",
    "Inputs",
    "Pack",
    "PacksPredicate",
    "Predicate",
    "Scalar",
    "SignedPack",
    "Verdict",
    "WaiverPredicate",
    "issued_at",
    "json_schemas",
    "parse_predicate",
    "predicate_to_json",
    "predicate_type_of",
    "short_name_of",
]

Predicate: TypeAlias = EvidencePredicate | WaiverPredicate | DecisionPredicate | BundlePredicate | PacksPredicate

EVIDENCE_TYPE_PREFIX: Final = "urn:ai-policy-engine:evidence:"
WAIVER_TYPE: Final = "urn:ai-policy-engine:waiver:v1"
DECISION_TYPE: Final = "urn:ai-policy-engine:decision:v1"
BUNDLE_TYPE: Final = "urn:ai-policy-engine:bundle:v1"
PACKS_TYPE: Final = "urn:ai-policy-engine:packs:v1"

_OWN_TYPES: Final[dict[str, type[Predicate]]] = {
    WAIVER_TYPE: WaiverPredicate,
    DECISION_TYPE: DecisionPredicate,
    BUNDLE_TYPE: BundlePredicate,
    PACKS_TYPE: PacksPredicate,
}
_OWN_NAMES: Final = {"waiver": WAIVER_TYPE, "decision": DECISION_TYPE, "bundle": BUNDLE_TYPE, "packs": PACKS_TYPE}
_EVIDENCE_TYPE = re.compile(re.escape(EVIDENCE_TYPE_PREFIX) + r"([a-z][a-z0-9_]{0,99}):v1")
_SHORT_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")


def predicate_type_of(short_name: str) -> str:
    """Return the URI of one of our own statements or of a type of evidence."""
    if not _SHORT_NAME.fullmatch(short_name):
        raise FormatError(
            "PE4122", f"{quoted(short_name)} is not a type of evidence", "use lower-case letters, digits and `_`"
        )
    return _OWN_NAMES.get(short_name, f"{EVIDENCE_TYPE_PREFIX}{short_name}:v1")


def short_name_of(predicate_type: str) -> str | None:
    """Return the short name of a predicate type of ours, nothing for any other URI."""
    for name, own in _OWN_NAMES.items():
        if predicate_type == own:
            return name
    matched = _EVIDENCE_TYPE.fullmatch(predicate_type)
    return matched[1] if matched and matched[1] not in _OWN_NAMES else None


def parse_predicate(predicate_type: str, value: JsonValue) -> Predicate:
    """Return the predicate of a statement, or say what keeps `value` from being one."""
    if short_name_of(predicate_type) is None:
        raise FormatError("PE4122", f"{quoted(predicate_type)} is not a predicate type known here")
    model: type[Predicate] = _OWN_TYPES.get(predicate_type, EvidencePredicate)
    found: Predicate | tuple[Misfit, ...] = fit(model, value)
    if isinstance(found, tuple):
        place = path_text(found[0].path) or "predicate"
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise FormatError("PE4121", f"{quoted(place)} {found[0].message}{more}")
    return found


def predicate_to_json(predicate: Predicate) -> dict[str, JsonValue]:
    """Return the predicate as it stands in a statement; what is absent is left out."""
    return cast("dict[str, JsonValue]", predicate.model_dump(mode="json", by_alias=True, exclude_none=True))


def issued_at(predicate: Predicate) -> datetime:
    """Return the instant at which the signer claims to have said this."""
    match predicate:
        case EvidencePredicate() | WaiverPredicate() | PacksPredicate():
            return predicate.issued
        case DecisionPredicate():
            return predicate.instant
        case BundlePredicate():
            return predicate.created
        case _ as unreachable:
            assert_never(unreachable)


def json_schemas() -> dict[str, dict[str, JsonValue]]:
    """Return the JSON Schema (2020-12) of each predicate, by the file name to publish it under."""
    models: dict[str, type[Predicate]] = {
        "evidence": EvidencePredicate,
        "waiver": WaiverPredicate,
        "decision": DecisionPredicate,
        "bundle": BundlePredicate,
        "packs": PacksPredicate,
    }
    return {f"{name}-v1.schema.json": published_schema(model, name) for name, model in models.items()}
