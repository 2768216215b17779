"""The policy language alone: text in, checked program and diagnostics out. No files, no clock, no network.

The compiler is imported when it is first used: a stored program is loaded without it (see ``storage``).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from policy_dsl.compiler import compile_bytes, compile_packs

__all__ = ["compile_bytes", "compile_packs"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from policy_dsl import compiler

        return getattr(compiler, name)
    raise AttributeError(name)
