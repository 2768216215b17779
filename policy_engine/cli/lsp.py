"""``policy-engine lsp``: the language server that editors start."""

import click

from policy_engine import __version__
from policy_engine.model.errors import fault
from policy_engine.packs.library import library, library_folder


@click.command("lsp")
@click.option("--stdio", is_flag=True, help="Speak over standard input and output; there is no other way.")
def command(stdio: bool) -> None:  # noqa: ARG001 - editors say it, and it changes nothing
    """Serve an editor that writes policies, over standard input and output."""
    try:
        from policy_dsl.lsp.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"pygls", "lsprotocol"}:
            raise
        hint = "install it with `pip install 'ai-policy-engine[lsp]'`"
        raise fault("PE0010", "the language server is not installed", help=hint) from error
    from policy_dsl.lsp.documents import LibraryFile

    folder = library_folder()
    packs = {
        name: LibraryFile(file, data.decode("utf-8-sig", errors="replace"), folder / file.partition("/")[2])
        for name, (file, data) in library().items()
    }
    serve(packs, __version__)
