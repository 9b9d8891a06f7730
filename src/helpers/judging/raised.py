"""What an exception says by itself: the operation that failed, in words, and nothing about why it stands there.

Each name repeats what Python, NumPy or torch said, so it is true whatever the exercise is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from helpers.running.runner import Answer
from helpers.verdict import Diagnosis

_THINGS = {
    "ndarray": "an array",
    "numpy.ndarray": "an array",
    "Tensor": "a tensor",
    "Parameter": "a parameter",
    "NoneType": "None",
    "tuple": "a tuple",
    "list": "a list",
    "dict": "a dict",
    "str": "a string",
    "int": "a number",
    "float": "a number",
    "bool": "True or False",
    "numpy.float64": "a single number",
    "numpy.float32": "a single number",
    "numpy.int64": "a single number",
    "float64": "a single number",
    "function": "a function",
    "method": "a method",
    "type": "a class",
    "range": "a `range`",
    "generator": "a generator",
    "Linear": "a layer",
    "LayerNorm": "a layer",
}
_SHAPES_HINT = (
    "Print the shape of each array in that line, and write beside each axis what it counts: tokens, features, heads."
    " Which axis is in the wrong place?"
)
_TAKE_APART = "A function with several results gives a tuple: take it apart, `output, weights = ...`, or use its `[0]`."
_NONE_HINT = (
    "May that argument be None? Then ask `if x is None` first. Or does a function of yours lack its `return`?"
)
_WHOLE_HINT = "`/` always gives a number with a point, `//` a whole one: sizes and places are whole numbers."
_AXES_HINT = "Print the shape in the line before, and count its axes; -1 and -2 fit whatever number comes first."


def diagnose(name: str, answer: Answer) -> Diagnosis | None:
    """Return what the exception of an answer says, or None where its text is of no known form.

    Args:
        name: of the exercise.
        answer: to the first case that failed.
    """
    if answer["status"] != "raised":
        return None
    error = answer["error"]
    if error["own"]:
        return _of_parameters(error["message"])
    for kinds, pattern, tell in _FORMS:
        found = re.search(pattern, error["message"])
        if found is not None and re.fullmatch(kinds, error["type"]):
            return tell(found, error)
    if error["operation"] in ("raise", "assert") or error["type"] == "AssertionError":
        return _own_refusal(name, error)
    return None


Error = Mapping[str, Any]
Tell = Callable[[re.Match[str], Error], Diagnosis | None]


def _thing(kind: str) -> str:
    return _THINGS.get(kind, _THINGS.get(kind.rpartition(".")[2], f"an object of type `{kind}`"))


def _plain(name: str, hint: str) -> Tell:
    """A name into which the parts of the message are put."""
    return lambda found, error: Diagnosis(name.format(*found.groups()), hint)


def _not_callable(found: re.Match[str], error: Error) -> Diagnosis:
    return Diagnosis(
        f"calls {_thing(found[1])} as if it were a function",
        "Round brackets behind a name call it. Square brackets take an entry, a product needs its `*`, and what is a"
        " result already is not called again.",
    )


def _operands(found: re.Match[str], error: Error) -> Diagnosis:
    a, b = found[2], found[3]
    strange = next((kind for kind in (a, b) if kind in ("NoneType", "tuple", "list", "str", "function", "method")), a)
    hint = {"NoneType": _NONE_HINT, "tuple": _TAKE_APART}.get(
        strange, "Print `type(...)` of both sides of that line: which is not what you think?"
    )
    return Diagnosis(f"computes with {_thing(strange)}: `{found[1].rstrip(':')}` has {_thing(a)} and {_thing(b)}", hint)


def _shapes_of(error: Error) -> str:
    """The shapes that an operation failed on: " (2, 3) and (4, 3)", or nothing where they were not seen."""
    parts = re.findall(r"\([\d, ]*\)", error["operation"])
    seen = len(parts) == 2 and "?" not in error["operation"]
    return f": {parts[0]} and {parts[1]}" if seen else ""


def _product(found: re.Match[str], error: Error) -> Diagnosis:
    return Diagnosis(
        f"the shapes of a product do not fit{_shapes_of(error)}",
        "The last axis of the left factor and the last but one of the right are summed over, so they have to be as long"
        " as each other. " + _SHAPES_HINT,
    )


def _broadcast(found: re.Match[str], error: Error) -> Diagnosis:
    return Diagnosis(
        f"two arrays meet whose shapes do not fit{_shapes_of(error)}",
        "Axes are lined up from the last one; two lengths have to be equal, or one of them 1. " + _SHAPES_HINT,
    )


def _no_attribute(found: re.Match[str], error: Error) -> Diagnosis:
    owner, part = found[1], found[2]
    kind = owner.rpartition(".")[2]
    if kind == "NoneType":
        return Diagnosis(f"takes None for an object: it has no `{part}`", _NONE_HINT)
    if kind in ("ndarray", "Tensor"):
        other = "a torch tensor's" if kind == "ndarray" else "a NumPy array's"
        known = part in (_OF_TENSORS if kind == "ndarray" else _OF_ARRAYS)
        what = f"`{part}` is {other}, and this is {_thing(owner)}" if known else f"{_thing(owner)} has no `{part}`"
        return Diagnosis(what, "Print `type(x)` in the line before, and look for what that type calls it.")
    if kind in ("tuple", "list"):
        return Diagnosis(f"takes {_thing(kind)} for an array: it has no `{part}`", _TAKE_APART)
    return Diagnosis(
        f"`{kind}` has no `{part}`",
        "Is it spelt as where it was made? What an object is to keep, `__init__` stores: `self.name = ...`.",
    )


_OF_TENSORS = frozenset(
    "unsqueeze view permute masked_fill softmax float long bool size dim numpy detach item contiguous expand"
    " unsqueeze_ exp sqrt pow abs log softmax masked_fill_ matmul bmm mT unfold flip norm tanh numel clone".split()
)
_OF_ARRAYS = frozenset("astype copy tolist fill dot shape ndim swapaxes_ ravel_multi_index itemsize nbytes".split())


def _out_of_bounds(found: re.Match[str], error: Error) -> Diagnosis:
    return Diagnosis(
        f"an index runs past the end: {found[1]}, where the length is {found[2]}",
        "Places run from 0 to the length minus 1. Which axis does the loop count, and which one is indexed?",
    )


def _unpack(found: re.Match[str], error: Error) -> Diagnosis:
    if "shape" in error["line"] or "size()" in error["line"]:
        return Diagnosis(
            "takes a shape apart into a fixed number of axes",
            "A shape has one length for each axis, and there may be more or fewer in front: take what you need from the"
            " end, as in `n, d = x.shape[-2:]`.",
        )
    return Diagnosis(
        "takes apart another number of things than there are",
        "Print what stands on the right of `=`: how many parts has it? For an array that is its first axis.",
    )


def _arguments(found: re.Match[str], error: Error) -> Diagnosis:
    called = found[1].rpartition(".")[2] if found[1].endswith("__init__") is False else found[1]
    return Diagnosis(
        f"`{called}` is called with other arguments than it takes",
        "Count the arguments in the call, and those behind `def`. Inside a class the first one is `self`; a method of"
        " an array has the array before its point.",
    )


def _two_kinds(found: re.Match[str], error: Error) -> Diagnosis:
    return Diagnosis(
        "two kinds of numbers meet in one operation",
        "Print `x.dtype` of each. What you make yourself takes the type of what comes in: `dtype=x.dtype`.",
    )


def _own_refusal(name: str, error: Error) -> Diagnosis | None:
    mine = error["within"] and error["within"][-1].partition(".")[0] == name
    if not mine:
        return None
    return Diagnosis(
        "refuses arguments that are in order",
        "Your own line ends the call here, and these arguments are fine. What does its condition say of them?",
    )


def _of_parameters(message: str) -> Diagnosis | None:
    if "the parameters of your" not in message:
        return None
    return Diagnosis(
        "the parameters are not those that the exercise names",
        "Parameters are found under the names that `__init__` stores them by, `self.name = nn.Linear(...)`; in a plain"
        " list they are not found. Compare names and shapes with those of the exercise.",
    )


_FORMS: tuple[tuple[str, str, Tell], ...] = (
    ("TypeError", r"'([\w.]+)' object is not callable", _not_callable),
    (
        "TypeError",
        r"unsupported operand type\(s\) for (\S+) '([\w.]+)' and '([\w.]+)'",
        _operands,
    ),
    (
        "TypeError",
        r"'(\S+)' not supported between instances of '([\w.]+)' and '([\w.]+)'",
        _operands,
    ),
    (
        "TypeError",
        r"bad operand type for unary (\S): '([\w.]+)'()",
        lambda found, error: Diagnosis(f"computes with {_thing(found[2])}: `{found[1]}` of it", _NONE_HINT),
    ),
    (
        r"\w+",
        r"^(?:the|a|this) model .*(?:was given|reads|cannot read)|wants a list of ids, and was given|`?\w+`? wants .*was given",
        _plain(
            "gives the model something else than it reads",
            "The message says what it was given and what it reads: print what you hand over, with its shape.",
        ),
    ),
    (
        "TypeError",
        r"expected (?:np\.ndarray|Tensor as element \d+ in argument \d+) ?\(got (\w+)\)|but got (\w+)",
        _plain("hands a torch function something that is no tensor", "Print `type(...)` of what stands in its brackets."),
    ),
    (
        "TypeError",
        r"must be Tensor, not (?:numpy\.)?ndarray|received an invalid combination of arguments - got \((?:numpy\.)?ndarray",
        _plain(
            "hands a NumPy array to a function of torch",
            "The two libraries do not mix: this exercise's arrays are NumPy's, and `np` has what they need.",
        ),
    ),
    (
        "TypeError",
        r"must be Tensor, not (\w+)",
        _plain(
            "hands a torch function something that is no tensor: `{0}`",
            "Print `type(...)` of what stands in its brackets. " + _TAKE_APART,
        ),
    ),
    (
        "TypeError",
        r"'(?:numpy\.)?(?:float\d*|int\d*|bool)' object is not (?:iterable|subscriptable)|iteration over a 0-d|"
        r"len\(\) of (?:unsized object|a 0-d)|object of type '(?:numpy\.)?(?:float|int)\w*' has no len",
        _plain(
            "takes a single number for a row of numbers",
            "It has one axis less than that line thinks: an index or a loop has taken the last one. Print its shape.",
        ),
    ),
    ("TypeError", r"'NoneType' object is not (?:iterable|subscriptable)", _plain("takes None apart", _NONE_HINT)),
    (
        "TypeError|IndexError",
        r"cannot be interpreted as an (?:integer|index)|slice indices must be integers|expected a sequence of integers|"
        r"must be (?:tuple of ints|int)[^)]*(?:float|but found element of type float)|arrays used as indices must be|"
        r"only integers, slices|only (?:integer|length-1|0-dimensional|integer scalar)|"
        r"list indices must be integers|type must be tuple of ints,but got float|integer argument expected, got float|"
        r"indices must be either|tensors used as indices must be",
        _plain("a place or a size is no whole number", _WHOLE_HINT),
    ),
    (
        "TypeError",
        r"(?:list|tuple|range) indices must be integers or slices, not tuple",
        _plain(
            "indexes a list as if it were an array",
            "`x[:, None]` and `x[i, j]` are for arrays: make one of it first, as with `np.array` or `np.arange`.",
        ),
    ),
    ("TypeError", r"([\w.]+)\(\) got an unexpected keyword argument", _arguments),
    ("TypeError", r"([\w.]+)\(\) (?:missing|takes|got multiple values)", _arguments),
    ("IndexError", r"index (-?\d+) is out of bounds for (?:axis|dimension) \d+ with size (\d+)", _out_of_bounds),
    (
        "IndexError",
        r"index out of range in self",
        _plain(
            "looks up an id that the table does not have",
            "An embedding has as many rows as its first argument says, and ids run from 0 to that number minus 1.",
        ),
    ),
    (
        "IndexError",
        r"too many indices|invalid index of a 0-dim|index \d+ is out of range for dimension|dimension specified as",
        _plain("indexes more axes than the array has", _AXES_HINT),
    ),
    (
        "IndexError|AxisError|RuntimeError|ValueError",
        r"axis -?\d+ is out of bounds|[Dd]imension out of range|`?axis\d?`?: axis|axis\d argument out of bounds",
        _plain("names an axis that the array does not have", _AXES_HINT),
    ),
    (
        "IndexError",
        r"(tuple|list) index out of range|pop from empty",
        _plain(
            "asks a tuple or list for more than it has",
            "A shape has one length for each axis, and a list as many places as were put in: print it in the line before.",
        ),
    ),
    (
        "ValueError|RuntimeError",
        r"axes don't match|number of dimensions in the tensor input does not match|repeated axis|permute\(sparse_coo\)",
        _plain(
            "names another number of axes than the array has",
            "A `transpose` with numbers names all axes of the array, and fits that number only; `np.swapaxes(x, -1, -2)`"
            " (torch: `x.transpose(-1, -2)`) fits any.",
        ),
    ),
    ("ValueError", r"(?:not enough|too many) values to unpack", _unpack),
    (
        "ValueError|RuntimeError",
        r"mismatch in its core dimension|not aligned|cannot be multiplied|size mismatch, got|"
        r"Expected size for first two dimensions|inconsistent tensor size, expected tensor|both arguments to matmul|"
        r"matmul: .* does not have enough dimensions",
        _product,
    ),
    (
        "ValueError|RuntimeError",
        r"einstein sum|einsum\(\)|einsum|subscript",
        _plain(
            "the letters of `einsum` do not fit its arrays",
            "One letter for each axis, one group of letters for each array, and each letter one length: write the"
            " shapes below the letters.",
        ),
    ),
    (
        "ValueError|RuntimeError",
        r"broadcast|must match the size of tensor|must match the existing size|expand\(",
        _broadcast,
    ),
    (
        "ValueError|RuntimeError",
        r"cannot reshape array|is invalid for input of size|view size is not compatible|cannot copy|"
        r"equal division|split .* expects|chunk expects",
        _plain(
            "cuts an array into a shape that its numbers do not fill",
            "A new shape has as many entries as the old one. Multiply the lengths of both: which of them is another"
            " than you thought?",
        ),
    ),
    (
        "ValueError|RuntimeError",
        r"all the input array dimensions|must have (?:the )?same (?:shape|number of dim)|Sizes of tensors must match|"
        r"stack expects each tensor|inhomogeneous|setting an array element with a sequence|must be at least one-dim|"
        r"zero-dimensional (?:arrays|tensor)|need at least one array",
        _plain("puts arrays together that do not fit", "Print the shapes of all that is put together. " + _SHAPES_HINT),
    ),
    (
        "ValueError|RuntimeError",
        r"ambiguous",
        _plain(
            "asks `if` of a whole array",
            "`if` wants one True or False. Say `.any()` or `.all()`, or choose entry by entry with `where`.",
        ),
    ),
    (
        "AttributeError",
        r"before Module\.__init__",
        _plain(
            "`super().__init__()` is missing",
            "The first line of `__init__` has to be `super().__init__()`: before it, nothing can be stored in a module.",
        ),
    ),
    ("AttributeError", r"'([\w.]+)' object has no attribute '(\w+)'", _no_attribute),
    (
        "AttributeError",
        r"module '([\w.]+)' has no attribute '(\w+)'",
        _plain("`{0}` has no `{1}`", "NumPy and torch call some things differently: is it the other one's name?"),
    ),
    ("KeyError", r"^'?([^']*)'?$", _plain("asks for the key `{0}`, which is not there", "Print the keys that there are.")),
    (
        "UnboundLocalError",
        r"variable '(\w+)'",
        _plain(
            "uses `{0}` before it has a value",
            "Every way to that line has to give the name a value: also the one on which an `if` or a loop is passed by.",
        ),
    ),
    (
        "RecursionError",
        r"",
        _plain(
            "calls itself without an end",
            "Does a name inside the function mean the function itself? Is there a way that makes no further call?",
        ),
    ),
    (
        "ZeroDivisionError",
        r"",
        _plain("divides by zero", "Which of the arguments is 0 there, and what should come out then?"),
    ),
    (
        "RuntimeError|TypeError",
        r"same dtype|expected scalar type|same type|expected m1 and m2|result type \w+ can't be cast|"
        r"Expected tensor for argument .* scalar type|dtype of",
        _two_kinds,
    ),
    (
        "TypeError|RuntimeError|_?UFuncTypeError|UFuncOutputCastingError|_UFuncOutputCastingError",
        r"Cannot cast ufunc|can't be cast to the desired output type",
        _plain(
            "writes numbers with a point into an array of whole ones",
            "`x /= 2` stays in the array that is there: make a new one, `x = x / 2`.",
        ),
    ),
    (
        "RuntimeError|NotImplementedError",
        r"not implemented for '(?:Long|Int|Bool)'|only supports floating|only (?:Tensors of )?floating point|"
        r"Only floating point|Integers to negative|could not infer dtype|Input dtype must be either a floating point",
        _plain(
            "computes on whole numbers what is only there for real ones",
            "Turn them over first: `.float()`, `.astype(float)`, or `dtype=float` where the array is made.",
        ),
    ),
    (
        "ValueError",
        r"Integers to negative integer powers",
        _plain("a whole number gets a negative exponent", "Write `10000.0`, with a point: then the result has one, too."),
    ),
    (
        "TypeError|RuntimeError",
        r"invert|bitwise_not|~ \(operator|only supports boolean masks|expected condition to be a boolean|"
        r"masked_fill_? only|expected BoolTensor",
        _plain(
            "numbers stand where True and False belong",
            "A mask holds True and False: a comparison makes them, and `.bool()` or `.astype(bool)` turns numbers over.",
        ),
    ),
    (
        "RuntimeError",
        r"leaf Variable that requires grad|modified by an inplace operation",
        _plain(
            "changes in place what a gradient is taken of",
            "Make a new tensor: `x = x + 1` makes one, `x += 1` and `x[...] = 1` do not.",
        ),
    ),
    (
        "RuntimeError",
        r"call numpy\(\) on Tensor that requires grad",
        _plain(
            "leaves torch before the gradient is taken",
            "Stay with torch operations from input to output: NumPy ends the graph.",
        ),
    ),
    (
        "RuntimeError",
        r"Given normalized_shape=\[(\d+)\], expected input with shape \[\*, \d+\], but got input of size\[([\d, ]+)\]",
        _plain("a norm for width {0} gets an input of shape ({1})", "Which width has what goes in at that line?"),
    ),
    ("RuntimeError", r"a Tensor with \d+ elements cannot be converted|only one element tensors",
     _plain("takes a whole tensor for one number", "`.item()` and `float(...)` want one number: which axis is left?")),
    (
        "TypeError",
        r"not an? (?:Module|nn\.Module) subclass|cannot assign .* as (?:child module|parameter)",
        _plain("stores in a module what is none", "Layers are `nn.Module`s, parameters `nn.Parameter`s: which is it?"),
    ),
)
