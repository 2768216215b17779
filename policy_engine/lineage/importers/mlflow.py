"""Reading a live MLflow tracking server into an export, which `mlflow_export` reads.

Rules:

- what was seen is kept as one JSON document, so that it has a digest, an instant, and can be read again;
- every version of every registered model and prompt is in it, with the run, the logged model and the experiment that it
  came from; runs of experiments that nothing was registered from are left out unless the experiment is asked for;
- a server that says the same gives the same bytes, but for the instant, which is an argument;
- only http and https addresses are read: opening a database would change it. Names and passwords in an address are used
  and not kept;
- how often and how long the client tries is its own setting (``MLFLOW_HTTP_REQUEST_MAX_RETRIES`` and the like).

This module needs the extra ``mlflow``.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Protocol, TypeVar
from urllib.parse import urlsplit, urlunsplit

from mlflow import MlflowClient
from mlflow.entities import Experiment, LoggedModel, Run
from mlflow.entities.model_registry import ModelVersion, RegisteredModel
from mlflow.exceptions import MlflowException

from policy_engine.lineage.importers.mlflow_export import EXPORT, VERSION
from policy_engine.model.errors import InputError, fault

Item = TypeVar("Item", covariant=True)

_PAGE = 200
_GONE = frozenset({"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"})
_REFUSED = frozenset({"UNAUTHENTICATED", "PERMISSION_DENIED", "CUSTOMER_UNAUTHORIZED"})
_LOGGED = "models:/m-"

_Document = dict[str, object]


class _Page(Protocol[Item]):
    """A page of an answer."""

    @property
    def token(self) -> str | None:
        """What the next page is asked for with; nothing on the last."""

    def __iter__(self) -> Iterator[Item]: ...


@dataclass(frozen=True, slots=True)
class Export:
    """What was read of a server."""

    document: bytes
    versions: int
    runs: int
    gone: int
    """How many runs and logged models the registry names and the server does not have any more."""


def export_server(uri: str, at: datetime, experiments: Iterable[str] = ()) -> Export:
    """Read a tracking server; ``experiments`` are names of those whose runs are all read.

    Raises:
        InputError: PE3174, PE3175, PE3176 or PE3179.
    """
    server = _address(uri)
    with _speaking_to(server):
        return _Server(MlflowClient(tracking_uri=uri, registry_uri=uri), server).export(at, tuple(experiments))


def _address(uri: str) -> str:
    """Return the address of a server without what may be secret in it."""
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        advice = "write it like `https://mlflow.example.org`"
        raise fault("PE3174", "the address of the server is no http or https address", help=advice)
    shown = f"[{host}]" if ":" in host else host
    return urlunsplit((parts.scheme, f"{shown}:{port}" if port else shown, parts.path.rstrip("/"), "", ""))


@contextmanager
def _speaking_to(server: str) -> Iterator[None]:
    """Turn whatever goes wrong between us and a server into a coded error."""
    try:
        yield
    except MlflowException as error:
        raise _explained(server, error) from error
    except OSError as error:  # what the library for HTTP raises
        raise fault("PE3174", f"the MLflow server `{server}` cannot be reached: {_first_line(error)}") from error
    except InputError:
        raise
    except Exception as error:
        raise fault("PE3176", f"what answers at `{server}` does not answer as an MLflow server does") from error


def _explained(server: str, error: MlflowException) -> InputError:
    text = str(error)
    if error.error_code in _REFUSED or " 401 " in text or " 403 " in text:
        advice = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
        return fault("PE3175", f"the MLflow server `{server}` refuses to answer: {_first_line(error)}", help=advice)
    if error.error_code in _GONE or " 404 " in text:
        advice = "is it the address of the server itself, without a page?"
        return fault("PE3176", f"`{server}` does not have what an MLflow server has: {_first_line(error)}", help=advice)
    if "failed with exception" in text or "Max retries" in text:
        advice = "check the address and that the server runs"
        return fault("PE3174", f"the MLflow server `{server}` cannot be reached", help=advice)
    return fault("PE3176", f"the MLflow server `{server}` answers with an error: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    line = next(iter(str(error).splitlines()), "") or "no reason given"
    return "".join(c if c.isprintable() else " " for c in line)[:200].rstrip(". ")


class _Server:
    def __init__(self, client: MlflowClient, address: str) -> None:
        self._client = client
        self._address = address
        self._gone = 0

    def export(self, at: datetime, experiments: tuple[str, ...]) -> Export:
        # 1. The registry: models, their versions, and prompts, which it keeps in the same way.
        models = list(_pages(self._client.search_registered_models))
        versions = list(_pages(self._client.search_model_versions))
        prompts = list(self._prompts())
        # 2. What versions are made of: logged models of MLflow 3.
        logged = self._found(self._client.get_logged_model, {m for v in versions if (m := _logged_id(v))})
        # 3. The runs they came from, and those asked for by experiment.
        numbers = {v.run_id for v in versions if v.run_id} | {m.source_run_id for m in logged if m.source_run_id}
        runs = {run.info.run_id: run for run in self._of_experiments(experiments)}
        runs |= {run.info.run_id: run for run in self._found(self._client.get_run, numbers - runs.keys())}
        groups = self._found(self._client.get_experiment, {run.info.experiment_id for run in runs.values()})
        # 4. One document, in an order of its own.
        document: _Document = {
            EXPORT: VERSION,
            "tracking_uri": self._address,
            "exported_at": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "experiments": [_experiment(group) for group in sorted(groups, key=lambda e: e.experiment_id)],
            "registered_models": [_registered(model) for model in sorted(models, key=lambda m: m.name)],
            "model_versions": sorted([*map(_version, versions), *prompts], key=_name_and_number),
            "logged_models": [_logged_model(model) for model in sorted(logged, key=lambda m: m.model_id)],
            "runs": [_run(runs[number]) for number in sorted(runs)],
        }
        text = json.dumps(_plain(document), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        return Export(f"{text}\n".encode(), len(versions) + len(prompts), len(runs), self._gone)

    def _prompts(self) -> Iterator[_Document]:
        for prompt in _pages(self._client.search_prompts):
            name = prompt.name
            for version in _pages(partial(self._client.search_prompt_versions, name)):
                tags = dict(version.tags) | {"mlflow.prompt.is_prompt": "true"}
                yield {
                    "name": name,
                    "version": str(version.version),
                    "description": version.commit_message,
                    "creation_timestamp": version.creation_timestamp,
                    "aliases": sorted(version.aliases or ()),
                    "template": version.template,
                    "tags": tags,
                }

    def _of_experiments(self, names: tuple[str, ...]) -> Iterator[Run]:
        for name in names:
            found = self._client.get_experiment_by_name(name)
            if found is None or found.name != name:
                raise fault("PE3179", f"the MLflow server `{self._address}` has no experiment `{name}`")
            yield from _pages(partial(self._client.search_runs, [found.experiment_id]))

    def _found(self, ask: Callable[[str], Item], numbers: Iterable[str]) -> list[Item]:
        """Return what the server still has of some things; what is gone is counted."""
        found = []
        for number in sorted(numbers):
            try:
                found.append(ask(number))
            except MlflowException as error:
                if error.error_code not in _GONE:
                    raise
                self._gone += 1
        return found


def _pages(search: Callable[..., _Page[Item]]) -> Iterator[Item]:
    token: str | None = None
    seen: set[str | None] = set()
    while token not in seen:  # a server that begins again would never end
        seen.add(token)
        page = search(max_results=_PAGE, page_token=token)
        yield from page
        token = page.token or None
        if token is None:
            return


def _logged_id(version: ModelVersion) -> str | None:
    if version.model_id:
        return str(version.model_id)
    source = version.source or ""
    return source.removeprefix("models:/") if source.startswith(_LOGGED) else None


def _name_and_number(entry: _Document) -> tuple[str, int, str]:
    number = str(entry["version"])
    return (str(entry["name"]), int(number) if number.isdecimal() else 0, number)


def _experiment(entity: Experiment) -> _Document:
    return {
        "experiment_id": entity.experiment_id,
        "name": entity.name,
        "lifecycle_stage": entity.lifecycle_stage,
        "tags": dict(entity.tags),
    }


def _registered(entity: RegisteredModel) -> _Document:
    return {
        "name": entity.name,
        "description": entity.description,
        "creation_timestamp": entity.creation_timestamp,
        "tags": dict(entity.tags),
        "aliases": {alias: str(version) for alias, version in (entity.aliases or {}).items()},
    }


def _version(entity: ModelVersion) -> _Document:
    return {
        "name": entity.name,
        "version": str(entity.version),
        "description": entity.description,
        "creation_timestamp": entity.creation_timestamp,
        "current_stage": entity.current_stage,
        "source": entity.source,
        "run_id": entity.run_id,
        "model_id": _logged_id(entity),
        "status": entity.status,
        "tags": dict(entity.tags),
        "aliases": sorted(entity.aliases or ()),
    }


def _logged_model(entity: LoggedModel) -> _Document:
    return {
        "info": {
            "model_id": entity.model_id,
            "name": entity.name,
            "experiment_id": entity.experiment_id,
            "source_run_id": entity.source_run_id,
            "creation_timestamp": entity.creation_timestamp,
            "tags": dict(entity.tags or {}),
        }
    }


def _run(entity: Run) -> _Document:
    document: _Document = entity.to_dictionary()
    return document


def _plain(value: object) -> object:
    """Return a value that JSON can hold: what is no finite number is its name."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
