"""Formulations of CycloneDX: how models and data came to be.

What becomes what:

- a workflow that something comes out of is a Pipeline and a task a Run of it: what comes out is ``produced_by`` them;
- of what goes in, data train a model and derive data, and a model is the base of a model;
- a task of type ``test`` that takes a model and data and gives neither tests the model on the data.

A workflow may refer to its own tasks and workspaces, which are no things of the estate. Triggers, steps, volumes and
runtime topologies are not kept.
"""

from collections.abc import Iterator, Mapping

from policy_engine.lineage.importers.flows import Pairs
from policy_engine.lineage.importers.gathering import Gathering, Thing

_EDGES = {
    ("Model", "Dataset"): "trained_on",
    ("Dataset", "Dataset"): "derived_from",
    ("Model", "Model"): "finetuned_from",
}
_MADE = ("Model", "Dataset")

_Entry = dict[str, object]


def read_formulas(gathering: Gathering, bom: _Entry, serial: str, refs: Mapping[str, Thing | None]) -> None:
    """Claim what the formulations of a BOM say of the things that it describes, by their bom-refs."""
    shapes, pairs = gathering.shapes, Pairs(gathering)
    for formula, here in shapes.parts(bom, "formulation", ""):
        for workflow, place in shapes.parts(formula, "workflows", here):
            pipeline = _Activity(pairs, gathering, workflow, place, serial, refs).read("Pipeline")
            for task, task_at in shapes.parts(workflow, "tasks", place):
                run = _Activity(pairs, gathering, task, task_at, serial, refs).read("Run")
                if pipeline and run:
                    gathering.edge("run_of", run, pipeline, task_at)


class _Activity:
    def __init__(
        self, pairs: Pairs, gathering: Gathering, entry: _Entry, at: str, serial: str, refs: Mapping[str, Thing | None]
    ) -> None:
        self._pairs = pairs
        self._gathering = gathering
        self._shapes = gathering.shapes
        self._entry = entry
        self._at = at
        self._serial = serial
        self._refs = refs

    def read(self, kind: str) -> Thing | None:
        """Claim what goes in and what comes out; return the activity as a thing of the kind, if something does."""
        taken = list(self._resources("inputs"))
        given = [(thing, here) for thing, here in self._resources("outputs") if thing.kind in _MADE]
        is_told = self._pairs.fit(len(given), len(taken), self._at)
        for made, here in given if is_told else ():
            for used, _ in taken:
                name = _EDGES.get((made.kind, used.kind))
                if name is not None and used != made:
                    self._gathering.edge(name, made, used, here)
        types = [text for text, _ in self._shapes.texts(self._entry, "taskTypes", self._at)]
        if not given and "test" in types:
            self._tests([thing for thing, _ in taken])
        # A schema without pipelines or runs asks nothing of them; what they say of lineage is in the edges above.
        activity = self._thing(kind) if given and kind in self._gathering.schema.kinds else None
        if activity is not None:
            for made, here in given:
                self._gathering.edge("produced_by", made, activity, here)
            for used, here in () if is_told else taken:
                self._gathering.edge("depends_on", activity, used, here)
        return activity

    def _tests(self, taken: list[Thing]) -> None:
        models, data = ([thing for thing in taken if thing.kind == kind] for kind in _MADE)
        for model in models if self._pairs.fit(len(models), len(data), self._at) else ():
            for each in data:
                self._gathering.edge("tested_on", model, each, self._at)

    def _thing(self, kind: str) -> Thing | None:
        name, uid, ref = (self._shapes.text(self._entry, key, self._at) for key in ("name", "uid", "bom-ref"))
        called = uid or name or ref
        if not called:
            self._shapes.report("PE3120", "an activity needs a `uid` or a `name`", self._at)
            return None
        thing = self._gathering.thing(f"{self._serial}#{kind.casefold()}/{called}", kind, self._at)
        if thing is not None:
            self._gathering.attribute(thing, "name", name, f"{self._at}/name")
            description = self._shapes.text(self._entry, "description", self._at)
            self._gathering.attribute(thing, "description", description, f"{self._at}/description")
        return thing

    def _resources(self, key: str) -> Iterator[tuple[Thing, str]]:
        for item, here in self._shapes.parts(self._entry, key, self._at):
            resource, place = self._shapes.part(item, "resource", here)
            ref = self._shapes.text(resource, "ref", place)
            if ref and (thing := self._refs.get(ref)):
                yield thing, place
