"""The policy-as-code compliance engine for AI."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("ai-policy-engine")
except PackageNotFoundError:
    __version__ = "0+unknown"

__all__ = ["__version__"]
