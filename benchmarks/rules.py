"""The rules that every engine is given, in our language, and a large pack of variations of them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from benchmarks.generator import NOW
from policy_dsl import compile_packs
from policy_dsl.diagnostics import render_text
from policy_dsl.source import SourceFile
from policy_dsl.typed.tree import Program

AT: Final = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=NOW)

LEARNT: Final = ("trained_on", "derived_from", "fine_tuned_from", "uses")
SUPPLIED: Final = (*LEARNT, "deployed_as", "supplied_by")
EXPOSED: Final = (*LEARNT, "deployed_as", "exposes")
HOPS: Final = 6
MOST_MODELS: Final = 50
AUDIT_DAYS: Final = 365

_SCHEMA: Final = """policy estate
enum Stage { dev, staging, production, retired }
enum Risk { minimal, limited, high }
node Asset {
    risk_class: Risk
    stage: Stage
    license: Text
    contains_pii: Boolean
    region: Text
    owner: Text
    soc2_expiry: Date
}
node vendor is Asset
node dataset is Asset
node anonymisation is Asset
node feature is Asset
node prompt is Asset
node model is Asset
node deployment is Asset
node endpoint is Asset
edge supplied_by from Asset to vendor reverse supplies lineage
edge derived_from from Asset to Asset reverse derives lineage
edge trained_on from Asset to Asset reverse trains lineage
edge uses from Asset to Asset reverse used_by lineage
edge fine_tuned_from from Asset to Asset reverse tuned_into lineage
edge deployed_as from Asset to Asset reverse deploys lineage
edge exposes from Asset to Asset reverse exposed_by lineage
evidence bias_audit on Asset {}
evidence dpia on Asset {}
evidence transfer_agreement on Asset {}
evidence model_card on Asset {}
evidence pen_test on Asset {}
role auditor
"""


@dataclass(frozen=True, slots=True)
class Variation:
    """What a large pack varies, so that no two of its rules ask the same."""

    number: int
    hops: int
    audit_days: int
    most_models: int
    licence: str
    expiry: str


_PLAIN: Final = Variation(0, HOPS, AUDIT_DAYS, MOST_MODELS, "", "today")


def _rules(by: Variation) -> dict[str, str]:
    learnt, supplied, exposed = (", ".join(types) for types in (LEARNT, SUPPLIED, EXPOSED))
    production = "for each model where model.stage is production"
    also = f' and d.license is not "{by.licence}"' if by.licence else ""
    owned = f' or model.license is "{by.licence}"' if by.licence else ""
    return {
        "r1": f"{production}\n    must (model.owner is known and model.risk_class is known){owned}",
        "r2": f"{production} and model.risk_class is high\n"
        f"    must model has evidence bias_audit not older than {by.audit_days} days",
        "r3": f"{production}\n    must every dataset as d upstream of model via {learnt}"
        f" where (d.contains_pii{also}) has evidence dpia",
        "r4": f"for each deployment\n    must no vendor as v upstream of deployment via {supplied}"
        f" within {by.hops} hops satisfies v.soc2_expiry < {by.expiry}",
        "r5": f"{production}\n    must every dataset as d upstream of model via {learnt}"
        f" where (d.region is not model.region{also}) has evidence transfer_agreement",
        "r6a": f"for each vendor\n    must at most {by.most_models} model as m downstream of vendor via {supplied}"
        " satisfies m.stage is production",
        "r6b": f"for each endpoint\n    must no dataset as d upstream of endpoint via {exposed}"
        f" not through (anonymisation) satisfies (d.contains_pii{also})",
    }


def seven() -> Program:
    """Return the seven rules."""
    return _compiled(_rules(_PLAIN))


def many(count: int = 200, *, counts: bool = True) -> Program:
    """Return a pack of so many different rules: the seven, varied; the one that counts only if that is wanted."""
    found = _rules(_PLAIN)
    number = 0
    while len(found) < count:
        number += 1
        by = Variation(number, 2 + number % 7, 300 + number, 20 + number, f"licence {number}", f"today - {number} days")
        found |= {f"{name}_{number}": text for name, text in _rules(by).items() if counts or name != "r6a"}
    return _compiled(dict(list(found.items())[:count]))


def _compiled(rules: dict[str, str]) -> Program:
    pack = "policy bench\nuse estate\n" + "".join(f"rule {name}\n    {text}\n" for name, text in rules.items())
    program, found = compile_packs([SourceFile("estate.policy", _SCHEMA), SourceFile("bench.policy", pack)])
    errors = [render_text(one, program.files if program else {}) for one in found if one.severity.value == "error"]
    if errors or program is None:
        raise ValueError("\n".join(errors))
    return program
