"""Look-alike answers: pairs of submissions that agree after renaming. A place to look, not a verdict.

1. Each answer becomes a row of tokens from its syntax tree: names that it makes itself are numbered in the order of
   their appearance; comments, docstrings and annotations are gone; calls, operators and constants stay.
2. The row is cut into overlapping shingles of a few tokens, and each shingle is hashed.
3. Shingles of the released text and of the course's solution tell nothing and are left out, and so are those that many
   share: what many write is the obvious way to write it.
4. Only pairs that share a rare shingle are compared, found by an index from shingle to students, so the work grows with
   the class and not with its square. A shared shingle weighs more the fewer have it.

A ready-made detector such as copydetect compares every file with every other and gives all names one token, so that
short answers in NumPy, which have little but names, all look alike; and it knows nothing of how rare an answer is.
"""

from __future__ import annotations

import ast
import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from autograder.classroom.answers import parse

SHINGLE = 8
FEWEST_TOKENS = 30
AGREE = 0.8
FEWEST_RARE = 20


@dataclass(frozen=True)
class Shared:
    """One exercise in which two submissions agree.

    Attributes:
        agreement: share of the shingles of both that both have.
        rare: how many of them few others have.
        weight: what these weigh together, in bits: the fewer have one, the more.
    """

    exercise: str
    agreement: float
    rare: int
    weight: float


@dataclass(frozen=True)
class Pair:
    """Two submissions of one unit that look alike.

    Attributes:
        first, second: the students' ids, sorted.
        weight: the sum over the exercises in which they agree.
    """

    unit: str
    first: str
    second: str
    weight: float
    shared: tuple[Shared, ...]


def find(unit: str, answers: Mapping[str, Mapping[str, str]], known: Mapping[str, Collection[str]]) -> list[Pair]:
    """Return the pairs of look-alike submissions of a unit, the heaviest first.

    Args:
        unit: its name.
        answers: student → exercise → code.
        known: exercise → texts that anyone may have: the released one and the solution.
    """
    agreeing: dict[tuple[str, str], list[Shared]] = defaultdict(list)
    for exercise in sorted({name for own in answers.values() for name in own}):
        codes = {student: own[exercise] for student, own in sorted(answers.items()) if exercise in own}
        for pair, shared in _compare(exercise, codes, known.get(exercise, ())).items():
            agreeing[pair].append(shared)
    pairs = [
        Pair(unit, *students, sum(one.weight for one in shared), tuple(shared))
        for students, shared in agreeing.items()
        if sum(one.rare for one in shared) >= FEWEST_RARE
    ]
    return sorted(pairs, key=lambda pair: (-pair.weight, pair.first, pair.second))


def _compare(exercise: str, codes: Mapping[str, str], known: Collection[str]) -> dict[tuple[str, str], Shared]:
    """Pairs of students whose answers to one exercise agree in something rare."""
    given = set().union(*(shingles(tokens(text)) for text in known))
    rows = {code: tokens(code) for code in set(codes.values())}
    own = {
        student: Counter(shingles(rows[code])) for student, code in codes.items() if len(rows[code]) >= FEWEST_TOKENS
    }
    holders: dict[int, list[str]] = defaultdict(list)
    for student, found in own.items():
        for shingle in found:
            if shingle not in given:
                holders[shingle].append(student)
    most = max(2, min(6, len(codes) // 4), len(codes) // 50)
    rare: Counter[tuple[str, str]] = Counter()
    weight: dict[tuple[str, str], float] = defaultdict(float)
    for students in holders.values():
        if 2 <= len(students) <= most:
            bits = math.log2(max(len(codes), 3) / len(students))
            for pair in itertools.combinations(students, 2):
                rare[pair] += 1
                weight[pair] += bits
    pairs: dict[tuple[str, str], Shared] = {}
    for (first, second), count in rare.items():
        both, either = (own[first] & own[second]).total(), (own[first] | own[second]).total()
        if both >= AGREE * either:
            pairs[first, second] = Shared(exercise, both / either, count, weight[first, second])
    return pairs


def tokens(code: str) -> list[str]:
    """Return an answer as a row of tokens that does not change with names, comments, docstrings and annotations; [] if
    it is no Python.
    """
    tree = parse(code)
    if tree is None:
        return []
    names, attributes = _bound(tree)
    numbers: dict[str, int] = {}
    row: list[str] = []
    # A stack, not recursion: a learner's tree may be deep.
    waiting: list[ast.AST | str] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            row.append(node)
            continue
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            node = ast.Assign(targets=[node.target], value=node.value)
        row.append(type(node).__name__)
        parts: list[ast.AST | str] = []
        for field, value in ast.iter_fields(node):
            if field in ("ctx", "annotation", "returns", "type_comment", "kind") or (
                value is None and not isinstance(node, ast.Constant)
            ):
                continue
            # The name of a keyword, an attribute or a module is another's, unless the answer made it.
            own = (
                attributes
                if field == "attr"
                else ()
                if isinstance(node, (ast.keyword, ast.Constant)) or (isinstance(node, ast.alias) and field == "name")
                else names
            )
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, ast.AST):
                    parts.append(one)
                else:
                    parts.append(
                        f"v{numbers.setdefault(one, len(numbers))}"
                        if isinstance(one, str) and one in own
                        else f"={one!r}"
                    )
        waiting.extend(reversed(parts))
    return row


def _bound(tree: ast.AST) -> tuple[set[str], set[str]]:
    """The names that an answer makes itself (functions, arguments, variables), and the attributes that it sets."""
    names: set[str] = set()
    attributes: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            attributes.add(node.attr)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name)
        elif (
            isinstance(
                node,
                (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar),
            )
            and node.name
        ):
            names.add(node.name)
    return names, attributes


def shingles(row: list[str]) -> list[int]:
    """Return the hashes of all runs of `SHINGLE` tokens."""
    return [hash(tuple(row[i : i + SHINGLE])) for i in range(len(row) - SHINGLE + 1)]
