"""What a document asserts, before anything is joined or checked against the schema.

An importer turns a document into claims: that a thing exists, that it has an attribute, that an edge joins two
things. A claim names things as its document does; values are as the document writes them.
"""

from dataclasses import dataclass

from policy_engine.lineage.graph import Origin, Source
from policy_engine.model.problems import Problem


@dataclass(frozen=True, slots=True)
class NodeClaim:
    """A thing exists: its id, its kind, and other names that mean the same thing.

    A kind is ``presumed`` where the document does not say it: it gives way to one that another document states.
    """

    id: str
    kind: str
    aliases: tuple[str, ...]
    origins: tuple[Origin, ...]
    presumed: bool = False


@dataclass(frozen=True, slots=True)
class AttributeClaim:
    """A thing, named by id or alias, has a value for an attribute."""

    node: str
    name: str
    raw: object
    origins: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class EdgeClaim:
    """An edge, by its name or reverse name, leads from one thing to another.

    Of the name and those ``otherwise`` the first counts that fits the kinds that the two things turn out to have.
    """

    name: str
    source: str
    target: str
    origins: tuple[Origin, ...]
    otherwise: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claims:
    """Everything that one document asserts.

    ``own`` says that it is our own inventory: its mistakes are errors, because whoever runs the check can put them
    right, and its ids name things. Anything else is believed as far as it fits, and its mistakes are warnings.
    """

    sources: tuple[Source, ...]
    own: bool
    nodes: tuple[NodeClaim, ...] = ()
    attributes: tuple[AttributeClaim, ...] = ()
    edges: tuple[EdgeClaim, ...] = ()
    problems: tuple[Problem, ...] = ()
