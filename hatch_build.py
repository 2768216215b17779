"""Compiles the kernel of the set evaluator when the package is built or installed, if there is a C compiler.

Rules:

- without a compiler the package is complete and pure: whole estates are then evaluated in numpy;
- the library uses nothing of Python, so one wheel for a platform fits every version;
- it is compiled for any processor of the platform, next to its source, also for an editable install.
"""

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = Path("policy_engine/evaluation/sets/kernel.c")
LIBRARY = SOURCE.with_name("kernel.library")  # no suffix that Python would take for a module of its own


class CustomBuildHook(BuildHookInterface):
    """Compiles the kernel before the files of a wheel are collected."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - what hatchling calls
        """Compile, and mark the wheel as one for this platform if that worked."""
        root = Path(self.root)
        if self.target_name != "wheel" or not compile_kernel(root / SOURCE, root / LIBRARY):
            return
        build_data["artifacts"].append(LIBRARY.as_posix())
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{platform}"


def compile_kernel(source: Path, library: Path) -> bool:
    """Compile a shared library, whole or not at all; tell whether that worked."""
    compiler = shutil.which(os.environ.get("CC") or "cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return False
    beside = library.with_suffix(f".{os.getpid()}.part")
    command = [compiler, "-O3", "-std=c11", "-shared", "-fPIC", str(source), "-o", str(beside)]
    try:
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - the compiler and our own source
        beside.replace(library)
    except (OSError, subprocess.CalledProcessError):
        return False
    finally:
        beside.unlink(missing_ok=True)
    return True
