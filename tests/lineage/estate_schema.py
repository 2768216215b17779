"""A schema made by hand for the tests of the lineage graph: small, with every type of attribute."""

from policy_dsl.typed.schema import Attribute, EdgeType, Flow, Kind, Schema
from policy_dsl.typed.types import AttributeType, EnumType, SetType, Simple

STAGE = EnumType("Stage", ("development", "staging", "production", "retired"))
APPROACH = EnumType("Approach", ("supervised", "unsupervised", "reinforcement_learning"))

_TEXTS = ("name", "description", "owner", "version", "digest", "licence")
_THING: dict[str, AttributeType] = dict.fromkeys(_TEXTS, Simple.TEXT)
_KINDS: dict[str, tuple[str, dict[str, AttributeType]]] = {
    "System": (
        "Thing",
        {
            "stage": STAGE,
            "profiles_persons": Simple.BOOLEAN,
            "placed_on_market": Simple.DATE,
            "reviewed_at": Simple.INSTANT,
            "users": Simple.INTEGER,
            "error_rate": Simple.NUMBER,
            "retention": Simple.DURATION,
            "regions": SetType(Simple.TEXT),
            "thresholds": SetType(Simple.NUMBER),
        },
    ),
    "HighRiskSystem": ("System", {"annex_iii": Simple.TEXT}),
    "Model": ("Thing", {"task": Simple.TEXT, "approach": APPROACH, "architecture": Simple.TEXT, "stage": STAGE}),
    "Dataset": ("Thing", {"classification": Simple.TEXT, "sensitive_data": SetType(Simple.TEXT)}),
    "Component": ("Thing", {}),
    "Service": ("Thing", {}),
    "Vendor": ("Thing", {}),
    "Person": ("Thing", {}),
    "OrgUnit": ("Thing", {}),
}
_EDGES: tuple[tuple[str, tuple[str, ...], tuple[str, ...], str | None, Flow], ...] = (
    ("uses_model", ("System", "Service"), ("Model",), "used_by", Flow.PART),
    ("trained_on", ("Model",), ("Dataset",), "trains", Flow.LINEAGE),
    ("validated_on", ("Model",), ("Dataset",), "validates", Flow.LINEAGE),
    ("derived_from", ("Dataset",), ("Dataset",), "derives", Flow.LINEAGE),
    ("finetuned_from", ("Model",), ("Model",), "base_of", Flow.LINEAGE),
    ("depends_on", ("Thing",), ("Thing",), "needed_by", Flow.LINEAGE),
    ("part_of", ("Component", "Model"), ("Thing",), "has_part", Flow.NONE),
    ("supplied_by", ("Thing",), ("Vendor",), "supplies", Flow.LINEAGE),
    ("owned_by", ("Thing",), ("Person", "OrgUnit"), "owns", Flow.NONE),
)


def make_schema(*, without: frozenset[str] = frozenset()) -> Schema:
    """Return the schema, without the kinds and edges named."""
    kinds = {"Thing": Kind("Thing", None, {name: Attribute(name, of) for name, of in _THING.items()})}
    for kind, (parent, own) in _KINDS.items():
        if kind not in without:
            inherited = dict(kinds[parent].attributes)
            stage = {"default": "development"} if kind == "Model" else {}
            made = {n: Attribute(n, of, stage.get("default") if n == "stage" else None) for n, of in own.items()}
            kinds[kind] = Kind(kind, parent, inherited | made)
    edges = {edge[0]: EdgeType(*edge) for edge in _EDGES if edge[0] not in without}
    return Schema(kinds=kinds, edges=edges, enums={"Stage": STAGE, "Approach": APPROACH})


SCHEMA = make_schema()
