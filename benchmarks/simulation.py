"""How long 10,000 submissions take on 1 to 64 workers: a simulation from figures measured now, checked by a Dask
cluster.

Measured here, on a class of `--measured` submissions graded by one worker: how long each submission keeps its worker,
how long a worker takes to start, and how long the coordinator is busy with each. The simulation hands submissions out
in order, two ahead of each worker, lets the coordinator take one result after the other, and so shows where it becomes
the limit. Then the same class is graded by a Dask cluster of two workers on this machine, and the simulated time stands
beside the measured one.
"""

from __future__ import annotations

import argparse
import heapq
import os
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from autograder.classroom.classroom import Classroom
from autograder.grading import coordinator
from autograder.marking import submission

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.classes import make_class  # noqa: E402


@dataclass(frozen=True)
class Figures:
    """Seconds: of each submission at its worker, of a worker's start, of the coordinator for each submission."""

    service: list[float]
    start: float
    coordinator: float


def measure(room: Classroom, unit: str) -> Figures:
    """Grade a class with one worker in this process and take the times apart."""
    times: list[tuple[float, float]] = []
    original = submission.grade_task

    def timed(*arguments: Any) -> submission.Done:
        began = time.perf_counter()
        done = original(*arguments)
        times.append((began, time.perf_counter()))
        return done

    submission.grade_task = timed
    try:
        started = time.perf_counter()
        coordinator.grade(room, [unit], feedback=False, jobs=1)
        ended = time.perf_counter()
    finally:
        submission.grade_task = original
    service = [end - began for began, end in times]
    usual = sorted(service[1:])[len(service) // 2]
    # What is not the worker's from the first submission on, writing and the end of the run included, is the
    # coordinator's; what was before is the start.
    between = ended - times[0][0] - sum(service)
    return Figures(service[1:], times[0][0] - started + service[0] - usual, between / len(service))


def simulate(figures: Figures, submissions: int, workers: int, seed: int = 0) -> float:
    """Return the seconds that a class takes."""
    generator = random.Random(seed)
    free = [figures.start] * workers
    heapq.heapify(free)
    results = []
    for _ in range(submissions):
        done = heapq.heappop(free) + generator.choice(figures.service)
        results.append(done)
        heapq.heappush(free, done)
    clock = 0.0
    for done in sorted(results):
        clock = max(clock, done) + figures.coordinator
    return clock


def on_dask(room: Classroom, unit: str, workers: int) -> tuple[float, float]:
    """Grade a class on a Dask cluster of this machine; return the seconds, and the processor time of coordinator and
    scheduler together, which share this process, for each submission of the later two thirds.
    """
    import distributed

    used: list[float] = []

    def tell(kind: str, **about: Any) -> None:
        if kind == "graded":
            used.append(time.process_time())

    with tempfile.TemporaryDirectory(prefix="dask-") as folder:
        cluster = distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address=":0", local_directory=folder, silence_logs=50
        )
        try:
            began = time.perf_counter()
            coordinator.grade(room, [unit], feedback=False, tell=tell, scheduler=cluster.scheduler_address)
            seconds = time.perf_counter() - began
        finally:
            cluster.close()
    third = len(used) // 3
    return seconds, (used[-1] - used[third]) / (len(used) - 1 - third)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unit", default="u2_softmax_scaling")
    parser.add_argument("--measured", type=int, default=60)
    parser.add_argument("--submissions", type=int, default=10_000)
    chosen = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory(prefix="simulation-") as folder:
        figures = measure(make_class(Path(folder) / "one", chosen.unit, chosen.measured), chosen.unit)
        measured, used = on_dask(make_class(Path(folder) / "dask", chosen.unit, chosen.measured), chosen.unit, 2)
    console = Console(width=120)
    usual = sum(figures.service) / len(figures.service)
    console.print(
        f"measured: {usual:.3f} s a submission at its worker, {figures.start:.1f} s to start one, "
        f"{figures.coordinator * 1000:.1f} ms of the coordinator for each"
    )
    simulated = simulate(figures, chosen.measured, 2)
    console.print(
        f"{chosen.measured} submissions on a Dask cluster of 2 workers: {measured:.1f} s measured, "
        f"{simulated:.1f} s simulated, ratio {measured / simulated:.2f}; coordinator and Dask's scheduler took "
        f"{1000 * used:.1f} ms of processor time for each"
    )
    table = Table(
        "workers",
        "minutes",
        "times one worker's rate",
        "coordinator busy",
        title=f"{chosen.submissions:,} submissions of {chosen.unit}, simulated",
    )
    one = simulate(figures, chosen.submissions, 1)
    for workers in (1, 2, 4, 8, 16, 32, 64):
        seconds = simulate(figures, chosen.submissions, workers)
        table.add_row(
            str(workers),
            f"{seconds / 60:.1f}",
            f"{one / seconds:.1f}",
            f"{chosen.submissions * figures.coordinator / seconds:.0%}",
        )
    console.print(table)


if __name__ == "__main__":
    main()
