"""The linter: what a policy says that is valid and probably not meant."""

from policy_dsl.lint.interface import Edit, Finding, LintRule
from policy_dsl.lint.rules import RULES
from policy_dsl.lint.run import LintError, Report, apply_edits, lint_sources

__all__ = ["RULES", "Edit", "Finding", "LintError", "LintRule", "Report", "apply_edits", "lint_sources"]
