"""The policy language alone: text in, checked program and diagnostics out. No files, no clock, no network."""

from policy_dsl.compiler import compile_bytes, compile_packs

__all__ = ["compile_bytes", "compile_packs"]
