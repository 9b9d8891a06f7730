"""ipykernel's own application as it comes: slower than `application`, and right with every release.

Used where the quick start does not work with the ipykernel that is installed. Nothing private of it is touched.
"""

from __future__ import annotations

from typing import Any

from .pictures import connect_pyplot

SETTINGS = {
    "HistoryManager.enabled": False,
    "HistoryManager.hist_file": ":memory:",
    "InteractiveShellApp.exec_PYTHONSTARTUP": False,
}


class PlainApplication:
    """Has what the kernel's process asks of an application; each fork makes ipykernel's own."""

    connection_file = ""
    _pyplot = False

    def connect_pyplot(self) -> None:
        """Have every kernel show and close figures after each cell."""
        self._pyplot = True

    def practise(self) -> None:
        """Nothing: each fork makes its own application."""

    def initialize(self, argv: list[str]) -> None:
        """Make the kernel of the connection file and bind its sockets."""
        from ipykernel.kernelapp import IPKernelApp

        # It leaves these methods untyped.
        self._application: Any = IPKernelApp.instance(connection_file=self.connection_file)
        self._application.initialize([*argv, *(f"--{name}={value}" for name, value in SETTINGS.items())])
        if self._pyplot:
            connect_pyplot(self._application.shell)

    def greet(self) -> None:
        """Nothing: who connects asks until it is answered."""

    def start(self) -> None:
        """Serve until the kernel is ended."""
        self._application.start()
