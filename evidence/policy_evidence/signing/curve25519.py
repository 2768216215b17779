"""Is this Ed25519 public key one sound point? Arithmetic on the curve (RFC 8032 section 5.1), for public data only.

A key of low order verifies one signature for many messages; a key of mixed order, or one spelled with a coordinate
beyond the field, is a second face of somebody else's key. Sound means: one spelling, not the neutral element, and of
exactly the prime order. Nothing here is secret, so nothing needs to take constant time.

>>> is_sound(bytes.fromhex("01" + "00" * 31))
False
"""

from typing import Final, TypeAlias

# RFC 8032 section 5.1: the field, the order of the base point, the constant of the curve.
_P: Final = 2**255 - 19
_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, -1, _P) % _P

# Extended coordinates (X, Y, Z, T): x = X/Z, y = Y/Z, x·y = T/Z (section 5.1.4).
_Point: TypeAlias = tuple[int, int, int, int]
_NEUTRAL: Final[_Point] = (0, 1, 1, 0)


def is_sound(encoded: bytes) -> bool:
    """Tell whether 32 bytes spell a point of prime order in the one canonical way."""
    point = _decode(encoded)
    return point is not None and not _is_neutral(point) and _is_neutral(_multiply(point, _ORDER))


def _decode(encoded: bytes) -> _Point | None:
    # Section 5.1.3, with the check y < p that makes the spelling unique.
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if len(encoded) != 32 or y >= _P:
        return None
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    x = u * pow(v, 3, _P) * pow(u * pow(v, 7, _P), (_P - 5) // 8, _P) % _P
    if v * x * x % _P == -u % _P:
        x = x * pow(2, (_P - 1) // 4, _P) % _P
    if v * x * x % _P != u or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


def _add(left: _Point, right: _Point) -> _Point:
    # Section 5.1.4; complete on this curve, so it also doubles.
    x1, y1, z1, t1 = left
    x2, y2, z2, t2 = right
    a, b = (y1 - x1) * (y2 - x2) % _P, (y1 + x1) * (y2 + x2) % _P
    c, d = 2 * t1 * t2 * _D % _P, 2 * z1 * z2 % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _multiply(point: _Point, factor: int) -> _Point:
    result = _NEUTRAL
    while factor:
        if factor & 1:
            result = _add(result, point)
        point = _add(point, point)
        factor >>= 1
    return result


def _is_neutral(point: _Point) -> bool:
    x, y, z, _ = point
    return x == 0 and y == z
