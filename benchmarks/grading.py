"""What a user waits for: grading a class and writing its feedback, by stock nbgrader, otter-grader and ours.

A run of `autograder grade` is timed from the command to its end, start and report included, on a class of right
answers, a mixed one (a third has half of its answers wrong, one in ten computes for a second), one of wrong answers
only, and one with a plain nbgrader assignment instead of a unit (`benchmarks.plain`); then once more with nothing
changed, and once more after ten were graded by hand. Who runs stands in `benchmarks.contestants`, what is handed in in
`benchmarks.classes`.

Each result is kept in build/grading.json as soon as it is there, and the same command goes on where it was stopped;
`--anew` measures everything again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.classes import KINDS, PLAIN  # noqa: E402
from benchmarks.contestants import BY_HAND, CONTESTANTS, Steps  # noqa: E402

KEPT = ROOT / "build" / "grading.json"
SLOW = ("stock nbgrader", "otter-grader")
STOCK, FLOOR = "stock nbgrader", "fork and exec alone, 1 core"
# Otter's and the floor's notebooks are right answers; the floor has a plain assignment's too.
RIGHT_ONLY = ("otter-grader", FLOOR)
WHERE = {"otter-grader": ("right",), FLOOR: ("right", PLAIN)}

Measured = dict[str, dict[str, Steps]]


def wanted(chosen: argparse.Namespace) -> list[tuple[str, int, str]]:
    """Return what is to be measured: kind, size, contestant; what is quick comes first."""
    plan = [
        (kind, size, name)
        for kind in chosen.kinds
        for size in chosen.sizes
        for name in CONTESTANTS
        if name not in chosen.without and kind in WHERE.get(name, KINDS)
        if not (name in SLOW and size > chosen.slow_most)
        if not (kind == "wrong" and size > chosen.wrong_most)
    ]
    return sorted(plan, key=lambda one: (one[2] in SLOW, one[1] if one[2] in SLOW else 0))


def of(measured: Measured, kind: str, size: int, name: str) -> tuple[Steps | None, str]:
    """Return a contestant's seconds at a size, or its rate at the largest smaller size, marked "~"."""
    here = measured.get(f"{kind} {size}", {}).get(name)
    if here is not None:
        return here, ""
    smaller = [int(key.split()[1]) for key, found in measured.items() if key.startswith(f"{kind} ") and name in found]
    best = max((one for one in smaller if one < size), default=None)
    if best is None:
        return None, ""
    return {step: seconds * size / best for step, seconds in measured[f"{kind} {best}"][name].items()}, "~"


def total(steps: Steps) -> float:
    """Return the seconds of grading and feedback together; a contestant that writes none has none."""
    return steps["grade and feedback"] if "grade and feedback" in steps else steps["grade"] + steps.get("feedback", 0.0)


def tables(measured: Measured, unit: str, sizes: list[int], kinds: list[str]) -> str:
    """Return the results as markdown."""
    lines = []
    for kind in kinds:
        present = [size for size in sizes if f"{kind} {size}" in measured]
        if not present:
            continue
        lines += [
            "",
            f"{'a plain assignment' if kind == PLAIN else f'{kind} answers of {unit}'}, {os.cpu_count()} cores: "
            "seconds with feedback, (without)",
            "",
            "| submissions | grader | seconds | a second | times stock | times stock, without | floors a core |",
            "|---|---|---|---|---|---|---|",
        ]
        for size in present:
            base, mark = of(measured, kind, size, STOCK)
            floor, _ = of(measured, PLAIN if kind == PLAIN else "right", size, FLOOR)
            for name in CONTESTANTS:
                steps, own = of(measured, kind, size, name)
                if steps is None or kind not in WHERE.get(name, KINDS):
                    continue
                near = own or mark
                ratio = f"{near}{total(base) / total(steps):.1f}" if base and name not in RIGHT_ONLY else ""
                alone = f"{near}{base['grade'] / steps['grade']:.1f}" if base else ""
                cores = 2 if "2 workers" in name else 1
                floors = f"{own}{steps['grade'] * cores / floor['grade']:.2f}" if floor else ""
                lines.append(
                    f"| {size} | {name} | {own}{total(steps):.1f} ({steps['grade']:.1f}) |"
                    f" {own}{size / total(steps):.2f} | {ratio} | {alone} | {floors} |"
                )
        lines += [
            "",
            f"| submissions | grader | nothing changed, s | {BY_HAND} graded by hand, s |",
            "|---|---|---|---|",
        ]
        for size in present:
            for name in (name for name in CONTESTANTS if name.startswith("ours")):
                steps = measured[f"{kind} {size}"].get(name)
                if steps is not None:
                    by_hand = steps.get(f"{BY_HAND} graded by hand")
                    told = "" if by_hand is None else f"{by_hand:.2f}"
                    lines.append(f"| {size} | {name} | {steps['nothing changed']:.2f} | {told} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--unit", default="u2_softmax_scaling")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 50, 200])
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--without", nargs="*", default=[], choices=list(CONTESTANTS), help="leave these out")
    parser.add_argument(
        "--slow-most",
        type=int,
        default=50,
        help="largest class for stock nbgrader and otter-grader; their rate at a larger one is taken from it, marked ~",
    )
    parser.add_argument("--wrong-most", type=int, default=50, help="largest class of wrong answers only")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin nothing after so many minutes")
    parser.add_argument("--anew", action="store_true", help="forget what was measured before")
    chosen = parser.parse_args()
    began = time.monotonic()
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() and not chosen.anew else {}
    measured: Measured = kept.setdefault(chosen.unit, {})
    left = []
    for kind, size, name in wanted(chosen):
        here = measured.setdefault(f"{kind} {size}", {})
        if name in here:
            continue
        if time.monotonic() - began > 60 * chosen.minutes:
            left.append(f"{name}, {size} {kind}")
            continue
        with tempfile.TemporaryDirectory(prefix="grading-") as folder:
            here[name] = CONTESTANTS[name](Path(folder) / "class", chosen.unit, size, kind)
            shutil.rmtree(folder, ignore_errors=True)
            Path(folder).mkdir()
        told = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in here[name].items())
        print(f"{name}, {size} {kind}: {told} (load {os.getloadavg()[0]:.1f})", file=sys.stderr, flush=True)
        KEPT.parent.mkdir(exist_ok=True)
        KEPT.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    print(tables(measured, chosen.unit, chosen.sizes, chosen.kinds))
    if left:
        print(f"not measured yet, the same command goes on: {'; '.join(left)}")


if __name__ == "__main__":
    main()
