"""Assessment documents for the tests of the reports: a rich one, an empty one, a long one, a hostile one."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from policy_reports.document import (
    AssessmentDocument,
    Basis,
    Caution,
    Engine,
    Evidence,
    Fact,
    Hop,
    Inputs,
    Location,
    MissingFact,
    Node,
    Pack,
    Result,
    Rule,
    Scope,
    Severity,
    Signer,
    Source,
    Status,
    Subject,
    Waiver,
    Witness,
    verdict_of,
)

INSTANT = datetime(2028, 1, 15, 9, 0, tzinfo=UTC)


def digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def node(kind: str, name: str) -> Node:
    return Node(id=f"{kind.lower()}/{name}", kind=kind, name=name)


def subject(kind: str, name: str, owner: str | None = None, line: int = 1) -> Subject:
    location = Location(file=f"inventory/{kind.lower()}s.yaml", line=line)
    return Subject(id=f"{kind.lower()}/{name}", kind=kind, name=name, owner=owner, location=location)


def walk(*steps: tuple[str, str, str]) -> Witness:
    """A path from (edge, kind, name) steps; the first step's edge is not used."""
    hops = [Hop(edge=edge if index else None, node=node(kind, name)) for index, (edge, kind, name) in enumerate(steps)]
    return Witness(hops=tuple(hops))


def rule(identifier: str, title: str, severity: Severity, framework: str, **more: Any) -> Rule:
    pack = ".".join(identifier.split(".")[:2])
    given: dict[str, Any] = {"citations": (), "basis": Basis.LAW, **more}
    return Rule(id=identifier, title=title, severity=severity, framework=framework, pack=pack, **given)


def assemble(
    rules: Iterable[Rule],
    results: Iterable[Result],
    evidence: Iterable[Evidence] = (),
    waivers: Iterable[Waiver] = (),
    **more: Any,
) -> AssessmentDocument:
    """A consistent document around rules and results: counts, verdict and uses are computed here."""
    listed = tuple(results)
    counted = Counter(result.status for result in listed)
    counts = {status: counted[status] for status in Status}
    cited = Counter(found for result in listed for found in set(result.evidence))
    used = tuple(
        item.model_copy(update={"used_by": cited[item.digest] if item.status == "verified" else 0}) for item in evidence
    )
    given: dict[str, Any] = {
        "title": "AI compliance assessment, first quarter 2028",
        "organisation": "Example Lending Ltd",
        "engine": Engine(name="ai-policy-engine", version="1.0.0"),
        "scope": Scope(
            description="All AI systems of the lending division that are in staging or production.",
            sources=(
                Source(
                    name="inventory/systems.yaml",
                    sha256=digest("systems"),
                    format="inventory",
                    asserted_by="Lending Platform Team",
                ),
                Source(name="mlflow/export-2028-01-14.json", sha256=digest("mlflow"), format="mlflow"),
                Source(
                    name="sbom/scorer.cdx.json",
                    sha256=digest("sbom"),
                    format="cyclonedx-1.6",
                    asserted_by="Release Engineering",
                ),
            ),
            node_count=64,
            edge_count=131,
            nodes_by_kind={"System": 6, "Model": 9, "Dataset": 31, "Transformation": 14, "Deployment": 4},
        ),
        "inputs": Inputs(
            snapshot=digest("snapshot"),
            profile=digest("profile"),
            trust=digest("trust"),
            evidence_set=digest("evidence"),
            decision=digest("decision"),
            packs=(
                Pack(
                    name="eu_ai_act.data_governance",
                    version="1.0.0",
                    title="Data and data governance",
                    basis=Basis.LAW,
                    source="Regulation (EU) 2024/1689, as amended by Regulation (EU) 2026/1744",
                    sha256=digest("pack one"),
                ),
                Pack(
                    name="lending.model_risk",
                    version="2.3.1",
                    title="Model risk policy of the lending division",
                    basis=Basis.FIRM_POLICY,
                    source="Model Risk Policy 2027, sections 3 to 7",
                    sha256=digest("pack two"),
                ),
            ),
        ),
        "warnings": (),
        "limits": (
            "The inventory was asserted by the teams; nobody looked for systems that are missing from it.",
            "The content of the documents behind the evidence was not read, only who signed them and when.",
        ),
        **more,
    }
    return AssessmentDocument(
        verdict=verdict_of(counts),
        instant=INSTANT,
        rules=tuple(rules),
        results=listed,
        counts=counts,
        evidence=used,
        waivers=tuple(waivers),
        **given,
    )


STEWARD = Signer(key_id=digest("steward"), name="steward-2027", owner="Mira Okafor", roles=("data_steward",))
OFFICER = Signer(key_id=digest("officer"), name="officer-1", owner="Jonas Lindqvist", roles=("risk_officer", "dpo"))

DOCUMENTED = rule(
    "eu_ai_act.data_governance.training_data_documented",
    "Every dataset that a high-risk system learns from has a current datasheet",
    Severity.HIGH,
    "EU AI Act",
    citations=("Art. 10(2)", "Annex IV(2)(d)"),
    applies_from=date(2027, 12, 2),
    location=Location(file="policies/data_governance.policy", line=18),
    remedy="Ask the owner of the dataset to sign a datasheet",
)
SPECIAL = rule(
    "eu_ai_act.data_governance.no_special_categories",
    "No special-category data reaches a deployed model without an impact assessment",
    Severity.CRITICAL,
    "EU AI Act",
    citations=("GDPR Art. 9", "GDPR Art. 35"),
    location=Location(file="policies/data_governance.policy", line=33),
)
LOGGING = rule(
    "eu_ai_act.record_keeping.logs_kept",
    "Every high-risk system keeps its logs for at least six months",
    Severity.MEDIUM,
    "EU AI Act",
    citations=("Art. 12(1)", "Art. 19(1)"),
)
TRANSPARENCY = rule(
    "eu_ai_act.transparency.chatbots_announced",
    "Every system that talks to people says that it is a machine",
    Severity.MEDIUM,
    "EU AI Act",
    citations=("Art. 50(1)",),
    applies_from=date(2028, 8, 2),
)
VALIDATED = rule(
    "lending.model_risk.independently_validated",
    "Every model in production was validated by someone who did not build it",
    Severity.HIGH,
    "Model Risk Policy",
    citations=("section 4.2",),
    basis=Basis.FIRM_POLICY,
)
RETIRED = rule(
    "lending.model_risk.retirement_planned",
    "Every model has a planned date of retirement",
    Severity.LOW,
    "Model Risk Policy",
    citations=("section 7",),
    basis=Basis.FIRM_POLICY,
)


def rich() -> AssessmentDocument:
    """All five statuses, two frameworks, long paths, every kind of waiver and evidence."""
    datasheet = Evidence(
        digest=digest("datasheet loans"),
        type="datasheet",
        subject="dataset/loans",
        issued=datetime(2027, 12, 20, tzinfo=UTC),
        expires=datetime(2028, 12, 20, tzinfo=UTC),
        signers=(STEWARD,),
        status="verified",
    )
    validation = Evidence(
        digest=digest("validation scorer"),
        type="model_validation",
        subject="model/scorer",
        issued=datetime(2027, 10, 1, tzinfo=UTC),
        signers=(OFFICER, STEWARD),
        status="verified",
    )
    forged = Evidence(
        digest=digest("forged"),
        type="dpia",
        subject="dataset/claims",
        status="rejected",
        code="PE4107",
        reason="no key of the trust file made the signature",
    )
    broken = Evidence(
        digest=digest("broken"),
        type=None,
        subject=None,
        status="rejected",
        code="PE4101",
        reason="the file is not an envelope",
    )
    waived = Waiver(
        digest=digest("waiver"),
        rule=VALIDATED.id,
        subject="model/churn",
        reason="The validation team is being rebuilt; the model decides nothing about credit.",
        ticket="RISK-2291",
        approver="Jonas Lindqvist",
        issued=datetime(2027, 11, 1, tzinfo=UTC),
        expires=datetime(2028, 4, 1, tzinfo=UTC),
        status="applied",
    )
    expired = waived.model_copy(
        update={
            "digest": digest("old waiver"),
            "rule": SPECIAL.id,
            "subject": "deployment/claims-triage",
            "expires": datetime(2027, 12, 31, tzinfo=UTC),
            "status": "expired",
            "detail": "expired before the instant of assessment",
            "ticket": None,
        }
    )
    unused = waived.model_copy(
        update={
            "digest": digest("idle waiver"),
            "subject": "model/scorer",
            "status": "unused",
            "detail": "no violation",
        }
    )
    refused = Waiver(
        digest=digest("bad waiver"), rule=None, subject=None, status="rejected", detail="signed by an unknown key"
    )
    short = walk(
        ("", "Deployment", "claims-triage"),
        ("runs", "Model", "triage-classifier@v12"),
        ("trained_on", "Dataset", "claims_features_2027"),
        ("derived_from", "Transformation", "join_claims#881"),
        ("reads", "Dataset", "hospital_feed"),
    )
    steps = [("", "System", "credit")]
    steps += [
        ("derived_from", "Dataset", f"loans_enriched_stage_{index:02d}")
        if index % 2
        else ("reads", "Job", f"step-{index}")
        for index in range(1, 17)
    ]
    results = [
        Result(
            rule=SPECIAL.id,
            subject=subject("Deployment", "claims-triage", "Claims Automation", 41),
            status=Status.FAIL,
            message="hospital_feed holds special-category data and reaches claims-triage without an impact assessment",
            remedy="Ask Claims Automation to sign a DPIA for hospital_feed, or to anonymise it in join_claims",
            witnesses=(short,),
            facts=(
                Fact(node="dataset/hospital_feed", attribute="special_category", value="true", source="mlflow export"),
                Fact(node="transformation/join_claims", attribute="anonymises", value="false"),
            ),
        ),
        Result(
            rule=DOCUMENTED.id,
            subject=subject("System", "credit", "Lending Platform Team", 7),
            status=Status.FAIL,
            message="credit learns from loans_enriched_stage_15, which has no datasheet younger than 365 days",
            witnesses=(walk(*steps), walk(*steps[:4])),
            evidence=(datasheet.digest,),
            valid_until=datetime(2028, 12, 20, tzinfo=UTC),
        ),
        Result(
            rule=DOCUMENTED.id,
            subject=subject("System", "savings-advice", "Advice Team", 19),
            status=Status.PASS,
            evidence=(datasheet.digest,),
            valid_until=datetime(2028, 12, 20, tzinfo=UTC),
        ),
        Result(
            rule=DOCUMENTED.id,
            subject=subject("System", "branch-routing", None, 25),
            status=Status.NOT_APPLICABLE,
            reason="not listed in Annex III",
        ),
        Result(
            rule=LOGGING.id,
            subject=subject("System", "credit", "Lending Platform Team", 7),
            status=Status.UNKNOWN,
            message="it is not known for how long credit keeps its logs",
            missing=(
                MissingFact(
                    node="system/credit",
                    attribute="log_retention",
                    explanation="not in inventory/systems.yaml and not in the MLflow export",
                ),
                MissingFact(node="system/credit", attribute="log_store", explanation="no edge `logs_to` was found"),
            ),
        ),
        Result(rule=LOGGING.id, subject=subject("System", "savings-advice", "Advice Team"), status=Status.PASS),
        Result(
            rule=TRANSPARENCY.id,
            subject=subject("System", "helpdesk-bot", "Service Team"),
            status=Status.NOT_APPLICABLE,
            reason="not in force until 2028-08-02",
        ),
        Result(
            rule=VALIDATED.id,
            subject=subject("Model", "churn", "Marketing Analytics"),
            status=Status.WAIVED,
            reason="waived until 2028-04-01",
            message="churn has no validation by another team",
            waiver=waived.digest,
            witnesses=(walk(("", "Model", "churn")),),
        ),
        Result(
            rule=VALIDATED.id,
            subject=subject("Model", "scorer", "Credit Science"),
            status=Status.PASS,
            evidence=(validation.digest,),
        ),
        Result(rule=RETIRED.id, subject=subject("Model", "scorer", "Credit Science"), status=Status.PASS),
        Result(
            rule=RETIRED.id,
            subject=subject("Model", "churn", "Marketing Analytics"),
            status=Status.FAIL,
            message="churn has no date of retirement",
            remedy="Set planned_retirement for churn",
            witnesses=(walk(("", "Model", "churn")),),
        ),
    ]
    return assemble(
        (DOCUMENTED, SPECIAL, LOGGING, TRANSPARENCY, VALIDATED, RETIRED),
        results,
        (datasheet, validation, forged, broken),
        (waived, expired, unused, refused),
        warnings=(
            Caution(
                code="PE2107",
                message="`owner` of dataset `hospital_feed` is not known",
                file="inventory/datasets.yaml",
                line=112,
            ),
            Caution(code="PE2203", message="an entry without a digest was kept", pointer="/components/4"),
        ),
    )


def empty() -> AssessmentDocument:
    """Nothing assessed at all."""
    return assemble((), ())


def single() -> AssessmentDocument:
    """One rule, one result, no evidence."""
    return assemble((RETIRED,), [Result(rule=RETIRED.id, subject=subject("Model", "scorer"), status=Status.PASS)])


def long(count: int) -> AssessmentDocument:
    """Many results over the rules of the rich document."""
    rules = (DOCUMENTED, SPECIAL, LOGGING, VALIDATED, RETIRED)
    statuses = (Status.PASS, Status.FAIL, Status.PASS, Status.UNKNOWN, Status.NOT_APPLICABLE)
    results = []
    for index in range(count):
        about = subject("Dataset", f"claims-{index}@v{index % 11}", f"team {index % 7}")
        path = walk(("", "Dataset", about.name), ("derived_from", "Dataset", f"source-{index % 13}"))
        status = statuses[index % 7 % 5]
        results.append(
            Result(
                rule=rules[index % 5].id,
                subject=about,
                status=status,
                message=f"claims-{index} is derived from source-{index % 13}, which nobody documented",
                witnesses=(path,) if status is Status.FAIL else (),
            )
        )
    return assemble(rules, results)


HOSTILE = (
    '<img src="file:///etc/passwd"/><b>bold</b>&amp;',
    "pipe | tick ` star * [link](javascript:alert(1)) ``` fence",
    "line one\nline two\r\n\ttabbed\x00\x07\x1b[31mred",
    "emoji \U0001f600 family \U0001f468\u200d\U0001f469",
    "CJK \u6f22\u5b57 \u304b\u306a \ud55c\uae00",
    "override \u202eabc\u202c hidden\u200btext \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "W" * 5000,
    "\U0001f600" * 300,
    "]]> <!-- --> </system-out> </details> <script>alert(1)</script>",
    "::error file=x::injected %0A ${{ secrets }}",
)


def hostile() -> AssessmentDocument:
    """Every text is an attack, and paths and names are far longer than anybody planned for."""
    rules, results = [], []
    for index, text in enumerate(HOSTILE):
        rules.append(
            rule(
                f"hostile.pack.{text}",
                text,
                list(Severity)[index % 4],
                f"Framework {text}",
                citations=(text,),
                location=Location(file=text, line=1),
                remedy=text,
            )
        )
        hops = [Hop(node=Node(id=text, kind=text, name=text))]
        hops += [
            Hop(edge=text, node=Node(id=f"n{step}", kind="Dataset", name=f"{text[:260]} {step}")) for step in range(40)
        ]
        results.append(
            Result(
                rule=f"hostile.pack.{text}",
                subject=Subject(id=text, kind=text, name=text, owner=text, location=Location(file=text, line=2)),
                status=(Status.FAIL, Status.UNKNOWN, Status.PASS, Status.NOT_APPLICABLE)[index % 4],
                reason=text,
                message=text,
                remedy=text,
                witnesses=(Witness(hops=tuple(hops)),),
                facts=tuple(Fact(node=text, attribute=text, value=text) for _ in range(15)),
                missing=(MissingFact(node=text, attribute=text, explanation=text),),
            )
        )
    return assemble(
        rules,
        results,
        [
            Evidence(digest=digest("x"), type=text, subject=text, status="rejected", code="PE4101", reason=text)
            for text in HOSTILE
        ],
        [
            Waiver(
                digest=digest(text), rule=text, subject=text, reason=text, ticket=text, approver=text, status="unused"
            )
            for text in HOSTILE
        ],
        title=HOSTILE[0] + HOSTILE[5] + HOSTILE[6],
        organisation=HOSTILE[3] + HOSTILE[2] + HOSTILE[6],
        warnings=tuple(Caution(code="PE2000", message=text, file=text, pointer=text) for text in HOSTILE),
        limits=HOSTILE,
    )
