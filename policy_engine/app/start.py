"""The first files of an organisation: profile, inventory, trust file, and a check for its pipeline.

Rules:

- region and sector choose packs; where a starter of the library fits, its profile is taken as it is;
- what the inventory could say, and who signs which evidence, is read from the rules of the chosen packs;
- nobody is trusted and nothing is claimed at the beginning: what a person must fill in stands there as a comment.

>>> packs_for(Region.EU, Sector.BANK)
('eu_ai_act', 'gdpr', 'dora_third_party', 'ai_operations')
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from policy_dsl.typed.schema import Attribute, Schema
from policy_dsl.typed.tree import HasEvidence, PathRange, PathStep, Program
from policy_dsl.typed.types import EnumType, NodeType, SetType, Simple
from policy_engine.app.evaluate import compile_policies
from policy_engine.app.rule_page import facts_of
from policy_engine.evaluation.parts import parts_of, patterns_of
from policy_engine.packs.library import library_folder, select
from policy_engine.packs.profile import parse_profile

STARTERS = library_folder() / "starter"
ANY_ROLE = "any_role"
"""Under this name stand the types of evidence that no rule wants to be signed by a certain role."""

_TRUST_DAYS = 365
_YAML_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
"""What YAML 1.1 or 1.2 does not take for text."""
_KINDS = ("System", "Deployment", "Model", "Dataset", "Vendor", "Agent", "Person")


class Region(StrEnum):
    """Where the organisation uses AI, or whom it reaches."""

    EU = "eu"
    US = "us"
    OTHER = "other"


class Sector(StrEnum):
    """What it does."""

    BANK = "bank"
    HEALTH = "health"
    EMPLOYER = "employer"
    SOFTWARE = "software"
    GENERAL = "general"


class Pipeline(StrEnum):
    """Whose file the check is written for."""

    GITHUB = "github"
    GITLAB = "gitlab"
    NONE = "none"


_BY_REGION = {
    Region.EU: ("eu_ai_act", "gdpr"),
    Region.US: ("nist_ai_rmf",),
    Region.OTHER: ("iso_42001",),
}
_BY_SECTOR: Mapping[tuple[Region | None, Sector], tuple[str, ...]] = {
    (Region.EU, Sector.BANK): ("dora_third_party",),
    (Region.US, Sector.BANK): ("sr_26_2",),
    (Region.US, Sector.HEALTH): ("hipaa_security", "nist_ai_600_1"),
    (Region.US, Sector.EMPLOYER): ("nyc_ll_144", "colorado_sb_26_189"),
    (None, Sector.SOFTWARE): ("owasp_llm", "mitre_atlas", "nist_ai_600_1"),
    (Region.EU, Sector.GENERAL): ("iso_42001",),
}
_STARTERS = {
    "eu_bank": (Region.EU, Sector.BANK),
    "us_health_provider": (Region.US, Sector.HEALTH),
    "us_employer": (Region.US, Sector.EMPLOYER),
    "llm_application_team": (None, Sector.SOFTWARE),
    "small_company": (Region.EU, Sector.GENERAL),
}
_PLAIN = "small_company"


@dataclass(frozen=True, slots=True)
class Beginning:
    """What an organisation says of itself when it begins; ``starter`` names one of the library, or nothing."""

    organisation: str
    system: str
    roles: tuple[str, ...]
    starter: str | None
    packs: tuple[str, ...]
    pipeline: Pipeline
    today: date


def starters() -> Mapping[str, str]:
    """Return the starters of the library: name → what each is for."""
    lines = {name: (STARTERS / name / "profile.toml").read_text("utf-8").partition("\n")[0] for name in _STARTERS}
    return {name: line.removeprefix("# ") for name, line in lines.items()}


def starter_for(region: Region, sector: Sector) -> str | None:
    """Return the starter that was written for a region and sector, if one was."""
    return next((name for name, (where, what) in _STARTERS.items() if where in {None, region} and what is sector), None)


def packs_for(region: Region, sector: Sector) -> tuple[str, ...]:
    """Return the packs for a region and sector."""
    special = _BY_SECTOR.get((region, sector), _BY_SECTOR.get((None, sector), ()))
    return tuple(dict.fromkeys((*_BY_REGION[region], *special, "ai_operations")))


def starter_profile(name: str) -> str:
    """Return the text of a starter's profile."""
    return (STARTERS / name / "profile.toml").read_text("utf-8")


def beginning_files(begin: Beginning) -> dict[str, str]:
    """Return the files to begin with, by their paths."""
    profile = _profile(begin)
    chosen = select(parse_profile(profile.encode(), "profile.toml").packs, {})
    program = compile_policies(chosen.files, {})[0].only(chosen.selected)
    return {
        "profile.toml": profile,
        "inventory.yaml": _inventory(begin, program),
        "trust.yaml": _trust(begin, program),
        **_pipeline(begin.pipeline),
    }


# --- profile -------------------------------------------------------------------------------------------------


def _profile(begin: Beginning) -> str:
    text = starter_profile(begin.starter or _PLAIN)
    if begin.starter is None:
        listed = "".join(f"    {json.dumps(pack)},\n" for pack in begin.packs)
        text = re.sub(r"(?s)^packs = \[\n.*?^\]\n", lambda _: f"packs = [\n{listed}]\n", text, flags=re.MULTILINE)
        # What a starter sets for packs that are not chosen has nothing to set.
        text = re.sub(r"(?ms)^\[parameters\].*?(?=^\[)", "", text)
        text = re.sub(r"\A# .*", "# What is assessed, by which rules, on which evidence.", text)
    quoted = json.dumps(begin.organisation, ensure_ascii=False)
    return re.sub(r"^organisation = .*$", lambda _: f"organisation = {quoted}", text, flags=re.MULTILINE)


# --- inventory -----------------------------------------------------------------------------------------------


def _inventory(begin: Beginning, program: Program) -> str:
    organisation, system = identifiers(begin)
    lines = [
        "# What there is. A line that begins with `#` is a fact that a rule of the chosen packs looks at: take the",
        "# sign away and write what is true. What is not stated is unknown, and unknown is not compliant.",
        "# docs/inventory.md says how things are written; other tools' files can be read, too: docs/importing.md.",
        "inventory: 1",
        f"organisation: {_quoted(begin.organisation)}",
        f"asserted_at: {begin.today.isoformat()}",
        "nodes:",
        f"  - id: {_written(organisation)}",
        "    kind: Organisation",
        f"    name: {_quoted(begin.organisation)}",
        "",
        f"  - id: {_written(system)}",
        "    kind: System",
        f"    name: {_quoted(begin.system)}",
    ]
    if len(begin.roles) == 1:
        lines.append(f"    role: {begin.roles[0]}")
    elif begin.roles:
        lines.append(f"    # role:  # one of {', '.join(begin.roles)}")
    wanted = _wanted(program)
    lines += _comments(wanted.get("System", {}), indent="    # ", without={"name", "role"})
    for kind in _KINDS[1:]:
        if kind in wanted:
            lines += ["", f"  # - id: my-{kind.lower()}", f"  #   kind: {kind}"]
            lines += _comments(wanted[kind], indent="  #   ", without=set())
    return "\n".join(lines) + "\n"


def _wanted(program: Program) -> dict[str, dict[str, str]]:
    """Return, for each kind, the facts and edges that rules look at, with what may be written for each."""
    found: dict[str, dict[str, str]] = {}
    for rule in program.rules.values():
        for kind, attribute in facts_of(program, rule):
            said = f"{attribute.description}; " if attribute.description else ""
            found.setdefault(kind, {})[attribute.name] = said + _form(attribute)
        for part in parts_of(program, rule):
            if isinstance(part, PathRange) and isinstance(part.anchor.type, NodeType) and part.steps:
                name, targets = _edge(program.schema, part.steps[0])
                found.setdefault(part.anchor.type.kind, {})[name] = (
                    f"the id of one of {', '.join(targets)}; or a list"
                    if len(targets) > 1
                    else f"an id of kind {targets[0]}; or a list"
                )
    return found


def _edge(schema: Schema, step: PathStep) -> tuple[str, tuple[str, ...]]:
    """Return the name of an edge in the direction of a step, and the kinds that it leads to."""
    edge = schema.edges[step.edge]
    return (edge.reverse or edge.name, edge.sources) if step.reverse else (edge.name, edge.targets)


def _comments(wanted: Mapping[str, str], *, indent: str, without: set[str]) -> Iterator[str]:
    yield from (f"{indent}{name}:  # {said}" for name, said in sorted(wanted.items()) if name not in without)


def _form(attribute: Attribute) -> str:
    """Say what may be written for an attribute."""
    match attribute.type:
        case EnumType() as words:
            return f"one of {', '.join(words.members)}"
        case SetType():
            return "a list"
        case Simple.BOOLEAN:
            return "true or false"
        case Simple() as simple:
            return simple.value.lower()


def identifiers(begin: Beginning) -> tuple[str, str]:
    """Return the ids of the organisation and of its first system, which are never the same."""
    organisation, system = _identifier(begin.organisation, "organisation"), _identifier(begin.system, "first-system")
    return organisation, f"{system}-system" if system == organisation else system


def _identifier(name: str, otherwise: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or otherwise


def _written(identifier: str) -> str:
    """Return an id as YAML: in quotes where it could be taken for a number, a date, a truth value or nothing.

    >>> _written("triage"), _written("123"), _written("null")
    ('triage', '"123"', '"null"')
    """
    plain = identifier[0].isalpha() and identifier not in _YAML_WORDS
    return identifier if plain else _quoted(identifier)


def _quoted(text: str) -> str:
    """Return a text as YAML in double quotes, which is JSON."""
    return json.dumps(text, ensure_ascii=False)


# --- who signs -----------------------------------------------------------------------------------------------


def signed_by_role(program: Program) -> dict[str, tuple[str, ...]]:
    """Return, for each role, the types of evidence that rules want signed in it; the rest under ``ANY_ROLE``."""
    wanted: dict[str, set[str]] = {}
    for pattern in _patterns(program):
        wanted.setdefault(pattern.type, set()).update([pattern.role] if pattern.role else [])
    roles: dict[str, set[str]] = {}
    for name, signers in wanted.items():
        for role in signers or {ANY_ROLE}:
            roles.setdefault(role, set()).add(name)
    ordered = sorted(roles, key=lambda role: (role == ANY_ROLE, role))
    return {role: tuple(sorted(roles[role])) for role in ordered}


def _patterns(program: Program) -> Iterator[HasEvidence]:
    for rule in program.rules.values():
        yield from patterns_of(program, rule)


def roles_document(program: Program) -> str:
    """Return who signs what, for a starter's folder."""
    lines = ["# Who signs what these packs ask for. Made from their rules by docs/write_library.py."]
    for role, types in signed_by_role(program).items():
        about = program.schema.roles.get(role, "The packs leave open who signs these")
        lines += ["", f"{role}:  # {about}", *(f"  - {name}" for name in types)]
    return "\n".join(lines) + "\n"


def _trust(begin: Beginning, program: Program) -> str:
    expires = begin.today + timedelta(days=_TRUST_DAYS)
    lines = [
        "# Whose keys count for what. Nobody is in here yet, so no evidence counts. To begin:",
        "# 1. each person makes a key: policy-engine keys generate keys/NAME.pem",
        "# 2. it is entered below `keys`, and its name below the roles that the person holds.",
        "# docs/evidence.md says what each setting means, and what to do when a key is lost.",
        "format: 1",
        "version: 1",
        f"expires: {expires.isoformat()}T00:00:00Z",
        "keys: {}",
        "#  maria:",
        "#    public_key: MCow…  # the line between BEGIN and END that `keys generate` prints",
        "#    owner: Maria Rossi",
        f"#    valid_from: {begin.today.isoformat()}T00:00:00Z",
        "roles: {}",
    ]
    for role, types in signed_by_role(program).items():
        about = program.schema.roles.get(role, "choose who signs these: the packs leave it open")
        lines += [f"#  {role}:  # {about}", "#    keys: [maria]", f"#    may_sign: [{', '.join(types)}]"]
    lines += ["#  risk_committee:  # excuses failures for a time", "#    keys: [maria]", "#    may_sign: [waiver]"]
    return "\n".join(lines) + "\n"


# --- pipeline ------------------------------------------------------------------------------------------------

_GITHUB = """\
# Answers with 0 compliant, 1 not compliant, 2 an input is broken, 3 undecided; docs/ci.md says more.
name: AI policy
on:
  pull_request:
  push: { branches: [main] }
  schedule: [{ cron: "17 6 * * *" }]  # rules enter into force and evidence ages without any change
jobs:
  policy:
    runs-on: ubuntu-latest
    permissions: { contents: read, security-events: write }
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with: { python-version: "3.13" }
      - run: pip install ai-policy-engine
      - run: policy-engine check . --output sarif=policy.sarif --output markdown=policy.md
      - if: always() && hashFiles('policy.md') != ''
        run: cat policy.md >> "$GITHUB_STEP_SUMMARY"
      - if: always() && hashFiles('policy.sarif') != ''
        uses: github/codeql-action/upload-sarif@v3
        with: { sarif_file: policy.sarif, category: ai-policy }
"""

_GITLAB = """\
# Answers with 0 compliant, 1 not compliant, 2 an input is broken, 3 undecided; docs/ci.md says more.
ai-policy:
  image: python:3.13-slim
  script:
    - pip install ai-policy-engine
    - policy-engine check . --output junit=policy.xml --output markdown=policy.md
  allow_failure:
    exit_codes: [3]  # take this out once the inventory is complete
  artifacts:
    when: always
    paths: [policy.md]
    reports:
      junit: policy.xml
"""


def _pipeline(which: Pipeline) -> dict[str, str]:
    match which:
        case Pipeline.GITHUB:
            return {".github/workflows/ai-policy.yml": _GITHUB}
        case Pipeline.GITLAB:
            return {"ai-policy.gitlab-ci.yml": _GITLAB}
        case Pipeline.NONE:
            return {}
