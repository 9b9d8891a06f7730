"""What a notebook may take while it is graded: every limit, its default, and how to set it.

Set one in a class's `nbgrader_config.py`, as in `c.SandboxedExecute.notebook_seconds = 300`. The limit on one
cell is nbgrader's own, `c.SandboxedExecute.timeout`, 30 seconds.
"""

from __future__ import annotations

from typing import Any

from traitlets import Bool, HasTraits, Integer

from helpers.folder.cells import MOST_NOTEBOOK

MB = 2**20


class Limits(HasTraits):
    notebook_seconds = Integer(180, help="Wall time of a whole notebook.").tag(config=True)
    cpu_seconds = Integer(300, help="CPU time of one process of the notebook.").tag(config=True)
    memory_bytes = Integer(4096 * MB, help="Memory of all processes of the notebook together.").tag(config=True)
    processes = Integer(64, help="Processes and threads of the notebook at one time.").tag(config=True)
    file_bytes = Integer(64 * MB, help="Size of one file that the notebook writes.").tag(config=True)
    scratch_bytes = Integer(256 * MB, help="Size of all files in the notebook's folder together.").tag(config=True)
    kept_bytes = Integer(
        16 * MB,
        help="Size of all files together that the notebook wrote and that are kept beside it; others are named.",
    ).tag(config=True)
    beside_bytes = Integer(32 * MB, help="Size of all files together that were handed in beside the notebook.").tag(
        config=True
    )
    open_files = Integer(256, help="Files and sockets that one process may have open.").tag(config=True)
    output_bytes = Integer(2 * MB, help="Output of one cell; the rest is dropped and the cell stopped.").tag(
        config=True
    )
    notebook_bytes = Integer(MOST_NOTEBOOK, help="Size of a submitted notebook file; a larger one is not read.").tag(
        config=True
    )
    landlock = Bool(True, help="Also close the file system with Landlock where the kernel has it.").tag(config=True)
    system_calls = Bool(True, help="Also deny the system calls that no notebook needs.").tag(config=True)
    control_groups = Bool(
        True, help="Have memory, processes and processors shared out by control groups where the machine lets us."
    ).tag(config=True)

    def limits(self) -> dict[str, Any]:
        """Return the limits that hold inside the sandbox, ready for JSON."""
        names = (
            "notebook_seconds",
            "cpu_seconds",
            "memory_bytes",
            "processes",
            "file_bytes",
            "scratch_bytes",
            "kept_bytes",
            "open_files",
            "landlock",
            "system_calls",
            "control_groups",
        )
        return {name: getattr(self, name) for name in names}
