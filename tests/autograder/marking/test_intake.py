"""Whatever is handed in becomes a clean notebook or a reason, and released cells are put back in order."""

import json

import nbformat
import numpy as np
import pytest
from nbgrader.api import Gradebook

from autograder.authoring import releasing, sample
from autograder.grading import coordinator
from autograder.marking import intake

DAMAGED = 200


def damaged(rng):
    """A right submission with one random damage: to its bytes, its JSON, its metadata or the order of its cells."""
    notebook = json.loads(nbformat.writes(sample.answered()))
    kind = rng.integers(5)
    cells = notebook["cells"]
    if kind == 0:
        data = bytearray(json.dumps(notebook).encode())
        for place in rng.integers(len(data), size=rng.integers(1, 30)):
            data[place] = rng.integers(256)
        return bytes(data)
    if kind == 1:
        return json.dumps(notebook).encode()[: rng.integers(60_000)]
    if kind == 2:
        rng.shuffle(cells)
        return json.dumps({**notebook, "cells": cells[: rng.integers(1, len(cells))]}).encode()
    junk = [None, 7, "x", [], {}, [1, "a"], {"a": {"b": 1}}, True, 1e300, "🦄" * 50]
    for _ in range(rng.integers(1, 12)):
        cell = cells[rng.integers(len(cells))]
        if not isinstance(cell, dict):
            continue
        place = cell.get("metadata") if kind == 3 and isinstance(cell.get("metadata"), dict) else cell
        inner = place.get("nbgrader") if isinstance(place.get("nbgrader"), dict) and rng.random() < 0.7 else place
        if inner:
            inner[list(inner)[rng.integers(len(inner))]] = junk[rng.integers(len(junk))]
    if kind == 4 and rng.random() < 0.5:
        notebook[list(notebook)[rng.integers(len(notebook))]] = junk[rng.integers(len(junk))]
    return json.dumps(notebook).encode()


@pytest.mark.parametrize("seed", range(20))
def test_damaged_bytes_give_a_valid_notebook_or_a_reason(seed):
    rng = np.random.default_rng(seed)
    for _ in range(25):
        try:
            notebook = intake.clean(damaged(rng))
        except intake.Ungradable as reason:
            assert str(reason)
        else:
            nbformat.validate(notebook)


def test_two_hundred_damaged_notebooks_have_exactly_one_outcome_each(tmp_path):
    room = releasing.init(tmp_path / "class", [sample.UNIT])
    rng = np.random.default_rng(20)
    for number in range(DAMAGED):
        folder = room.root / "submitted" / f"d{number:03d}" / sample.UNIT
        folder.mkdir(parents=True)
        (folder / f"{sample.UNIT}.ipynb").write_bytes(damaged(rng))
    results = coordinator.grade(room, [sample.UNIT], feedback=False)
    assert [result.student for result in results] == [f"d{number:03d}" for number in range(DAMAGED)]
    for result in results:
        assert result.outcome.state in ("graded", "graded with a note", "not gradable")
        assert 0 <= result.score <= 17 and result.max_score == 20, result
        assert bool(result.outcome.ungradable) == (result.outcome.state == "not gradable")
    states = {result.outcome.state for result in results}
    assert states == {"graded", "graded with a note", "not gradable"}
    with Gradebook(room.db_url) as gradebook:
        assert len(gradebook.find_assignment(sample.UNIT).submissions) == DAMAGED
