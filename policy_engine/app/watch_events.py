"""Events that say what changed, one JSON object a line.

Rules:

- an event is read strictly: a key that does not exist, or stands twice, refuses it;
- several changes that belong together are one event, a `batch`: all of them are made or none;
- a value is written as in an inventory, and read by the type that the schema gives its attribute;
- evidence comes as the signed envelope itself, and is verified before anything counts.

>>> read_event(b'{"change": "edge_removed", "type": "trained_on", "from": "scorer", "to": "loans"}', "line 1")
EdgeRemoved(change='edge_removed', type='trained_on', source='scorer', target='loans')
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from policy_engine.evaluation.incremental.changes import Contradict, LiveChange, SetKind
from policy_engine.evaluation.supposition import AddEdge, AddNode, RemoveEdge, RemoveNode, SetFact
from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.json_text import read_json
from policy_engine.model.errors import InputError, fault
from policy_engine.model.problems import readable

MAX_EVENT_BYTES: Final = 16 * 1024 * 1024
"""No event needs more; what is longer is refused before it is read into memory."""


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)


class NodeAdded(_Form):
    """There is one more thing, and what is stated of it."""

    change: Literal["node_added"]
    id: str = Field(min_length=1)
    kind: str
    attributes: dict[str, Any] = Field(default_factory=dict)


class NodeRemoved(_Form):
    """A thing is gone, with its edges and the evidence about it."""

    change: Literal["node_removed"]
    id: str


class KindChanged(_Form):
    """A thing is of another kind."""

    change: Literal["kind_changed"]
    id: str
    kind: str


class AttributeSet(_Form):
    """An attribute has a value; `null` means that nobody states it."""

    change: Literal["attribute_set"]
    id: str
    attribute: str
    value: Any


class AttributeContradicted(_Form):
    """Sources contradict each other about an attribute."""

    change: Literal["attribute_contradicted"]
    id: str
    attribute: str


class EdgeAdded(_Form):
    """There is one more edge."""

    change: Literal["edge_added"]
    type: str
    source: str = Field(alias="from")
    target: str = Field(alias="to")


class EdgeRemoved(_Form):
    """An edge is gone."""

    change: Literal["edge_removed"]
    type: str
    source: str = Field(alias="from")
    target: str = Field(alias="to")


class EvidenceAdded(_Form):
    """There is one more file of signed evidence, or a signed waiver."""

    change: Literal["evidence_added"]
    name: str = Field(min_length=1)
    envelope: dict[str, Any]


class EvidenceWithdrawn(_Form):
    """A file of evidence or a waiver no longer counts."""

    change: Literal["evidence_withdrawn"]
    name: str


class InstantReached(_Form):
    """Time goes on to an instant."""

    change: Literal["instant_reached"]
    at: str


GraphEvent = NodeAdded | NodeRemoved | KindChanged | AttributeSet | AttributeContradicted | EdgeAdded | EdgeRemoved
EvidenceEvent = EvidenceAdded | EvidenceWithdrawn
SingleEvent = Annotated[GraphEvent | EvidenceEvent, Field(discriminator="change")]


class Batch(_Form):
    """Changes that are made together."""

    change: Literal["batch"]
    changes: list[SingleEvent] = Field(min_length=1)


Event = Annotated[GraphEvent | EvidenceEvent | InstantReached | Batch, Field(discriminator="change")]
_READER: Final[TypeAdapter[Any]] = TypeAdapter(Event)


def read_event(line: bytes, place: str) -> GraphEvent | EvidenceEvent | InstantReached | Batch:
    """Read one event; ``place`` says where it stands.

    Raises:
        InputError: PE3820, PE3821 or PE3822.
    """
    if len(line) > MAX_EVENT_BYTES:
        raise fault("PE3822", f"the event is longer than {MAX_EVENT_BYTES} bytes", place)
    try:
        content = read_json(line.decode("utf-8"), place)
    except UnicodeDecodeError:
        raise fault("PE3820", "the event is not UTF-8 text", place) from None
    except LineageError as error:
        column = f", column {error.problem.column}" if error.problem.column else ""
        raise fault("PE3820", error.problem.message, place + column) from None
    try:
        found: GraphEvent | EvidenceEvent | InstantReached | Batch = _READER.validate_python(content)
    except ValidationError as error:
        raise _misshapen(error, place) from None
    return found


def _misshapen(error: ValidationError, place: str) -> InputError:
    names = ", ".join(form.model_fields["change"].annotation.__args__[0] for form in _forms())  # type: ignore[union-attr]
    first = error.errors(include_url=False, include_input=False)[0]
    steps = [step for step in first["loc"] if step not in names.split(", ")]
    where = f" (at {readable(''.join(f'/{step}' for step in steps))})" if steps else ""
    message = {
        "missing": "a key is missing",
        "extra_forbidden": "there is no such key in this place",
        "string_type": "a text is expected",
        "string_too_short": "the text is empty",
        "dict_type": "a mapping is expected",
        "list_type": "a list is expected",
        "too_short": "the list is empty",
        "union_tag_invalid": "there is no such change in this place",
        "union_tag_not_found": "the key `change` is missing",
        "model_attributes_type": "a mapping is expected",
        "model_type": "a mapping is expected",
    }.get(first["type"], "a value is not what it should be")
    known = f"a change is one of {names}" if first["type"].startswith("union_tag") else None
    return fault("PE3821", message + where, place, help=known)


def _forms() -> tuple[type[_Form], ...]:
    return (
        NodeAdded,
        NodeRemoved,
        KindChanged,
        AttributeSet,
        AttributeContradicted,
        EdgeAdded,
        EdgeRemoved,
        EvidenceAdded,
        EvidenceWithdrawn,
        InstantReached,
        Batch,
    )


def changes_of(event: GraphEvent) -> list[LiveChange]:
    """Return the changes that an event about the lineage stands for."""
    match event:
        case NodeAdded():
            stated = [SetFact(event.id, name, value) for name, value in event.attributes.items()]
            return [AddNode(event.id, event.kind), *stated]
        case NodeRemoved():
            return [RemoveNode(event.id)]
        case KindChanged():
            return [SetKind(event.id, event.kind)]
        case AttributeSet():
            return [SetFact(event.id, event.attribute, event.value)]
        case AttributeContradicted():
            return [Contradict(event.id, event.attribute)]
        case EdgeAdded():
            return [AddEdge(event.type, event.source, event.target)]
        case EdgeRemoved():
            return [RemoveEdge(event.type, event.source, event.target)]
