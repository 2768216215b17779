"""``policy-engine keys``: keys for evidence and decisions, and certificates for reports."""

import secrets
from datetime import timedelta
from pathlib import Path

import click

from policy_engine.app.inputs import read_file
from policy_engine.cli.options import clock, make_folder, passphrase_option, write_file
from policy_engine.model.errors import fault
from policy_evidence.signing.certificates import Holder, create_authority, issue_certificate
from policy_evidence.signing.files import read_private_key, write_private_key
from policy_evidence.signing.keys import Algorithm, PrivateKey

PASSPHRASE = "POLICY_ENGINE_PASSPHRASE"  # noqa: S105 - the name of a variable


@click.group("keys")
def command() -> None:
    """Make keys, and certificates for signing reports."""


@command.command("generate")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--algorithm", type=click.Choice([a.value for a in Algorithm]), default=Algorithm.ED25519.value, show_default=True
)
def generate(file: Path, algorithm: str) -> None:
    """Make a private key, encrypted, in FILE, and print what a trust file needs of it.

    Ed25519 and ECDSA P-256 sign evidence and decisions; RSA signs reports. The passphrase is read from
    POLICY_ENGINE_PASSPHRASE, or asked for. A file that exists is never overwritten.
    """
    key = PrivateKey.generate(Algorithm(algorithm))
    make_folder(file.parent)
    write_private_key(file, key, passphrase_option(PASSPHRASE))
    _show(key)


@command.command("show")
@click.argument("file", type=click.Path(path_type=Path))
def show(file: Path) -> None:
    """Print the id and the public key of the private key in FILE."""
    _show(read_private_key(file, passphrase_option(PASSPHRASE)))


@command.command("authority")
@click.argument("key", type=click.Path(path_type=Path))
@click.argument("certificate", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="The name of the authority.")
@click.option("--organisation", help="The organisation it belongs to.")
@click.option("--days", type=click.IntRange(1, 36500), default=3650, show_default=True, help="How long it is valid.")
def authority(key: Path, certificate: Path, name: str, organisation: str | None, days: int) -> None:
    """Make a small certificate authority: the certificate of KEY, signed by itself, in CERTIFICATE.

    For organisations without a public key infrastructure of their own. Its certificate goes into `pdf_certificates` of
    the trust file.
    """
    private = read_private_key(key, passphrase_option(PASSPHRASE))
    now = clock()
    pem = create_authority(
        private,
        Holder(name, organisation),
        serial=secrets.randbits(120),
        not_before=now,
        not_after=now + timedelta(days=days),
    )
    write_file(certificate, pem.encode())
    click.echo(f"written: {certificate}")


@command.command("certify")
@click.argument("key", type=click.Path(path_type=Path))
@click.argument("certificate", type=click.Path(path_type=Path))
@click.option("--authority-key", required=True, type=click.Path(path_type=Path), help="The key of the authority.")
@click.option("--authority-certificate", required=True, type=click.Path(path_type=Path), help="Its certificate.")
@click.option("--name", required=True, help="Who signs reports.")
@click.option("--organisation", help="The organisation they belong to.")
@click.option("--days", type=click.IntRange(1, 36500), default=730, show_default=True, help="How long it is valid.")
def certify(
    key: Path,
    certificate: Path,
    authority_key: Path,
    authority_certificate: Path,
    name: str,
    organisation: str | None,
    days: int,
) -> None:
    """Issue the certificate with which KEY signs reports."""
    passphrase = passphrase_option(PASSPHRASE)
    now = clock()
    public_key = read_private_key(key, passphrase).public_key
    if public_key.algorithm is not Algorithm.RSA:
        raise fault("PE0007", "reports are signed with RSA keys", help="make one with `keys generate --algorithm rsa`")
    pem = issue_certificate(
        read_private_key(authority_key, passphrase),
        read_file(authority_certificate).decode("ascii", errors="replace"),
        public_key,
        Holder(name, organisation),
        serial=secrets.randbits(120),
        not_before=now,
        not_after=now + timedelta(days=days),
    )
    write_file(certificate, pem.encode())
    click.echo(f"written: {certificate}")


def _show(key: PrivateKey) -> None:
    click.echo(f"key id: {key.public_key.key_id}")
    click.echo(key.public_key.to_pem().strip())
