"""What is done when there is no memory left: everything is let go first, and then it is told.

Rules:

- a shortage is met as near as can be to where it arises. To leave a ``with`` block beyond the 256th instruction of a
  function, CPython needs an integer of its own, and where there is no memory for it, it tries again without end
  (``exception_unwind`` in ``ceval.c``); so what the error holds is let go before it gets to functions as long as that;
- a shared library that cannot be mapped is a shortage too, as is whatever was raised on account of one;
- so is a ``SystemError``: CPython raises it where a call failed and said nothing, as calls do that cannot get memory.

>>> is_shortage(MemoryError()), is_shortage(ValueError())
(True, False)
"""

from collections.abc import Callable
from errno import ENOMEM
from functools import wraps
from typing import ParamSpec, TypeVar

TOLD = (
    "error[PE0014]: the memory did not suffice, so nothing was decided",
    "  help: let the process have more memory, or name fewer or smaller files",
)
"""What is said, ready before it is needed."""

# What the loader of shared libraries says, which Python passes on in words only.
_UNMAPPED = ("failed to map segment", "Cannot allocate memory", "cannot create shared object descriptor")


_P = ParamSpec("_P")
_T = TypeVar("_T")


def letting_go(run: Callable[_P, _T]) -> Callable[_P, _T]:
    """Return a function of which no shortage of memory is heard but a plain MemoryError that holds nothing."""

    @wraps(run)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return run(*args, **kwargs)
        except Exception as error:
            if not is_shortage(error):
                raise
        # Here the error is gone, and with it the frames that it held and all that was in them.
        raise MemoryError

    return call


def is_shortage(error: BaseException | None) -> bool:
    """Tell whether an error, or one that it was raised on account of, says that memory is short."""
    while error is not None:
        if isinstance(error, MemoryError | SystemError) or (isinstance(error, OSError) and error.errno == ENOMEM):
            return True
        if isinstance(error, ImportError) and any(words in str(error) for words in _UNMAPPED):
            return True
        error = error.__cause__ or error.__context__
    return False
