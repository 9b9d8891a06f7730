"""Rules for calls: along which axis, which function and with which arguments; fills, slices, comparisons."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from .rewriting import Rewrite, Scope, call_name, expression, integer, number, operand, shown

_AXIS_WORDS = {None: "everything", -1: "the last axis", -2: "the last axis but one", 0: "the first axis"}
_REDUCED = frozenset("softmax log_softmax sum mean max amax min var std cumsum argmax norm".split())
_LAID = frozenset("cat concatenate stack chunk split".split())
# Without these a line still makes sense, and learners forget them.
_DROPPED = frozenset(
    "exp tanh relu silu sqrt abs softmax log_softmax log sigmoid cos sin scale_scores masked_fill clamp tril layer_norm"
    " repeat_interleave squeeze item flatten causal_mask shift_right".split()
)
_OTHERS = {
    "exp": (("np.square({0})", "the square"), ("2.0 ** {0}", "a power of 2")),
    "tanh": (("np.maximum({0}, 0)", "a ReLU"), ("1 / (1 + np.exp(-({0})))", "a sigmoid")),
    "sin": (("np.cos({0})", "the cosine"),),
    "cos": (("np.sin({0})", "the sine"),),
    "relu": (
        ("torch.nn.functional.gelu({0})", "a GELU"),
        ("torch.tanh({0})", "tanh"),
        ("torch.sigmoid({0})", "a sigmoid"),
        ("torch.nn.functional.leaky_relu({0})", "a leaky ReLU"),
        ("torch.nn.functional.silu({0})", "a SiLU"),
    ),
    "silu": (
        ("torch.nn.functional.gelu({0})", "a GELU"),
        ("torch.relu({0})", "a ReLU"),
        ("torch.sigmoid({0})", "a sigmoid"),
        ("torch.tanh({0})", "tanh"),
    ),
    "softmax": (("torch.sigmoid({0})", "a sigmoid"), ("torch.log_softmax({0}, dim=-1)", "the logarithm of a softmax")),
}
_SWAPPED = {
    "max": ("min", "mean", "sum"),
    "amax": ("amin", "mean", "sum"),
    "sum": ("mean", "max", "prod"),
    "mean": ("sum", "max"),
    "var": ("std",),
    "argmax": ("argmin",),
    "tril": ("triu",),
    "maximum": ("minimum",),
    "ones": ("zeros",),
    "zeros": ("ones",),
    "zeros_like": ("ones_like",),
    "repeat_interleave": ("repeat",),
    "train": ("eval",),
    "eval": ("train",),
}
# The care that a reference takes of rows with nothing in them; most wrong answers are wrong without it.
GUARD = "guard"
_INVERSE: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt, ast.GtE),
    ast.LtE: (ast.Lt, ast.GtE, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt, ast.LtE),
    ast.GtE: (ast.Gt, ast.LtE, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}
_HIDDEN_HINT = "What is hidden still takes part: where is it used, and what should stand in its place there?"
_MASK_HINT = (
    "True means: may attend. Follow the mask: where is it used, which way round, and what does it leave behind?"
)


def rewrites(node: ast.AST, scope: Scope) -> Iterator[Rewrite]:
    """Yield other ways in which a call, a slice or a comparison is written by mistake."""
    if isinstance(node, ast.Call):
        yield from _axes(node, scope)
        yield from _fills(node)
        yield from _functions(node)
        yield from _arguments(node)
        yield from _counts(node)
    elif isinstance(node, ast.Slice):
        yield from _slices(node, scope)
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield from _comparisons(node)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
        yield Rewrite(node, node.operand, f"{shown(node.operand)} is used the other way round", _MASK_HINT, "invert")


def _axes(node: ast.Call, scope: Scope) -> Iterator[Rewrite]:
    name = call_name(node)
    keyword = next((k for k in node.keywords if k.arg in ("axis", "dim")), None)
    hint = "Which axis runs over the keys, the features, the tokens? Sum along it on paper, for two rows."
    if name in _REDUCED or name in _LAID:
        old = integer(keyword.value) if keyword is not None else -1
        others: list[int | None] = [-2, 0, -1, -3, None] if name in _REDUCED else [-2, -1, 0, -3]
        if keyword is None and name in ("chunk", "split") and len(node.args) < 3:
            old = 0
        elif keyword is None and name not in ("softmax", "log_softmax"):
            others = []
        for axis in others:
            if axis == old or (axis is None and name in ("log_softmax", "cumsum")):
                continue
            value: ast.expr = ast.Constant(None) if axis is None else number(axis)
            axis_name = keyword.arg if keyword is not None else "dim" if name in ("chunk", "split") else "axis"
            rest = [k for k in node.keywords if k is not keyword]
            if axis is None and "torch" in ast.unparse(node.func):
                continue
            new = ast.Call(node.func, node.args, [*rest, ast.keyword(axis_name, value)])
            over = _AXIS_WORDS.get(axis, f"axis {axis}")
            along = _AXIS_WORDS.get(old, "another axis" if old is None else f"axis {old}")
            yield Rewrite(node, new, f"`{name}` runs over {over}, not over {along}", hint, f"axis {id(node)}")
    kept = next((k for k in node.keywords if k.arg in ("keepdims", "keepdim")), None)
    if kept is not None:
        new = ast.Call(node.func, node.args, [k for k in node.keywords if k is not kept])
        yield Rewrite(
            node, new, f"`{name}` drops its axis, so the next line lines up another one",
            f"`{kept.arg}=True` keeps an axis of length 1, and what follows finds its row again.", f"axis {id(node)}",
        )  # fmt: skip
    biased = next((k for k in node.keywords if k.arg in ("unbiased", "correction", "ddof")), None)
    if name in ("var", "std"):
        by = ast.keyword("unbiased", ast.Constant(True)) if biased is not None else ast.keyword("ddof", ast.Constant(1))
        new = ast.Call(node.func, node.args, [*(k for k in node.keywords if k is not biased), by])
        yield Rewrite(
            node,
            new,
            "the variance is divided by d - 1, not by d",
            "The biased variance is asked: the mean of the squares.",
            "biased",
        )


def _functions(node: ast.Call) -> Iterator[Rewrite]:
    name, inner = call_name(node), operand(node)
    if inner is None:
        return
    hint = "Name each step of the formula, and find its line."
    if name in _DROPPED or "norm" in name or name == "weighted_sum":
        yield Rewrite(node, inner, f"`{name}` is left out, around {shown(inner)}", hint, f"without {id(node)}")
    if name in ("softmax", "scale_scores", "sqrt", "relu") or "norm" in name:
        twice = ast.Call(node.func, [node, *node.args[1:]], node.keywords)
        if node.args and node.args[0] is inner:
            words = (
                "scaled twice, that is by d_k and not by √d_k" if name == "scale_scores" else f"`{name}` is taken twice"
            )
            yield Rewrite(node, twice, words, hint, f"twice {id(node)}")
    for text, words in _OTHERS.get(name, ()):
        text = text.format("a")
        if (
            name in ("sin", "cos")
            and "torch" not in ast.unparse(node.func)
            and not ast.unparse(node.func).startswith("np")
        ):
            text = f"a.{'cos' if name == 'sin' else 'sin'}()"
        of_torch = bool(re.match(r"torch\b|nn\.|F\.", ast.unparse(node.func)))
        if ("torch" in text) != of_torch and name not in ("sin", "cos"):
            text = text.replace("np.square(a)", "a * a").replace("np.exp", "torch.exp") if "np." in text else ""
        if text:
            yield Rewrite(
                node, expression(text, a=inner), f"{words} stands where `{name}` belongs", hint, f"function {words}"
            )
    for other in _SWAPPED.get(name, ()):
        func: ast.expr = ast.Name(other, ast.Load())
        if isinstance(node.func, ast.Attribute):
            func = ast.Attribute(node.func.value, other, ast.Load())
        keywords = [k for k in node.keywords if k.arg not in ("initial", "unbiased")]
        yield Rewrite(
            node,
            ast.Call(func, node.args, keywords),
            f"`{other}` stands where `{name}` belongs",
            hint,
            f"function {other}",
        )


def _arguments(node: ast.Call) -> Iterator[Rewrite]:
    """Arguments in another order, and a last one that is not handed on."""
    name = call_name(node)
    if (
        isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in ("np", "math")
    ):
        return
    args = node.args
    hint = "In which order, and from where, does that call want its arguments?"
    for i in range(len(args)):
        for j in range(i + 1, len(args)):
            if type(args[i]) is type(args[j]) and ast.dump(args[i]) != ast.dump(args[j]) and integer(args[i]) is None:
                swapped = [*args]
                swapped[i], swapped[j] = swapped[j], swapped[i]
                yield Rewrite(
                    node,
                    ast.Call(node.func, swapped, node.keywords),
                    f"{shown(args[i])} and {shown(args[j])} change places in the call of `{name}`",
                    hint,
                    f"arguments {id(node)}",
                )
    for index, arg in enumerate(args):
        if isinstance(arg, (ast.Name, ast.Call)) and "mask" in ast.unparse(arg) and index:
            yield Rewrite(
                arg,
                ast.Constant(None),
                f"{shown(arg)} is not handed on to `{name}`",
                "Who needs the mask, and does it arrive?",
                "mask out",
            )


def _fills(node: ast.Call) -> Iterator[Rewrite]:
    """`where` and `masked_fill`: inverted, left out, with another fill."""
    name = call_name(node)
    inner = operand(node)
    if name == "where" and len(node.args) == 3:
        condition, a, b = node.args
        if isinstance(a, ast.Constant) and a.value in (0, 1):
            hint = "0/0 and -inf - (-inf) are NaN: which row is that?"
            yield Rewrite(node, b, f"no care is taken of {shown(condition)}", hint, GUARD)
        place = shown(condition)
        yield Rewrite(
            node,
            ast.Call(node.func, [condition, b, a], []),
            f"the two sides of {place} change places",
            _MASK_HINT,
            "invert",
        )
        yield Rewrite(node, a, f"{place} is not looked at: always {shown(a)}", _MASK_HINT, "one side")
        yield Rewrite(node, b, f"{place} is not looked at: always {shown(b)}", _MASK_HINT, "one side")
        for fill, words in _FILLS:
            yield Rewrite(
                node,
                ast.Call(node.func, [condition, a, number(fill)], []),
                f"the fill is {words}, not {shown(b)}",
                _MASK_HINT,
                f"fill {id(node)}",
            )
    if name == "masked_fill" and inner is not None and len(node.args) == 2 and node.args[0] is not inner:
        condition, value = node.args
        if isinstance(value, ast.Constant) and value.value == 0:
            weights = "softmax" in ast.unparse(inner)
            left = "a row with nothing to see" if weights else f"what the mask hides in {shown(inner)}"
            hint = _MASK_HINT if weights else _HIDDEN_HINT
            yield Rewrite(node, inner, f"{left} is not set to 0", hint, GUARD)
        for fill, words in _FILLS:
            yield Rewrite(
                node, ast.Call(node.func, [condition, number(fill)], []), f"the fill is {words}, not {shown(value)}",
                "What is filled in has to become a weight of exactly 0, however low the other scores are.",
                f"fill {id(node)}",
            )  # fmt: skip
        yield Rewrite(
            node, ast.Call(node.func, [condition, expression("-float('inf')")], []),
            "the fill is -inf, and a row of nothing else gives NaN",
            "A row with nothing to see is 0/0 then: it needs a care of its own.", f"fill {id(node)}",
        )  # fmt: skip
        multiplied = expression("a * ~(c)", a=inner, c=condition)
        yield Rewrite(
            node,
            multiplied,
            f"{shown(inner)} is multiplied by the mask",
            "A score of 0 still has a weight: e⁰ is 1.",
            "times mask",
        )
        added = expression("a + ~(c)", a=inner, c=condition)
        yield Rewrite(
            node,
            added,
            "the mask is added to the scores as 0 and 1",
            "Forbidden scores have to become very low, not allowed ones larger by 1.",
            "plus mask",
        )


_FILLS = (
    (0.0, "0"),
    (-1.0, "-1"),
    (-20.0, "-20"),
    (-100.0, "-100"),
    (-1e4, "-10,000"),
    (-1e9, "-1e9"),
    (1e-9, "1e-9"),
    ((-1e5), "-100,000"),
)


def _counts(node: ast.Call) -> Iterator[Rewrite]:
    """`arange`, `range`, `tril`, `eye`: one more or one less."""
    name = call_name(node)
    if name not in ("arange", "range", "tril", "triu"):
        return
    args = node.args
    hint = "Where does counting begin, and which is the last that counts? Try it with 3."
    if name in ("arange", "range") and len(args) == 1:
        one = expression("a + 1", a=args[0])
        yield Rewrite(
            node,
            ast.Call(node.func, [number(1), one], node.keywords),
            f"`{name}` counts from 1, not from 0",
            hint,
            "count",
        )
        yield Rewrite(
            node,
            ast.Call(node.func, [number(1), args[0]], node.keywords),
            f"`{name}` begins with 1: the first is left out",
            hint,
            "count first",
        )
        less = expression("a - 1", a=args[0])
        yield Rewrite(
            node, ast.Call(node.func, [less], node.keywords), f"`{name}` ends one too early", hint, "count last"
        )
        yield Rewrite(
            node, ast.Call(node.func, [one], node.keywords), f"`{name}` ends one too late", hint, "count more"
        )
        back = expression("f(a - 1, -1, -1)", f=node.func, a=args[0])
        yield Rewrite(node, back, f"`{name}` counts backwards", hint, "count back")
    if name in ("tril", "triu"):
        offset = args[-1] if args else number(0)
        for step, words in ((1, "one place too far to the right"), (-1, "one place too far to the left")):
            moved = expression(f"a + {step}", a=offset)
            yield Rewrite(
                node,
                ast.Call(node.func, [*args[:-1], moved], node.keywords),
                f"the diagonal lies {words}",
                hint,
                f"diagonal {step}",
            )
        if args:
            yield Rewrite(
                node,
                ast.Call(node.func, args[:-1], node.keywords),
                f"the diagonal begins in the corner, not at {shown(offset)}",
                hint,
                "diagonal 0",
            )


def _slices(node: ast.Slice, scope: Scope) -> Iterator[Rewrite]:
    around = scope.parents.get(id(node))
    while around is not None and not isinstance(around, ast.Subscript):
        around = scope.parents.get(id(around))
    place = shown(around) if around is not None else "a slice"
    hint = "Write the indices of that slice down for a short row: which is the first, which the last?"
    if node.step is not None and integer(node.lower) in (0, 1):
        other = number(1 - (integer(node.lower) or 0))
        yield Rewrite(
            node,
            ast.Slice(other, node.upper, node.step),
            f"even and odd places are exchanged in {place}",
            hint,
            "even and odd",
        )
    if node.upper is not None:
        for step, words in ((-1, "one too early"), (1, "one too late")):
            moved = expression(f"a + {step}", a=node.upper)
            yield Rewrite(node, ast.Slice(node.lower, moved, node.step), f"{place} ends {words}", hint, f"end {step}")
        shifted = ast.Slice(number(1), expression("a + 1", a=node.upper), node.step)
        if node.lower is None:
            yield Rewrite(node, shifted, f"{place} begins one too late, and ends so", hint, "shifted")
        yield Rewrite(node, ast.Slice(node.lower, None, node.step), f"{place} has no end", hint, "no end")
    elif node.lower is not None and node.step is None:
        for step, words in ((-1, "one too early"), (1, "one too late")):
            moved = expression(f"a + {step}", a=node.lower)
            yield Rewrite(node, ast.Slice(moved, None, None), f"{place} begins {words}", hint, f"begin {step}")


def _comparisons(node: ast.Compare) -> Iterator[Rewrite]:
    symbols = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
    (op,) = node.ops
    for other in _INVERSE.get(type(op), ()):
        new = ast.Compare(node.left, [other()], node.comparators)
        yield Rewrite(
            # The learner may have written a range, or nothing like it: what is certain is the likeness.
            node, new, f"gives what `{symbols[other]}` in place of `{symbols[type(op)]}` would give, in {shown(node)}",
            "Try the comparison with two equal numbers, and with a small and a large one.", "comparison",
        )  # fmt: skip
