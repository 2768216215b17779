"""The profile: what an organisation assesses, by which packs and parameters, on which evidence, and who signs.

A profile is a TOML file; paths in it are relative to its folder. ``docs/profile.md`` describes every setting.
"""

import tomllib
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from policy_engine.model.errors import Fault, InputError


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs decisions and reports. Key files are encrypted; the passphrase comes from an environment variable."""

    decision_key: str = ""
    decision_role: str = "assessor"
    report_key: str = ""
    report_certificate: str = ""
    report_chain: tuple[str, ...] = ()
    passphrase_env: str = "POLICY_ENGINE_PASSPHRASE"  # noqa: S105 - the name of a variable


class Enforcement(StrEnum):
    """What a violation means: whether it stops a deployment, and whether a waiver may excuse it."""

    MANDATORY = "mandatory"
    OVERRIDABLE = "overridable"
    ADVISORY = "advisory"


@dataclass(frozen=True, slots=True)
class WaiverRules:
    """What the organisation asks of waivers: who may sign them, and for how long they may run."""

    roles: tuple[str, ...] = ()
    max_days: int | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """A checked profile."""

    organisation: str = "Not stated"
    title: str = "AI systems"
    packs: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    trust: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    enforcement: dict[str, Enforcement] = field(default_factory=dict)
    waivers: WaiverRules = field(default_factory=WaiverRules)
    signing: Signing = field(default_factory=Signing)

    def enforcement_of(self, rule: str, severity: str) -> Enforcement:
        """Return how a rule is enforced: by its name, else its pack or the nearest pack above, else its severity."""
        name = rule
        while name:
            if name in self.enforcement:
                return self.enforcement[name]
            name = name.rpartition(".")[0]
        return self.enforcement.get(severity, Enforcement.OVERRIDABLE)


_TABLES = ("parameters", "enforcement", "waivers", "signing")


def parse_profile(data: bytes, place: str) -> Profile:
    """Return what a profile means.

    Raises:
        InputError: PE0003, with every setting that is not what it should be.
    """
    try:
        document = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError([str(Fault("PE0003", f"this is not valid TOML: {str(error)[:200]}", place))]) from error
    reading = _Reading(place)
    version = document.pop("profile", None)
    if type(version) is not int or version != 1:
        reading.wrong("`profile = 1` is missing: the version of the format")
    tables = {name: reading.table(document.pop(name, {}), name) for name in _TABLES}
    settings = reading.settings(Profile, document, skip=_TABLES)
    signing = Signing(**reading.settings(Signing, tables["signing"], prefix="signing."))
    parameters = {name: reading.parameter(name, value) for name, value in tables["parameters"].items()}
    enforcement = {name: reading.enforcement(name, value) for name, value in tables["enforcement"].items()}
    waivers = reading.waivers(tables["waivers"])
    for required in ("packs", "sources"):
        if not settings.get(required):
            reading.wrong(f"`{required}` is missing or empty")
    if settings.get("trust") == "":
        reading.wrong("`trust` is empty", "leave it out, or name the trust file")
    reading.finish()
    return Profile(**settings, parameters=parameters, enforcement=enforcement, waivers=waivers, signing=signing)


class _Reading:
    def __init__(self, place: str) -> None:
        self.place = place
        self.faults: list[str] = []

    def wrong(self, message: str, help: str | None = None) -> None:
        self.faults.append(str(Fault("PE0003", message, self.place, help)))

    def finish(self) -> None:
        if self.faults:
            raise InputError(self.faults)

    def table(self, value: object, name: str) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        self.wrong(f"`{name}` must be a table")
        return {}

    def settings(
        self,
        form: type[Profile | Signing | WaiverRules],
        written: dict[str, Any],
        *,
        prefix: str = "",
        skip: tuple[str, ...] = (),
    ) -> dict[str, Any]:
        known = {f.name: f for f in fields(form) if f.name not in skip}
        found: dict[str, Any] = {}
        for name, value in written.items():
            if name not in known:
                near = get_close_matches(name, known, n=1)
                self.wrong(
                    f"there is no setting `{prefix}{name}`", f"did you mean `{prefix}{near[0]}`?" if near else None
                )
            elif known[name].type == tuple[str, ...]:
                found[name] = self.texts(value, prefix + name)
            elif isinstance(value, str):
                found[name] = value
            else:
                self.wrong(f"`{prefix}{name}` must be a text in quotes")
        return found

    def enforcement(self, name: str, value: object) -> Enforcement:
        if isinstance(value, str) and value in set(Enforcement):
            return Enforcement(value)
        self.wrong(f"`enforcement.{name}` must be {', '.join(Enforcement)}")
        return Enforcement.MANDATORY

    def waivers(self, written: dict[str, Any]) -> WaiverRules:
        days = written.pop("max_days", None)
        if days is not None and (type(days) is not int or days < 1):
            self.wrong("`waivers.max_days` must be a whole number of days")
            days = None
        return WaiverRules(**self.settings(WaiverRules, written, prefix="waivers.", skip=("max_days",)), max_days=days)

    def texts(self, value: object, name: str) -> tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        self.wrong(f"`{name}` must be a list of texts")
        return ()

    def parameter(self, name: str, value: object) -> str:
        """Return a parameter as the language writes it: a text holds the language's own form, such as ``365 days``."""
        match value:
            case bool():
                return "true" if value else "false"
            case str() | int() | float():
                return str(value)
            case list():
                return f"{{{', '.join(self.parameter(name, item) for item in value)}}}"
            case _:
                self.wrong(f"parameter `{name}` must be a text, a number, true, false or a list of these")
                return ""
