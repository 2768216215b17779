"""Searches for an example that tells a rule from a changed one, makes it small, and writes it as a test.

The search starts at the scenes of the rule's own tests and at ``seeds``, takes one step, then two, until its budget is
spent. The
same packs give the same example on every machine.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from policy_dsl.typed.types import NodeType
from policy_engine.app.testing.probe import Probe, Stage
from policy_engine.app.testing.relevance import relevant_to
from policy_engine.app.testing.scenes import Scene
from policy_engine.app.testing.seeds import seeds
from policy_engine.app.testing.variations import Variations, without
from policy_engine.model.results import Status

BUDGET = 6000
"""How many scenes are looked at for one change before it counts as one that cannot be told apart."""

_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)
_SOME_DAY = datetime(2028, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Example:
    """A scene in which a rule, as it is written, has another status for a thing than the changed rule."""

    rule: str
    subject: str
    scene: Scene
    status: Status
    changed: Status


class Search:
    """Tells one rule from its changed form."""

    def __init__(self, rule: str, original: Probe, changed: Probe) -> None:
        self.rule = original.program.rules[rule]
        self.other = changed.program.rules[rule]
        self.original = original
        self.changed = changed
        self.left = BUDGET
        schema = original.program.schema
        self.variations = Variations(schema, relevant_to(self.rule, original.program, changed.program))

    def example(self, scenes: list[Scene]) -> Example | None:
        """Return a small example, or nothing when none was found within the budget."""
        starts = [*scenes, *self._seeds()]
        near = (s for scene in starts for s in (scene, *self.variations.of(scene, self._moments(scene))))
        found = self._clearest(near)
        if found is None:
            # One round for each start, so that a large scene does not use up the budget of the others.
            rounds = [self._two_steps(scene) for scene in reversed(starts)]
            share = max(1, self.left // max(1, len(rounds)))
            for steps in rounds:
                self.left = share
                found = next(self._found(steps), None)
                if found is not None:
                    break
        return self._smaller(found) if found is not None else None

    def _two_steps(self, scene: Scene) -> Iterator[Scene]:
        for step in self.variations.of(scene, self._moments(scene)):
            yield from self.variations.of(step, self._moments(step))

    def _clearest(self, scenes: Iterator[Scene]) -> Example | None:
        """Return the first example in which neither result is unknown, else the first of all."""
        any_found: Example | None = None
        for found in self._found(scenes):
            if Status.UNKNOWN not in {found.status, found.changed}:
                return found
            any_found = any_found or found
        return any_found

    def _found(self, scenes: Iterator[Scene]) -> Iterator[Example]:
        for scene in scenes:
            if self.left <= 0:
                return
            self.left -= 1
            found = self._differs(scene)
            if found is not None:
                yield found

    def _differs(self, scene: Scene, only: str | None = None) -> Example | None:
        stage = Stage.of(scene, self.original.program)
        for subject in stage.world.subjects(self.rule):
            if only is not None and subject != only:
                continue
            status = self.original.status(self.rule, stage, subject, scene.at)
            changed = self.changed.status(self.other, stage, subject, scene.at)
            if changed is not status:
                return Example(self.rule.name, subject, scene, status, changed)
        return None

    def _moments(self, scene: Scene) -> tuple[datetime, ...]:
        """Return the instants at which either rule changes its mind, and those just before."""
        stage = Stage.of(scene, self.original.program)
        turns = {r.start for r in (self.rule, self.other)} | {r.end for r in (self.rule, self.other)}
        for subject in stage.world.subjects(self.rule):
            turns.add(self.original.next_change(self.rule, stage, subject, scene.at))
            turns.add(self.changed.next_change(self.other, stage, subject, scene.at))
        known = sorted(t for t in turns if t is not None)
        before = [t - step for t in known for step in (_DAY, _SECOND) if t.year > 1]
        return (*known, *before)

    def _seeds(self) -> list[Scene]:
        assert isinstance(self.rule.subject.type, NodeType)  # noqa: S101 - the checker binds subjects to kinds
        return seeds(self.rule.subject.type.kind, self.rule.start or _SOME_DAY, self.variations)

    # --- smaller -------------------------------------------------------------------------------------------

    def _smaller(self, example: Example) -> Example:
        """Leave out whatever the two results do not need, until nothing more can go."""
        results = example.status, example.changed
        while True:
            found = (self._differs(s, example.subject) for s in _reductions(example.scene, example.subject))
            smaller = next((e for e in found if e is not None and (e.status, e.changed) == results), None)
            if smaller is None:
                return example
            example = smaller


def _reductions(scene: Scene, subject: str) -> Iterator[Scene]:
    yield from (without(scene, n.id) for n in scene.nodes if n.id != subject)
    yield from (replace(scene, evidence=tuple(e for e in scene.evidence if e is not x)) for x in scene.evidence)
    yield from (replace(scene, edges=tuple(e for e in scene.edges if e is not x)) for x in scene.edges)
    for i, node in enumerate(scene.nodes):
        for name in node.values:
            fewer = replace(node, values={k: v for k, v in node.values.items() if k != name})
            yield replace(scene, nodes=(*scene.nodes[:i], fewer, *scene.nodes[i + 1 :]))
    for i, given in enumerate(scene.evidence):
        simpler = [replace(given, fields={k: v for k, v in given.fields.items() if k != name}) for name in given.fields]
        simpler += [replace(given, roles=given.roles[1:])] if given.roles else []
        simpler += [replace(given, expires=None)] if given.expires is not None else []
        yield from (replace(scene, evidence=(*scene.evidence[:i], s, *scene.evidence[i + 1 :])) for s in simpler)
