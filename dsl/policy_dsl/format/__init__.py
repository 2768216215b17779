"""The formatter: one canonical layout for policy files."""

from policy_dsl.format.source import FormatError, format_source

__all__ = ["FormatError", "format_source"]
