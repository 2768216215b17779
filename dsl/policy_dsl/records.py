"""Frozen dataclasses that cost a tenth of the standard ones to define: a gate starts in less than these took to define.

Rules:

- ``dataclass(frozen=True, slots=True)`` and ``field`` of this module mean what those of the standard library mean, for
  these settings and no others; type checkers take them for those of the standard library;
- a constructor is compiled when a class has been called often, the rest is shared; nothing imports ``dataclasses``;
- ``dataclasses.fields``, ``is_dataclass`` and their like work: what they look for is made when they look.

>>> @dataclass(frozen=True, slots=True)
... class Point:
...     x: int
...     y: int = 0
>>> Point(1), Point(1) == Point(x=1, y=0), Point(1) in {Point(1)}
(Point(x=1, y=0), True, True)
>>> replace(Point(1), y=2)
Point(x=1, y=2)
"""

from typing import TYPE_CHECKING

__all__ = ["dataclass", "field", "replace"]

if TYPE_CHECKING:
    from dataclasses import dataclass, field, replace
else:
    from operator import attrgetter

    _MISSING = object()
    # After so many calls a constructor is worth the time that it takes to compile one.
    _MANY = 40

    class _Field:
        """How a field gets its value, and whether it takes part in what all fields take part in."""

        __slots__ = ("compare", "default", "factory", "init", "repr")

        def __init__(self, default=_MISSING, factory=_MISSING, *, init=True, repr=True, compare=True):
            self.default, self.factory = default, factory
            self.init, self.repr, self.compare = init, repr, compare

    def field(*, default=_MISSING, default_factory=_MISSING, init=True, repr=True, compare=True):
        """Describe a field, as ``dataclasses.field`` does."""
        return _Field(default, default_factory, init=init, repr=repr, compare=compare)

    def dataclass(*, frozen, slots, order=False):
        """Make a class a frozen record, as ``dataclasses.dataclass`` does."""
        if not (frozen and slots):
            raise TypeError("records are frozen and have slots")
        return lambda form: _made(form, order)

    def replace(record, /, **changes):
        """Return a record with some fields changed, as ``dataclasses.replace`` does."""
        for name in record.__match_args__:
            if name not in changes:
                changes[name] = getattr(record, name)
        return record.__class__(**changes)

    def _made(form, order):
        own = form.__annotations__
        members = dict(form.__dict__)
        given = {name: members.pop(name, _MISSING) for name in own}
        described = {n: value if isinstance(value, _Field) else _Field(value) for n, value in given.items()}
        inherited = {n: f for base in reversed(form.__mro__[1:]) for n, f in base.__dict__.get("_fields_", {}).items()}
        found = inherited | described
        for name in ("__dict__", "__weakref__"):
            members.pop(name, None)
        members["__slots__"] = tuple(name for name in own if name not in inherited)
        members["__match_args__"] = tuple(name for name, f in found.items() if f.init)
        members["_fields_"] = found
        members["_key_"] = _key([name for name, f in found.items() if f.compare])
        members = {**_SHARED, **(_ORDER if order else {}), **members}
        made = type(form)(form.__name__, form.__bases__, members)
        made.__qualname__ = form.__qualname__
        made.__init__ = _first_calls(made)
        for name in ("__dataclass_fields__", "__dataclass_params__"):
            setattr(made, name, _Standard(made, order, name))
        return made

    def _key(names):
        if not names:
            return staticmethod(lambda _: ())
        get = attrgetter(*names)
        return staticmethod(get if len(names) > 1 else lambda record: (get(record),))

    def _first_calls(made):
        """Return a constructor that does without compiling, and stands back for the real one when there are many."""
        fields = made._fields_
        slots = [(getattr(made, name).__set__, name, f) for name, f in fields.items()]
        places = {name: f for name, f in fields.items() if f.init}
        complete = hasattr(made, "__post_init__")
        puts = [put for put, _, f in slots if f.init]
        plain = len(puts) == len(slots) and not complete
        calls = 0

        def __init__(self, *arguments, **named):  # noqa: N807 - it is one
            nonlocal calls
            calls += 1
            if plain and not named and len(arguments) == len(puts) and calls < _MANY:
                for put, value in zip(puts, arguments, strict=True):
                    put(self, value)
                return
            given = dict(zip(places, arguments, strict=False)) | named
            odd = len(arguments) + len(named) != len(given) or not given.keys() <= places.keys()
            if calls > _MANY or complete or odd:
                made.__init__ = _constructor(made)
                made.__init__(self, *arguments, **named)
                return
            for put, name, f in slots:
                value = given.get(name, _MISSING)
                if value is _MISSING:
                    value = f.default if f.factory is _MISSING else f.factory()
                if value is _MISSING:
                    raise TypeError(f"{made.__qualname__} needs `{name}`")
                put(self, value)

        return __init__

    def _constructor(made):
        names = {"_missing": _MISSING}
        parameters, lines = ["self"], []
        for name, f in made._fields_.items():
            names[f"_set_{name}"] = getattr(made, name).__set__
            value = name
            if f.factory is not _MISSING:
                names[f"_make_{name}"] = f.factory
                value = f"_make_{name}() if {name} is _missing else {name}" if f.init else f"_make_{name}()"
                parameters += [f"{name}=_missing"] if f.init else []
            elif f.default is not _MISSING:
                names[f"_default_{name}"] = f.default
                parameters.append(f"{name}=_default_{name}")
            elif f.init:
                parameters.append(name)
            else:
                continue  # set by __post_init__
            lines.append(f"    _set_{name}(self, {value})")
        if hasattr(made, "__post_init__"):
            lines.append("    self.__post_init__()")
        text = f"def __init__({', '.join(parameters)}):\n" + "\n".join(lines or ["    pass"])
        exec(text, names)  # noqa: S102 - of names of fields alone, as the standard library does it
        names["__init__"].__qualname__ = f"{made.__qualname__}.__init__"
        return names["__init__"]

    def _same(self, other):
        if other.__class__ is self.__class__:
            return self._key_(self) == self._key_(other)
        return NotImplemented

    def _hash(self):
        return hash(self._key_(self))

    def _repr(self):
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name, f in self._fields_.items() if f.repr)
        return f"{self.__class__.__qualname__}({shown})"

    def _reduced(self):
        return self.__class__, tuple(getattr(self, name) for name in self.__match_args__)

    def _refused(_record, name, *_):
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot change field {name!r}")

    def _ordered(by):
        def ordered(self, other):
            if other.__class__ is self.__class__:
                return getattr(self._key_(self), by)(self._key_(other))
            return NotImplemented

        return ordered

    _SHARED = {
        "__eq__": _same,
        "__hash__": _hash,
        "__repr__": _repr,
        "__reduce__": _reduced,
        "__setattr__": _refused,
        "__delattr__": _refused,
    }
    _ORDER = {name: _ordered(name) for name in ("__lt__", "__le__", "__gt__", "__ge__")}

    class _Standard:
        """What the standard library looks for in a dataclass, made when it looks."""

        def __init__(self, made, order, name):
            self.made, self.order, self.name = made, order, name

        def __get__(self, _instance, _owner):
            import dataclasses

            made = self.made
            body = {"__annotations__": {}}
            for name, f in made._fields_.items():
                body["__annotations__"][name] = "object"
                settings = {"init": f.init, "repr": f.repr, "compare": f.compare}
                if f.factory is not _MISSING:
                    settings["default_factory"] = f.factory
                elif f.default is not _MISSING:
                    settings["default"] = f.default
                body[name] = dataclasses.field(**settings)
            twin = dataclasses.dataclass(frozen=True, order=self.order)(type(made.__name__, (), body))
            made.__dataclass_fields__ = twin.__dataclass_fields__
            made.__dataclass_params__ = twin.__dataclass_params__
            return getattr(twin, self.name)
