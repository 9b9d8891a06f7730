"""Executes a unit's source notebook as an author looks at it, and lays its figures out as files."""

from __future__ import annotations

import base64
import re
import time
from pathlib import Path
from typing import TypedDict

import nbformat
from nbclient import NotebookClient

from .building import source_notebook

_PICTURE = re.compile(r'<img alt="([^"]*)"[^>]*src="data:image/png;base64,([^"]+)"')


class Preview(TypedDict):
    """What came of executing a unit: seconds, a line for each failure, names and texts of figures."""

    seconds: float
    failed: list[str]
    figures: list[str]


def preview(unit: str, folder: Path, timeout: int = 300) -> Preview:
    """Execute a source notebook and write `<unit>.ipynb`, its figures and their alt texts into a folder.

    Returns:
        "seconds" the execution took, "failed" the checks that did not pass or cells that raised, "figures" written.
    """
    notebook = source_notebook(unit)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    started = time.perf_counter()
    NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
    ).execute()
    seconds = time.perf_counter() - started
    failed: list[str] = []
    figures: list[str] = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                failed.append(f"{cell.id}: {output.ename}: {output.evalue}"[:300])
            elif output.output_type == "stream" and output.name == "stderr":
                failed.append(f"{cell.id}: wrote to stderr: {output.text}"[:300])
            elif output.output_type in ("display_data", "execute_result"):
                if "check(" in cell.source and output.data.get("text/plain", "").startswith(("✗", "○")):
                    failed.append(f"{cell.id}: {output.data['text/plain']}")
                figures += _figures(output.data, f"{len(figures):02d}-{cell.id}", folder)
    nbformat.write(notebook, folder / f"{unit}.ipynb")
    return {"seconds": round(seconds, 1), "failed": failed, "figures": figures}


def _figures(data: dict[str, str], name: str, folder: Path) -> list[str]:
    found = [("", data["image/png"])] if "image/png" in data else []
    found += _PICTURE.findall(data.get("text/html", ""))
    written = []
    for number, (alt, encoded) in enumerate(found):
        path = folder / f"{name}{f'-{number}' if number else ''}.png"
        path.write_bytes(base64.b64decode(encoded))
        written.append(f"{path.name}: {alt or 'NO ALT TEXT'}")
    return written
