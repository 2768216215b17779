"""``policy-engine import``: facts from a live system, kept as a file that an estate is read from."""

import os
from pathlib import Path

import click

from policy_engine.cli.options import clock, write_file
from policy_engine.model.errors import fault

# MLflow's client would try for minutes, and tell its makers that it was used, unless somebody says otherwise.
_SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


@click.group("import")
def command() -> None:
    """Read a live system into a file, which is then a source like any other."""


@command.command("mlflow")
@click.option("--uri", required=True, help="The address of the tracking server.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write.")
@click.option(
    "--experiment", "experiments", multiple=True, metavar="NAME", help="Also every run of this experiment; repeatable."
)
def mlflow(uri: str, out: Path, experiments: tuple[str, ...]) -> None:
    """Read models, versions, runs, their data and prompts of an MLflow tracking server.

    Needs the extra `mlflow`. Who may read is said as to any MLflow client: MLFLOW_TRACKING_USERNAME and
    MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN. The server is only read.
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        from policy_engine.lineage.importers.mlflow import export_server
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"mlflow", "google"}:
            raise
        hint = "install it with `pip install 'ai-policy-engine[mlflow]'`"
        raise fault("PE0010", "the client of MLflow is not installed", help=hint) from error
    export = export_server(uri, clock(), experiments)
    write_file(out, export.document)
    gone = f"; {export.gone} runs or models that they name are gone" if export.gone else ""
    click.echo(f"{out}: {export.versions} versions of models and prompts, {export.runs} runs{gone}")
