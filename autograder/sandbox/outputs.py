"""From a kernel's message to a cell's output. What is malformed is dropped, and nothing else is believed.

nbformat's own way checks each output against its JSON schema, which for a notebook costs as much as running it.
"""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode, from_dict

from .texts import storable

_DEPTH = 30


def from_message(message: dict[str, Any]) -> NotebookNode | None:
    """Return the output that a message of a kernel stands for, or None when it is malformed or none."""
    kind, content = message["msg_type"], message["content"]
    if kind == "stream":
        name, text = content.get("name"), content.get("text")
        if name in ("stdout", "stderr") and isinstance(text, str):
            return NotebookNode(output_type="stream", name=name, text=storable(text))
    elif kind in ("display_data", "execute_result"):
        data, metadata = content.get("data"), content.get("metadata")
        if _bundle(data) and _plain(metadata):
            output = NotebookNode(output_type=kind, data=from_dict(data), metadata=from_dict(metadata))
            count = content.get("execution_count")
            if kind == "execute_result":
                output["execution_count"] = count if isinstance(count, int) and count >= 0 else None
            return output
    elif kind == "error":
        name, value, lines = content.get("ename"), content.get("evalue"), content.get("traceback")
        if (
            isinstance(name, str)
            and isinstance(value, str)
            and isinstance(lines, list)
            and all(isinstance(line, str) for line in lines)
        ):
            return NotebookNode(
                output_type="error",
                ename=storable(name),
                evalue=storable(value),
                traceback=[storable(line) for line in lines],
            )
    return None


def _bundle(data: Any) -> bool:
    """Whether this is a bundle of MIME types: texts, and structures only where the type is JSON's."""
    if not isinstance(data, dict):
        return False
    return all(
        isinstance(value, str) or ("json" in name and _plain(value)) for name, value in data.items()
    ) and _encodes(data)


def _plain(value: Any, depth: int = 0) -> bool:
    if depth == 0 and not isinstance(value, (dict, list, str, int, float, bool, type(None))):
        return False
    if isinstance(value, dict):
        return depth < _DEPTH and all(_plain(item, depth + 1) for item in value.values()) and _encodes(value)
    if isinstance(value, list):
        return depth < _DEPTH and all(_plain(item, depth + 1) for item in value)
    return not isinstance(value, str) or _encodes({"": value})


def _encodes(texts: dict[str, Any]) -> bool:
    try:
        for name, value in texts.items():
            name.encode()
            if isinstance(value, str):
                value.encode()
    except UnicodeEncodeError:
        return False
    return True


def size_of(content: Any) -> int:
    """Characters in a message, counted without building a text of it."""
    if isinstance(content, str):
        return len(content)
    if isinstance(content, dict):
        return sum(size_of(k) + size_of(v) for k, v in content.items())
    if isinstance(content, (list, tuple)):
        return sum(map(size_of, content)) + len(content)
    return 8
