"""A document's content together with the places of its parts.

Content is plain data: mappings, lists, text, whole numbers, ``Decimal`` and ``None``. The place of a value is kept
by the container that holds it, so that content itself stays plain and quick.

>>> inner = {"kind": "Model"}
>>> document = Located({"nodes": [inner]}, {id(inner): {"kind": (3, 5)}})
>>> document.place("/nodes/0/kind"), document.place("/nodes/0/colour")
((3, 5), None)
"""

from collections.abc import Mapping
from dataclasses import dataclass

Place = tuple[int, int]
"""A line and a column, both counted from one; a tuple, because a large file has millions of them."""

Marks = Mapping[int, Mapping[str | int, Place]]
"""The places of the entries of each container, by the identity of the container."""


@dataclass(frozen=True, slots=True)
class Located:
    """Content and the places of its parts; the content must stay referenced as long as ``marks`` is used."""

    content: object
    marks: Marks

    def line(self, container: object, key: str | int) -> int | None:
        """Return the line of an entry of a container, where it is known."""
        place = self.marks.get(id(container), {}).get(key)
        return place[0] if place else None

    def place(self, pointer: str) -> Place | None:
        """Return the place of what a JSON pointer (RFC 6901) names, where it is known."""
        found: Place | None = None
        current = self.content
        for written in pointer.split("/")[1:]:
            part = written.replace("~1", "/").replace("~0", "~")
            key: str | int = int(part) if isinstance(current, list) and part.isdecimal() else part
            found = self.marks.get(id(current), {}).get(key)
            if isinstance(current, dict):
                current = current.get(key)
            elif isinstance(current, list) and isinstance(key, int) and key < len(current):
                current = current[key]
            else:
                return None
        return found


def after_first_step(pointer: str) -> tuple[str, str]:
    """Divide a JSON pointer into its first step and the pointer that remains.

    >>> after_first_step("/12/job/name"), after_first_step("")
    (('12', '/job/name'), ('', ''))
    """
    first, slash, rest = pointer[1:].partition("/")
    return first, slash + rest


def step(key: str | int) -> str:
    """Write one step of a JSON pointer.

    >>> step("a/b"), step(3)
    ('/a~1b', '/3')
    """
    return f"/{key}" if isinstance(key, int) else "/" + key.replace("~", "~0").replace("/", "~1")
