"""The policy-as-code compliance engine for AI."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str

__all__ = ["__version__"]


def __getattr__(name: str) -> Any:
    # Looking a version up takes longer than a gate may.
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            found = version("ai-policy-engine")
        except PackageNotFoundError:
            found = "0+unknown"
        globals()[name] = found
        return found
    raise AttributeError(name)
