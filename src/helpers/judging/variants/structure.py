"""Rules for what stands around formulas: names, results, steps, branches, residuals and norms."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from .rewriting import Rewrite, Scope, call_name, expression, operand, rebuilt, shown, statements

_NAMES_HINT = "Which of them belongs there? Say the sentence: whose row meets whose?"
_ROAD = "Follow one token: what does the sublayer read, what is added to it, and where does the norm stand?"
# Lines of one kind with other parts: a model's projections, norms, layers.
_SIBLINGS = (
    ("W_q", "W_k", "W_v", "W_o"),
    ("norm_1", "norm_2", "norm_3"),
    ("self_attention", "cross_attention"),
    ("linear_1", "linear_2"),
    ("weight", "bias"),
    ("src_embed", "tgt_embed"),
)


def rewrites(node: ast.AST, scope: Scope) -> Iterator[Rewrite]:
    """Yield other ways in which a name, a result, a branch or a residual road is written by mistake."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield from _names(node, scope)
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        yield from _parts(node, scope)
    elif isinstance(node, ast.Return):
        yield from _results(node, scope)
    elif isinstance(node, (ast.IfExp, ast.If)):
        yield from _branches(node)
    elif isinstance(node, ast.Constant):
        yield from _constants(node, scope)
    if isinstance(node, (ast.BinOp, ast.Call)):
        yield from _roads(node)
    if isinstance(node, (ast.FunctionDef, ast.For, ast.While, ast.If)):
        yield from _steps(node, scope)
    if isinstance(node, ast.For):
        yield from _loops(node)


def _names(node: ast.Name, scope: Scope) -> Iterator[Rewrite]:
    around = scope.parents.get(id(node))
    if isinstance(around, ast.Call) and around.func is node:
        return
    if isinstance(around, (ast.keyword, ast.Starred)) or node.id not in (*scope.arguments, *scope.variables):
        return
    if isinstance(around, ast.Attribute) and around.attr in ("shape", "dtype", "ndim"):
        return
    place = around if isinstance(around, (ast.BinOp, ast.Call, ast.Subscript, ast.Return)) else None
    place_words = f" in {shown(place)}" if place is not None and not isinstance(place, ast.Return) else ""
    for other in dict.fromkeys([*scope.arguments, *scope.variables]):
        if other not in (node.id, "seed"):  # as a length it would fill the memory
            yield Rewrite(
                node,
                ast.Name(other, ast.Load()),
                f"`{other}` stands where `{node.id}` belongs{place_words}",
                _NAMES_HINT,
                f"name {id(node)}",
            )


def everywhere(tree: ast.AST, around: Mapping[int, ast.AST]) -> Iterator[list[Rewrite]]:
    """Yield one part or argument for another at all its places, two parts exchanged, and a mask turned around."""
    parts: dict[str, list[ast.Attribute]] = {}
    for node in ast.walk(tree):
        of_self = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
        if of_self and isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            parts.setdefault(node.attr, []).append(node)
    for family in _SIBLINGS:
        own = [name for name in family if name in parts]
        for name in own:
            for other in own:
                if other != name and len(parts[name]) > 1:
                    yield [_part(node, other, name, "part everywhere") for node in parts[name]]
                if other > name:
                    both = [(node, other) for node in parts[name]] + [(node, name) for node in parts[other]]
                    words = f"`{name}` and `{other}` have changed places"
                    yield [_part(node, new, node.attr, "part exchanged", words) for node, new in both]
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            yield from _arguments_everywhere(function, around)


def _part(node: ast.Attribute, new: str, old: str, key: str, words: str = "") -> Rewrite:
    said = words or f"`{new}` is used where `{old}` belongs"
    return Rewrite(node, ast.Attribute(node.value, new, node.ctx), said, "Which part is meant for what?", key)


def _arguments_everywhere(function: ast.FunctionDef, around: Mapping[int, ast.AST]) -> Iterator[list[Rewrite]]:
    names = [one.arg for one in function.args.args if one.arg not in ("self", "seed")]
    loads: dict[str, list[ast.Name]] = {name: [] for name in names}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in loads:
            if not isinstance(around.get(id(node)), ast.Compare):
                loads[node.id].append(node)
    for name, nodes in loads.items():
        if "mask" in name and nodes:
            words = f"`{name}` is used the other way round"
            hint = "True means: may attend. What is hidden is `~mask`."
            yield [
                Rewrite(node, expression(f"None if {name} is None else ~{name}"), words, hint, "mask turned")
                for node in nodes
            ]
        for other in names:
            if other != name and len(nodes) > 1:
                words = f"`{other}` stands where `{name}` belongs"
                yield [
                    Rewrite(node, ast.Name(other, ast.Load()), words, _NAMES_HINT, f"name everywhere {name}")
                    for node in nodes
                ]


def _parts(node: ast.Attribute, scope: Scope) -> Iterator[Rewrite]:
    for family in _SIBLINGS:
        for other in family if node.attr in family else ():
            if other != node.attr and other in scope.attributes:
                new = ast.Attribute(node.value, other, node.ctx)
                if isinstance(node.ctx, ast.Load):
                    yield Rewrite(
                        node,
                        new,
                        f"`{other}` is used where `{node.attr}` belongs",
                        "Which part is meant for what?",
                        f"part {id(node)}",
                    )


def _results(node: ast.Return, scope: Scope) -> Iterator[Rewrite]:
    value = node.value
    if value is None:
        return
    hint = "Read again what comes back, and in which order."
    if isinstance(value, ast.Tuple) and len(value.elts) >= 2:
        first, second = value.elts[0], value.elts[1]
        turned = ast.Tuple([second, first, *value.elts[2:]], ast.Load())
        yield Rewrite(
            node,
            ast.Return(turned),
            f"the results {shown(first)} and {shown(second)} change places",
            hint,
            "order of results",
        )
        yield Rewrite(node, ast.Return(first), f"only {shown(first)} is returned", hint, "one result")
        yield Rewrite(node, ast.Return(second), f"only {shown(second)} is returned", hint, "one result")
        return
    for text, words in (
        ("abs(a)", "the sign of the result is taken away"),
        ("a.clip(0)", "negative results are cut off at 0"),
        ("-a", "the sign of the result is turned around"),
        ("a.swapaxes(-1, -2)", "the result is transposed"),
        *((f"a + {name}", f"`{name}` is added to the result") for name in scope.arguments[:1]),
    ):
        new = ast.Return(expression(text, a=value))
        yield Rewrite(
            node, new, words, "Look at the last step: what does it do to what is right already?", f"result {text}"
        )


def _branches(node: ast.IfExp | ast.If) -> Iterator[Rewrite]:
    hint = "When is which branch to be taken? Try both."
    for value in (True, False):
        new: ast.AST
        if isinstance(node, ast.IfExp):
            new = node.body if value else node.orelse
        else:
            if value and node.body and isinstance(node.body[0], ast.Raise):
                continue
            new = ast.If(ast.Constant(value), node.body, node.orelse)
        said = "as if it held" if value else "as if it did not hold"
        yield Rewrite(node, new, f"{shown(node.test)} makes no difference: it goes on {said}", hint, f"branch {value}")
    turned = ast.UnaryOp(ast.Not(), node.test)
    yield Rewrite(node.test, turned, f"{shown(node.test)} is taken the other way round", hint, "branch turned")


def _constants(node: ast.Constant, scope: Scope) -> Iterator[Rewrite]:
    around = scope.parents.get(id(node))
    value = node.value
    if not isinstance(value, (int, float)) or isinstance(value, bool) or around is None:
        return
    hint = "Compare each number with the formula."
    if isinstance(around, ast.BinOp):
        steps: tuple[float, ...] = (value + 1, value - 1) if isinstance(value, int) else ()
        for other in (*steps, value * 10, value / 10, value * 2):
            if other not in (0, value):
                yield Rewrite(
                    node,
                    ast.Constant(other),
                    f"the number is {other:g}, not {value:g}, in {shown(around)}",
                    hint,
                    f"number {id(node)}",
                )


def _roads(node: ast.BinOp | ast.Call) -> Iterator[Rewrite]:
    """`norm(x + sublayer(x))` and `x + sublayer(norm(x))` in each other's ways."""
    if isinstance(node, ast.Call) and _is_norm(node) and node.args and isinstance(node.args[0], ast.BinOp):
        total = node.args[0]
        if isinstance(total.op, ast.Add):
            a, b = total.left, total.right
            more = node.args[1:]
            for new, words in (
                (
                    ast.BinOp(a, ast.Add(), ast.Call(node.func, [b, *more], [])),
                    f"the norm is taken of {shown(b)} alone, before the sum",
                ),
                (
                    ast.BinOp(ast.Call(node.func, [a, *more], []), ast.Add(), b),
                    f"the norm is taken of {shown(a)} alone, before the sum",
                ),
            ):
                yield Rewrite(node, new, words, _ROAD, "norm of a part")
            yield from _norm_first(node, a, b, more)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and isinstance(node.right, ast.Call):
        inner = next(
            (
                part
                for part in ast.walk(node.right)
                if isinstance(part, ast.Call) and _is_norm(part) and part is not node.right
            ),
            None,
        )
        if inner is None:
            return
        source = operand(inner)
        if source is None or ast.dump(source) != ast.dump(node.left):
            return
        yield Rewrite(
            node,
            ast.BinOp(inner, ast.Add(), node.right),
            f"the residual is {shown(inner)}, not {shown(source)}",
            _ROAD,
            "normalised residual",
        )
        plain = _with(node.right, inner, source)
        after = ast.BinOp(node.left, ast.Add(), ast.Call(inner.func, [plain], []))
        yield Rewrite(
            node,
            after,
            f"the norm stands after {shown(node.right)}, inside the residual road",
            _ROAD,
            "norm after sublayer",
        )
        post = ast.Call(inner.func, [ast.BinOp(node.left, ast.Add(), plain)], [])
        yield Rewrite(
            node, post, "the norm stands after the sum, where it belongs before the sublayer", _ROAD, "post for pre"
        )
        both = ast.Call(inner.func, [node], [])
        yield Rewrite(node, both, "the norm stands before the sublayer and after the sum", _ROAD, "both norms")


def _norm_first(node: ast.Call, a: ast.expr, b: ast.expr, more: list[ast.expr]) -> Iterator[Rewrite]:
    if not isinstance(b, ast.Call) or not isinstance(a, ast.Name):
        return
    normed = ast.Call(node.func, [a, *more], [])
    inside = _with(b, None, normed, name=a.id)
    yield Rewrite(
        node,
        ast.BinOp(a, ast.Add(), inside),
        "the norm stands before the sublayer, where it belongs after the sum",
        _ROAD,
        "pre for post",
    )
    yield Rewrite(
        node,
        ast.BinOp(normed, ast.Add(), inside),
        "the norm stands before the sublayer, and the residual is normalised too",
        _ROAD,
        "pre, all",
    )
    yield Rewrite(
        node,
        ast.Call(node.func, [ast.BinOp(a, ast.Add(), inside), *more], []),
        "the norm stands before the sublayer and after the sum",
        _ROAD,
        "both norms",
    )


def _with(tree: ast.expr, old: ast.expr | None, new: ast.expr, name: str = "") -> ast.expr:
    """The tree with one node, or each load of a name among its arguments, in another form."""
    changes: dict[int, ast.AST] = {}
    for part in ast.walk(tree):
        if part is old or (old is None and isinstance(part, ast.Name) and part.id == name):
            changes[id(part)] = new
    result = rebuilt(tree, changes) if old is not None else _each(tree, changes)
    assert isinstance(result, ast.expr)
    return result


def _each(node: ast.AST, changes: dict[int, ast.AST]) -> ast.AST:
    """As `rebuilt`, without looking into what was put in."""

    class Put(ast.NodeTransformer):
        def visit_Name(self, name: ast.Name) -> ast.AST:
            return changes.get(id(name), name)

        def generic_visit(self, part: ast.AST) -> ast.AST:
            fields = {
                field: (
                    self.visit(value)
                    if isinstance(value, ast.AST)
                    else [self.visit(v) if isinstance(v, ast.AST) else v for v in value]
                    if isinstance(value, list)
                    else value
                )
                for field, value in ast.iter_fields(part)
            }
            return ast.copy_location(type(part)(**fields), part) if hasattr(part, "lineno") else type(part)(**fields)

    new = Put().visit(node)
    assert isinstance(new, ast.AST)
    return new


def _is_norm(node: ast.Call) -> bool:
    return "norm" in call_name(node)


def _steps(node: ast.FunctionDef | ast.For | ast.While | ast.If, scope: Scope) -> Iterator[Rewrite]:
    """A line that is left out, where the rest still makes sense without it."""
    known = set(scope.arguments)
    for block, index in statements(node) if isinstance(node, ast.FunctionDef) else ():
        line = block[index]
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            target = line.targets[0].id
            used = {part.id for part in ast.walk(line.value) if isinstance(part, ast.Name)}
            if target in used and (target in known or target in scope.variables):
                yield Rewrite(
                    line,
                    ast.Pass(),
                    f"the step {shown(line)} is left out",
                    "Go through the steps one by one.",
                    "step out",
                )
        elif isinstance(line, ast.Expr) and isinstance(line.value, ast.Call):
            if "super()" not in ast.unparse(line) and "append" not in ast.unparse(line):
                yield Rewrite(
                    line,
                    ast.Pass(),
                    f"the step {shown(line)} is left out",
                    "Go through the steps one by one.",
                    "step out",
                )
        elif isinstance(line, ast.AugAssign):
            yield Rewrite(
                line, ast.Pass(), f"the step {shown(line)} is left out", "Go through the steps one by one.", "step out"
            )
        elif isinstance(line, ast.If) and index + 1 < len(block) and isinstance(line.body[-1], ast.Break):
            after = block[index + 1]
            both = ast.If(ast.Constant(True), [after, line], [])
            if isinstance(after, ast.Expr):
                yield Rewrite(
                    line,
                    both,
                    f"{shown(after)} comes before the question {shown(line.test)}",
                    "What is the order of the two lines?",
                    "later end",
                )


def _loops(node: ast.For) -> Iterator[Rewrite]:
    last = node.body[-1]
    target = last.targets[0] if isinstance(last, ast.Assign) else None
    if isinstance(target, ast.Name):
        new = ast.For(node.target, node.iter, [*node.body, ast.Return(ast.Name(target.id, ast.Load()))], node.orelse)
        yield Rewrite(
            node,
            new,
            "`return` stands inside the loop: only its first round is done",
            "How far to the right does `return` stand?",
            "return in loop",
        )
    once = ast.For(node.target, expression("list(a)[:1]", a=node.iter), node.body, node.orelse)
    yield Rewrite(
        node,
        once,
        f"only the first of {shown(node.iter)} is used",
        "How often is the loop gone through?",
        "first round",
    )
    short = ast.For(node.target, expression("list(a)[:-1]", a=node.iter), node.body, node.orelse)
    yield Rewrite(
        node, short, f"the last of {shown(node.iter)} is left out", "Which is the last that counts?", "last round"
    )
