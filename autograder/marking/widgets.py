"""Output widgets, which take what is written while they are open: `@interact` opens one around each call.

In JupyterLab, and to stock nbgrader, what a widget takes is no output of the cell: an error in it costs no points. Here
there is no widget to show it in; so it is shown under the cell, as text that counts for nothing.
"""

from __future__ import annotations

from typing import Any

from nbconvert.filters import strip_ansi

# So many are known of one notebook.
MOST = 1000


class OutputWidgets:
    """The Output widgets of one notebook, told of by its kernel."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        # Widget → the message whose outputs it takes.
        self._open: dict[str, str] = {}

    def hear(self, message: dict[str, Any]) -> None:
        """Take in a message about a widget; what is none is nothing."""
        content = message["content"]
        widget, data = content.get("comm_id"), content.get("data")
        state = data.get("state") if isinstance(data, dict) else None
        if not isinstance(widget, str) or not isinstance(state, dict):
            return
        if state.get("_model_name") == "OutputModel" and len(self._known) < MOST:
            self._known.add(widget)
        taken = state.get("msg_id")
        if widget in self._known and isinstance(taken, str):
            self._open.pop(widget, None)
            if taken:
                self._open[widget] = taken

    def taken(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return a message as it is shown: one that a widget takes as a text, or a picture, that counts for nothing."""
        if message["parent_header"].get("msg_id") not in self._open.values():
            return message
        content = message["content"]
        if message["msg_type"] == "stream":
            return message | {"content": content | {"name": "stdout"}}
        if message["msg_type"] == "execute_result":
            return message | {"msg_type": "display_data"}
        if message["msg_type"] == "error":
            lines = content.get("traceback")
            text = "\n".join(map(str, lines)) if isinstance(lines, list) else ""
            return message | {"msg_type": "stream", "content": {"name": "stdout", "text": f"{strip_ansi(text)}\n"}}
        if message["msg_type"] == "clear_output":
            # It clears the widget, and nothing else of the cell.
            return message | {"msg_type": "status"}
        return message
