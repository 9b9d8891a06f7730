"""Cuts a graded notebook to what a page can show: more would take a browser or a converter minutes."""

from __future__ import annotations

from nbformat import NotebookNode

from .markup import as_typed

# A unit has about 30,000 characters in its cells, and 2,500 in the longest one.
MOST_SOURCE, MOST_SOURCES = 60_000, 400_000
MOST_PROSE = 200_000
MOST_OUTPUT, MOST_OUTPUT_TEXT = 300_000, 3_000_000
MOST_PICTURES = 30_000_000


def shorten(nb: NotebookNode) -> None:
    """Cut cells and outputs that are longer than anybody reads; what is cut says so."""
    sources, prose, outputs, pictures = MOST_SOURCES, MOST_PROSE, MOST_OUTPUT_TEXT, MOST_PICTURES
    for cell in nb.cells:
        cell.source = _cut(cell.source, min(MOST_SOURCE, sources))
        sources -= len(cell.source)
        if cell.cell_type == "markdown":
            if len(cell.source) > prose:
                cell.source = as_typed(cell.source, 2000)
            prose -= len(cell.source)
        kept = []
        for output in cell.get("outputs", ()):
            outputs, pictures = _cut_output(output, outputs, pictures)
            kept.append(output)
            if outputs <= 0:
                break
        if "outputs" in cell:
            cell.outputs = kept


def _cut_output(output: NotebookNode, text: int, pictures: int) -> tuple[int, int]:
    """Cut one output to what is left for text and pictures; return what is left after it."""
    most = max(0, min(MOST_OUTPUT, text))
    if "text" in output:
        output.text = _cut(output.text, most)
        return text - len(output.text) - 1, pictures
    if "traceback" in output:
        output.traceback = [_cut(line, most // max(1, len(output.traceback))) for line in output.traceback]
        return text - sum(map(len, output.traceback)) - 1, pictures
    data = output.get("data", {})
    used = 1
    for kind in list(data):
        if kind.startswith("image/") or '<img alt="a picture' in data[kind][:40]:
            pictures -= len(data[kind])
            if pictures < 0:
                data[kind] = "" if kind.startswith("image/") else as_typed("[too many pictures]")
        elif isinstance(data[kind], str) and len(data[kind]) > most:
            data[kind] = _cut(data[kind], most) if kind == "text/plain" else as_typed(data[kind], most // 2)
        if kind == "text/html" or "text/html" not in data:
            used += len(data[kind]) if not kind.startswith("image/") else 0
    return text - used, pictures


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}\n… ({len(text) - most:,} more characters)"
