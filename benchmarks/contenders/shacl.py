"""pySHACL: the same rules as SPARQL constraints on a graph in memory.

SPARQL's paths cannot stop at a kind of thing, so edges that may be gone along for r6b have a property of their own.
"""

from collections.abc import Callable
from pathlib import Path

from benchmarks.contenders.conditions import conditions
from benchmarks.files import read_tables
from benchmarks.findings import R2_UNKNOWN, Findings
from benchmarks.generator import EDGE_TYPES, EVIDENCE_TYPES, KINDS, NOW, TEXTS
from benchmarks.rules import AUDIT_DAYS, EXPOSED, HOPS, LEARNT, MOST_MODELS, SUPPLIED

NAMESPACE = "urn:ai-policy-engine:bench:"

_LEARNT = f"({'|'.join(f':{name}' for name in LEARNT)})+"
_SUPPLIED = "|".join(f":{name}" for name in SUPPLIED)
_NEAR = f"({_SUPPLIED})" + f"/({_SUPPLIED})?" * (HOPS - 1)
_RUNNING = '$this :stage "production" .'
_NO_AUDIT = (
    "FILTER NOT EXISTS { ?e :about $this ; :type 'bias_audit' ; :issued ?issued ."
    f" FILTER (?issued > {NOW - AUDIT_DAYS}) }}"
)


def _without(kind: str) -> str:
    return f"FILTER NOT EXISTS {{ ?e :about ?d ; :type '{kind}' }}"


CONSTRAINTS = {
    "r1": ("model", f"{_RUNNING} FILTER (NOT EXISTS {{ $this :owner ?o }} || NOT EXISTS {{ $this :risk_class ?r }})"),
    "r2": ("model", f'{_RUNNING} $this :risk_class "high" . {_NO_AUDIT}'),
    R2_UNKNOWN: ("model", f"{_RUNNING} FILTER NOT EXISTS {{ $this :risk_class ?r }}"),
    "r3": ("model", f"{_RUNNING} $this {_LEARNT} ?d . ?d a :dataset ; :contains_pii true . {_without('dpia')}"),
    "r4": ("deployment", f"$this {_NEAR} ?v . ?v a :vendor ; :soc2_expiry ?until . FILTER (?until < {NOW})"),
    "r5": (
        "model",
        (
            f"{_RUNNING} $this :region ?here ; {_LEARNT} ?d . ?d a :dataset ; :region ?there ."
            f" FILTER (?here != ?there) {_without('transfer_agreement')}"
        ),
    ),
    "r6a": (
        "vendor",
        (
            f"?m ({_SUPPLIED})+ $this . ?m a :model ; :stage 'production' }}"
            f" GROUP BY $this HAVING (COUNT(DISTINCT ?m) > {MOST_MODELS}"
        ),
    ),
    "r6b": ("endpoint", "$this :goes_on+ ?d . ?d a :dataset ; :contains_pii true ."),
}


def load(folder: Path) -> Callable[[], Findings]:
    """Make the graph of facts and the graph of shapes, and return the validation as work."""
    import pyshacl
    from rdflib import Graph

    facts = Graph().parse(data=_facts(folder), format="nt")
    shapes = Graph().parse(data=_shapes(), format="turtle")

    def validate() -> Findings:
        _, report, _ = pyshacl.validate(facts, shacl_graph=shapes)
        asked = (
            "SELECT ?node ?shape WHERE { ?r <http://www.w3.org/ns/shacl#focusNode> ?node ;"
            " <http://www.w3.org/ns/shacl#sourceShape> ?shape }"
        )
        found: dict[str, set[int]] = {name: set() for name in CONSTRAINTS}
        for node, shape in report.query(asked):
            found[str(shape).removeprefix(NAMESPACE).replace("_", " ")].add(int(str(node).rpartition(":")[2]))
        return dict(found)

    return validate


def _facts(folder: Path) -> str:
    """Return triples; of evidence, only what is valid on the day."""
    estate = read_tables(folder)
    anonymises = conditions(estate).anonymises
    lines: list[str] = []

    def say(subject: object, name: str, value: str) -> None:
        lines.append(f"<{NAMESPACE}{subject}> <{NAMESPACE}{name}> {value} .")

    for number, kind in enumerate(estate.kind.tolist()):
        lines.append(
            f"<{NAMESPACE}{number}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{NAMESPACE}{KINDS[kind]}> ."
        )
        for name, codes in estate.texts.items():
            if codes[number] >= 0:
                say(number, name, f'"{TEXTS[name][codes[number]]}"')
        if estate.owner[number] >= 0:
            say(number, "owner", f'"team-{estate.owner[number]}"')
        if estate.contains_pii[number]:
            say(number, "contains_pii", _literal("true", "boolean"))
        if estate.soc2_expiry[number] >= 0:
            say(number, "soc2_expiry", _literal(estate.soc2_expiry[number], "integer"))
    for source, target, kind in zip(
        estate.source.tolist(), estate.target.tolist(), estate.edge_type.tolist(), strict=True
    ):
        say(source, EDGE_TYPES[kind], f"<{NAMESPACE}{target}>")
        if EDGE_TYPES[kind] in EXPOSED and not anonymises[source]:
            say(source, "goes_on", f"<{NAMESPACE}{target}>")
    for number in ((estate.issued <= NOW) & (estate.until > NOW)).nonzero()[0].tolist():
        record = f"evidence-{number}"
        say(record, "about", f"<{NAMESPACE}{estate.about[number]}>")
        say(record, "type", f'"{EVIDENCE_TYPES[estate.evidence_type[number]]}"')
        say(record, "issued", _literal(estate.issued[number], "integer"))
    return "\n".join(lines)


def _literal(value: object, kind: str) -> str:
    return f'"{value}"^^<http://www.w3.org/2001/XMLSchema#{kind}>'


def _shapes() -> str:
    prefixes = (
        f"@prefix : <{NAMESPACE}> .\n@prefix sh: <http://www.w3.org/ns/shacl#> .\n"
        "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"
        f': sh:declare [ sh:prefix "" ; sh:namespace "{NAMESPACE}"^^xsd:anyURI ] .'
    )
    found = [prefixes]
    for name, (kind, pattern) in CONSTRAINTS.items():
        # A pattern that groups closes its own braces.
        end = ")" if "GROUP BY" in pattern else "}"
        found.append(
            f":{name.replace(' ', '_')} a sh:NodeShape ; sh:targetClass :{kind} ;"
            f' sh:sparql [ sh:prefixes : ; sh:select """SELECT $this WHERE {{ {pattern} {end}""" ] .'
        )
    return "\n".join(found)
