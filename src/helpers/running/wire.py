"""Plain values to bytes and back: JSON for the structure, raw arrays for the arrays.

This is all that crosses the border between the learner's process and the judge. Decoding builds None,
booleans, numbers, strings, lists, tuples, dicts, NumPy arrays of fixed dtypes, and the records of
`helpers.exercise`; it never imports, evaluates or unpickles, and it refuses what is too large before it reads it.

Layout of a message: 8 bytes length of the JSON (big endian), the JSON, then the array buffers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np

from helpers.exercise import Built, Case, Init, Tensor

T = TypeVar("T")

MAX_BYTES = 64 * 2**20
# Of these at most so many for the JSON, whose objects take many times its size.
MAX_HEAD = 4 * 2**20
MAX_NODES = 200_000
MAX_DEPTH = 40
_DTYPES = frozenset("b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 c8 c16".split())
_TAG = "~"
# What JSON holds as it is; most of a message is such.
_SIMPLE = frozenset((type(None), bool, float, str))


class WireError(ValueError):
    """A message that is malformed, too large, or holds something that may not cross the border."""


class TooLarge(WireError):
    """A message that has too many bytes.

    Attributes:
        size: how many.
    """

    def __init__(self, size: int, most: int) -> None:
        super().__init__(f"the message has {size:,} bytes; at most {most:,} are passed on")
        self.size = size


def encode(value: Any, most: int = MAX_BYTES) -> bytes:
    """Return the message for a plain value, of so many bytes at most; raise `WireError` for anything else."""
    arrays: list[np.ndarray] = []
    tree = _pack(value, arrays, [0], 0)
    head = json.dumps(tree, separators=(",", ":")).encode()
    size = 8 + len(head) + sum(array.nbytes for array in arrays)
    if size > most or len(head) > MAX_HEAD:
        raise TooLarge(size, min(most, MAX_HEAD) if size <= most else most)
    return b"".join((len(head).to_bytes(8, "big"), head, *(array.tobytes() for array in arrays)))


def decode(message: bytes | bytearray, most: int = MAX_BYTES) -> Any:
    """Return the value of a message; raise `WireError` for whatever `encode` would not have written."""
    if len(message) > most:
        raise TooLarge(len(message), most)
    length = int.from_bytes(message[:8], "big")
    if length > MAX_HEAD:
        raise TooLarge(length, MAX_HEAD)
    if len(message) < 8 + length:
        raise WireError("the message ends before its structure does")
    head = bytes(message[8 : 8 + length])
    # Counted before a list of them is made: each part takes a sign of its own, in texts some more.
    if sum(map(head.count, (b",", b"[", b"{"))) > 2 * MAX_NODES:
        raise WireError("the message has too many parts")
    raw = memoryview(message)[8 + length :]
    position = [0]

    def build(tree: dict[str, Any]) -> Any:
        return _build(tree, raw, position) if _TAG in tree else tree

    try:
        # The parser calls `build` in the order of the text, which is that of the buffers.
        value = json.loads(head, object_hook=build)
        _measure(value)
        return value
    except WireError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, OverflowError, AttributeError) as error:
        raise WireError(f"the message is malformed: {type(error).__name__}") from None


def is_plain_text(message: bytes | bytearray) -> bool:
    """Whether every text in a message is sure to be printable ASCII, line ends and tabs; most messages are."""
    head = message[8 : 8 + int.from_bytes(message[:8], "big")]
    return head.isascii() and b"\\u" not in head


def _measure(value: Any) -> None:
    """Refuse a value that has too many parts, or whose parts lie too deep in one another."""
    nodes = 0
    waiting = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        if not isinstance(item, (list, tuple, dict)):
            continue
        nodes += len(item)
        if nodes > MAX_NODES or depth > MAX_DEPTH:
            raise WireError("the message has too many parts")
        parts = item.values() if isinstance(item, dict) else item
        waiting += [(part, depth + 1) for part in parts if type(part) not in _SIMPLE]


def _pack(value: Any, arrays: list[np.ndarray], nodes: list[int], depth: int) -> Any:
    if isinstance(value, (list, tuple, dict)):
        nodes[0] += len(value)
    if nodes[0] > MAX_NODES or depth > MAX_DEPTH:
        raise WireError("the value has too many parts to be passed on")

    def inner(item: Any) -> Any:
        return item if type(item) in _SIMPLE else _pack(item, arrays, nodes, depth + 1)

    if type(value) in _SIMPLE:
        return value
    if type(value) is int:
        if abs(value) >= 2**63:
            raise WireError("an integer has more than 64 bits")
        return value
    if type(value) is list:
        return [inner(item) for item in value]
    if type(value) is tuple:
        return {_TAG: "tuple", "items": [inner(item) for item in value]}
    if isinstance(value, dict):
        packed = {_key(key): inner(item) for key, item in value.items()}
        return {_TAG: "dict", "items": [[key, item] for key, item in packed.items()]} if _TAG in packed else packed
    if isinstance(value, np.ndarray):
        return _pack_array(value, arrays)
    if isinstance(value, np.generic):
        return _pack_array(np.asarray(value), arrays)
    if isinstance(value, Tensor):
        return {_TAG: "tensor", "array": _pack_array(value.array, arrays), "gradient": value.gradient}
    if isinstance(value, Built):
        return {_TAG: "built", "name": value.name, "options": inner(dict(value.options))}
    if isinstance(value, Init):
        return {_TAG: "init", **{name: inner(item) for name, item in _set(value, _INIT_FIELDS)}}
    if isinstance(value, Case):
        return {_TAG: "case", **{name: inner(item) for name, item in _set(value, _CASE_FIELDS)}}
    raise WireError(f"a {type(value).__name__} cannot be passed on")


def _set(record: Case | Init, names: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """The fields of a record that say something: of most cases most are left at their defaults."""
    for name in names:
        value, usual = getattr(record, name), _DEFAULTS[type(record)][name]
        if value is usual or (usual in ((), {}) and len(value) == 0):
            continue
        yield name, dict(value) if hasattr(value, "keys") else value


def _key(key: Any) -> str:
    if type(key) is not str:
        raise WireError(f"a dict has a key of type {type(key).__name__}; only strings are passed on")
    return key


# What the learner's process needs of a case. `property`, `raises`, `quiet` and `truth` say what is right, so they stay
# behind, and so does all that is there for words.
_CASE_FIELDS = ("args", "kwargs", "init", "method", "gradients", "memory", "times", "chunks")
_INIT_FIELDS = ("args", "kwargs", "weights", "weights_file", "prefix", "renamed", "training", "seed", "earlier")
_DEFAULTS: dict[type, dict[str, Any]] = {Case: vars(Case("")), Init: vars(Init())}


def _pack_array(array: np.ndarray, arrays: list[np.ndarray]) -> dict[str, Any]:
    array = np.asarray(array)
    code = array.dtype.str[1:]
    if code not in _DTYPES:
        raise WireError(f"an array of dtype {array.dtype} cannot be passed on")
    array = np.asarray(array, dtype=array.dtype.newbyteorder("<"))
    arrays.append(array)
    return {_TAG: "array", "dtype": code, "shape": list(array.shape), "bytes": array.nbytes}


def _build(tree: dict[str, Any], raw: memoryview, position: list[int]) -> Any:
    """What a marked part of the structure stands for; its own parts are built already."""
    kind = tree[_TAG]
    if kind == "array":
        return _build_array(tree, raw, position)
    if kind == "tuple":
        return tuple(_of_type(tree["items"], list))
    if kind == "dict":
        return {_key(key): item for key, item in tree["items"]}
    if kind == "tensor":
        return Tensor(_of_type(tree["array"], np.ndarray), tree["gradient"] is True)
    if kind == "built":
        return Built(_key(tree["name"]), _of_type(tree["options"], dict))
    if kind == "init":
        return Init(**{name: tree[name] for name in _INIT_FIELDS if name in tree})
    if kind == "case":
        return Case("", **{name: tree[name] for name in _CASE_FIELDS if name in tree})
    raise WireError(f"the message has an unknown part {str(kind)[:40]!r}")


def _of_type(value: T, kind: type) -> T:
    if not isinstance(value, kind):
        raise WireError(f"the message has a {type(value).__name__} in the place of a {kind.__name__}")
    return value


def _build_array(tree: dict[str, Any], raw: memoryview, position: list[int]) -> np.ndarray:
    if tree["dtype"] not in _DTYPES:
        raise WireError("the message has an array of an unknown dtype")
    dtype = np.dtype("<" + tree["dtype"])
    shape = tuple(tree["shape"])
    if len(shape) > 32 or any(type(n) is not int or n < 0 for n in shape):
        raise WireError("the message has an array of an impossible shape")
    count = 1
    for n in shape:
        count *= n
    size = count * dtype.itemsize
    start = position[0]
    if size != tree["bytes"] or start + size > len(raw):
        raise WireError("the message has an array whose bytes are not all there")
    position[0] = start + size
    return np.frombuffer(raw[start : start + size], dtype=dtype).reshape(shape).copy()
