"""Private keys on disk: encrypted PKCS#8, readable by their owner alone, never written over another file.

A key file appears whole or not at all: the bytes are written and synchronised beside their place, then linked into it,
which fails when something is already there.
"""

import os
import tempfile
from pathlib import Path
from typing import Final

from policy_evidence.errors import KeyFileError, quoted
from policy_evidence.signing.keys import PrivateKey

# A key file is a few kilobytes; reading stops before anything else fills memory.
_MAX_BYTES: Final = 64 * 1024


def write_private_key(path: Path, key: PrivateKey, passphrase: bytes) -> None:
    """Write `key` encrypted to a file that must not exist yet."""
    pem = key.to_encrypted_pem(passphrase)
    try:
        # mkstemp opens exclusively with mode 0600, whatever the umask.
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        beside = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(pem)
                file.flush()
                os.fsync(file.fileno())
            path.hardlink_to(beside)
        finally:
            beside.unlink()
    except FileExistsError as cause:
        raise KeyFileError("PE4208", f"{quoted(str(path))} already exists", "choose another name") from cause
    except OSError as cause:
        raise _unusable(path, "written", cause) from cause


def read_private_key(path: Path, passphrase: bytes | None) -> PrivateKey:
    """Read a private key; the errors of its content are those of `PrivateKey.from_pem`."""
    try:
        with path.open("rb") as file:
            pem = file.read(_MAX_BYTES + 1)
    except OSError as cause:
        raise _unusable(path, "read", cause) from cause
    return PrivateKey.from_pem(pem, passphrase)


def _unusable(path: Path, verb: str, cause: OSError) -> KeyFileError:
    reason = (cause.strerror or "unknown reason").lower()
    return KeyFileError("PE4209", f"the key file {quoted(str(path))} cannot be {verb}: {reason}")
