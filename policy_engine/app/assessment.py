"""A finished run → the neutral document that every report is rendered from."""

from collections import Counter
from collections.abc import Iterable

from policy_dsl.typed.tree import PackInfo, Rule
from policy_engine import __version__
from policy_engine.app.decision import ENGINE, evidence_set_digest
from policy_engine.app.evaluate import Evaluation
from policy_engine.lineage.graph import Snapshot
from policy_engine.model.results import Result, Status, Witness
from policy_evidence.canonical import digest
from policy_evidence.verify import VerifiedEvidence
from policy_reports import document as report

LIMITS = (
    "The assessment rests on what the inventory and its sources assert; it does not look at the systems themselves.",
    "A rule over the presence of a document shows that it was signed and is current, not that its content is right.",
    "Edges that no source asserts are taken not to exist: lineage that nobody declared is not found.",
    "A basis of `inference` or `firm policy` is not a statement of what the law requires.",
    "Instants of signature are claimed by their signers; no trusted timestamp confirms them.",
)


def assessment_of(evaluation: Evaluation, decision_digest: str) -> report.AssessmentDocument:
    """Return the document of a run; ``decision_digest`` is that of the signed decision."""
    return _Builder(evaluation).document(decision_digest)


class _Builder:
    def __init__(self, evaluation: Evaluation) -> None:
        self.run = evaluation
        self.snapshot: Snapshot = evaluation.snapshot
        self.packs: dict[str, PackInfo] = {p.name: p for p in evaluation.program.packs}
        self.uses = Counter(d for r in evaluation.results for d in set(r.evidence))

    def document(self, decision_digest: str) -> report.AssessmentDocument:
        run = self.run
        profile = run.inputs.profile
        nodes = Counter(n.kind for n in self.snapshot.nodes.values())
        return report.AssessmentDocument(
            title=profile.title,
            organisation=profile.organisation,
            verdict=report.Verdict(run.verdict.value),
            instant=run.at,
            engine=report.Engine(name=ENGINE, version=__version__),
            scope=report.Scope(
                description=f"{len(self.snapshot.nodes)} things and {len(self.snapshot.edges)} relations between them",
                sources=tuple(
                    report.Source(name=s.name, sha256=s.sha256, format=s.format, asserted_by=s.asserted_by)
                    for s in self.snapshot.sources
                ),
                node_count=len(self.snapshot.nodes),
                edge_count=len(self.snapshot.edges),
                nodes_by_kind=dict(sorted(nodes.items())),
            ),
            inputs=self.inputs(decision_digest),
            rules=tuple(self.rule(r) for r in run.program.rules.values()),
            results=tuple(self.result(r) for r in run.results),
            counts={report.Status(s.value): run.count(s) for s in Status},
            evidence=tuple(sorted(self.evidence(), key=lambda e: (e.digest, e.subject or ""))),
            waivers=tuple(sorted(self.waivers(), key=lambda w: w.digest)),
            warnings=tuple(self.warnings()),
            limits=LIMITS,
        )

    def inputs(self, decision_digest: str) -> report.Inputs:
        files = self.run.inputs.packs.files
        return report.Inputs(
            snapshot=self.snapshot.digest,
            profile=digest(self.run.inputs.profile_bytes),
            trust=digest(self.run.inputs.trust or b""),
            evidence_set=evidence_set_digest(self.run),
            decision=decision_digest,
            packs=tuple(
                report.Pack(
                    name=p.name,
                    version=p.version or "0",
                    title=p.title,
                    basis=report.Basis(p.basis),
                    source=p.source,
                    sha256=digest(files[p.file]),
                )
                for p in sorted(self.packs.values(), key=lambda p: p.name)
            ),
        )

    def rule(self, rule: Rule) -> report.Rule:
        source = self.run.program.files[rule.span.file]
        remedy = rule.syntax.remedy
        return report.Rule(
            id=rule.name,
            title=rule.title,
            severity=report.Severity(rule.severity),
            framework=self.packs[rule.pack].framework,
            citations=rule.citations,
            basis=report.Basis(rule.basis),
            pack=rule.pack,
            applies_from=rule.start.date() if rule.start else None,
            applies_until=rule.end.date() if rule.end else None,
            location=report.Location(file=rule.span.file, line=source.position(rule.span.start).line),
            remedy=remedy.text if remedy else None,
        )

    def result(self, result: Result) -> report.Result:
        return report.Result(
            rule=result.rule,
            subject=self.subject(result.subject),
            status=report.Status(result.status.value),
            reason=result.reason or None,
            message=result.message or None,
            remedy=result.remedy or None,
            witnesses=tuple(self.witness(w) for w in result.witnesses),
            facts=tuple(
                report.Fact(node=f.node, attribute=f.attribute, value=f.value, source=self.origin(f.node, f.attribute))
                for f in result.facts
            ),
            missing=tuple(
                report.MissingFact(
                    node=m.node, attribute=m.attribute, explanation=self.explanation(m.node, m.attribute, m.reason)
                )
                for m in result.missing
            ),
            evidence=tuple(result.evidence),
            valid_until=result.valid_until,
            waiver=result.waiver,
        )

    def subject(self, node_id: str) -> report.Subject:
        node = self.snapshot.nodes[node_id]
        owner = self.snapshot.value(node_id, "owner")
        origin = next((o for o in node.origins if o.line is not None), None)
        return report.Subject(
            id=node_id,
            kind=node.kind,
            name=self.name(node_id),
            owner=str(owner) if owner is not None else self.owners(node_id),
            location=report.Location(file=origin.source, line=origin.line) if origin else None,
        )

    def owners(self, node_id: str) -> str | None:
        if "owned_by" not in self.run.program.schema.edges:
            return None
        return ", ".join(self.name(n) for n in self.snapshot.targets(node_id, "owned_by")) or None

    def name(self, node_id: str) -> str:
        name = self.snapshot.value(node_id, "name")
        return str(name) if name else node_id

    def witness(self, witness: Witness) -> report.Witness:
        return report.Witness(
            hops=tuple(
                report.Hop(
                    edge=h.edge,
                    node=report.Node(id=h.node, kind=self.snapshot.nodes[h.node].kind, name=self.name(h.node)),
                )
                for h in witness.hops
            )
        )

    def origin(self, node_id: str, attribute: str) -> str | None:
        fact = self.snapshot.nodes[node_id].attributes.get(attribute)
        if fact is None or not fact.origins:
            return None
        first = fact.origins[0]
        return f"{first.source}:{first.line}" if first.line else f"{first.source}{first.pointer}"

    def explanation(self, node_id: str, attribute: str, reason: str) -> str:
        node = self.snapshot.nodes[node_id]
        places = sorted({o.source for o in node.origins})
        if reason == "contradicted":
            values = sorted(
                {f"{f.value} ({', '.join(sorted({o.source for o in f.origins}))})" for f in node.conflicts[attribute]}
            )
            return f"sources contradict each other: {'; '.join(values)}"
        return f"{reason} in {', '.join(places)}" if places else reason

    def evidence(self) -> Iterable[report.Evidence]:
        listed: dict[tuple[str, str], VerifiedEvidence] = {}
        for record in self.run.evidence.verified:
            # A file that counts in several periods is one piece of evidence.
            listed.setdefault((record.digest, record.subject), record)
        for record in listed.values():
            yield report.Evidence(
                digest=record.digest,
                type=record.type,
                subject=record.subject,
                issued=record.issued,
                expires=record.expires,
                signers=tuple(
                    report.Signer(key_id=s.key_id, name=s.key_name, owner=s.owner, roles=s.roles)
                    for s in record.signers
                ),
                status="verified",
                used_by=self.uses[record.digest],
            )
        seen: set[tuple[str, str | None]] = set(listed)
        for _, rejected in self.run.evidence.rejected:
            subject = ", ".join(rejected.claimed_subjects) or None
            if rejected.claimed_type == "waiver" or (rejected.digest, subject) in seen:
                continue
            seen.add((rejected.digest, subject))
            yield report.Evidence(
                digest=rejected.digest,
                type=rejected.claimed_type,
                subject=subject,
                status="rejected",
                code=rejected.code,
                reason=rejected.message,
            )

    def waivers(self) -> Iterable[report.Waiver]:
        listed: set[str] = set()
        for use in self.run.waivers:
            waiver = use.waiver
            if waiver.digest in listed:
                continue
            listed.add(waiver.digest)
            yield report.Waiver(
                digest=waiver.digest,
                rule=waiver.rule,
                subject=waiver.subject,
                reason=waiver.reason,
                ticket=waiver.ticket,
                approver=waiver.approver,
                issued=waiver.issued,
                expires=waiver.counts_until,
                status=use.state.value,
                detail=use.detail or None,
            )
        for _, rejected in self.run.evidence.rejected:
            if rejected.claimed_type == "waiver" and rejected.digest not in listed:
                listed.add(rejected.digest)
                yield report.Waiver(
                    digest=rejected.digest,
                    rule=None,
                    subject=", ".join(rejected.claimed_subjects) or None,
                    status="rejected",
                    detail=f"{rejected.message} ({rejected.code})",
                )

    def warnings(self) -> Iterable[report.Caution]:
        for problem in self.run.problems:
            yield report.Caution(
                code=problem.code,
                message=problem.message,
                file=problem.file,
                line=problem.line,
                pointer=problem.pointer or None,
            )
        for found in self.run.diagnostics:
            line = self.run.program.files[found.span.file].position(found.span.start).line
            yield report.Caution(code=found.code, message=found.message, file=found.span.file, line=line)
