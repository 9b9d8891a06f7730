"""The messages of Python, NumPy and torch, and what is said of each."""

from __future__ import annotations

from helpers.verdict import Diagnosis

from .errors import (
    AXES_HINT,
    NONE_HINT,
    SHAPES_HINT,
    TAKE_APART,
    WHOLE_HINT,
    Tell,
    arguments,
    broadcast,
    no_attribute,
    not_callable,
    operands,
    out_of_bounds,
    plain,
    product,
    thing,
    two_kinds,
    unpack,
)

# The types that an error may have, what its message holds, and what is said then; the first that fits holds.
FORMS: tuple[tuple[str, str, Tell], ...] = (
    ("TypeError", r"'([\w.]+)' object is not callable", not_callable),
    (
        "TypeError",
        r"unsupported operand type\(s\) for (\S+) '([\w.]+)' and '([\w.]+)'",
        operands,
    ),
    (
        "TypeError",
        r"'(\S+)' not supported between instances of '([\w.]+)' and '([\w.]+)'",
        operands,
    ),
    (
        "TypeError",
        r"bad operand type for unary (\S): '([\w.]+)'()",
        lambda found, error: Diagnosis(f"computes with {thing(found[2])}: `{found[1]}` of it", NONE_HINT),
    ),
    (
        r"\w+",
        r"a model of max_length \d+ cannot read \d+ ids",
        plain(
            "hands the model more ids than it can read",
            "Whatever the model says, there has to be an end: how many ids may an answer have at most?",
        ),
    ),
    (
        r"\w+",
        r"^(?:the|a) model .*(?:was given|reads)|\w+ wants .*, and was given",
        plain(
            "gives the model something else than it reads",
            "The message says what it was given and what it reads: print what you hand over, with its shape.",
        ),
    ),
    (
        "TypeError",
        r"expected (?:np\.ndarray|Tensor as element \d+ in argument \d+),? ?(?:\(got|but got) (\w+)",
        plain(
            "hands a torch function something that is no tensor", "Print `type(...)` of what stands in its brackets."
        ),
    ),
    (
        "TypeError",
        r"must be Tensor, not (?:numpy\.)?ndarray|"
        r"received an invalid combination of arguments - got \((?:numpy\.)?ndarray",
        plain(
            "hands a NumPy array to a function of torch",
            "The two libraries do not mix: this exercise's arrays are NumPy's, and `np` has what they need.",
        ),
    ),
    (
        "TypeError",
        r"must be Tensor, not (\w+)",
        plain(
            "hands a torch function something that is no tensor: `{0}`",
            "Print `type(...)` of what stands in its brackets. " + TAKE_APART,
        ),
    ),
    (
        "TypeError",
        r"'(?:numpy\.)?(?:float\d*|int\d*|bool)' object is not (?:iterable|subscriptable)|iteration over a 0-d|"
        r"len\(\) of (?:unsized object|a 0-d)|object of type '(?:numpy\.)?(?:float|int)\w*' has no len",
        plain(
            "takes a single number for a row of numbers",
            "It has one axis less than that line thinks: an index or a loop has taken the last one. Print its shape.",
        ),
    ),
    ("TypeError", r"'NoneType' object is not (?:iterable|subscriptable)", plain("takes None apart", NONE_HINT)),
    (
        "TypeError|IndexError",
        r"cannot be interpreted as an (?:integer|index)|slice indices must be integers|expected a sequence of integers|"
        r"must be (?:tuple of ints|int)[^)]*(?:float|but found element of type float)|arrays used as indices must be|"
        r"only integers, slices|only (?:integer|length-1|0-dimensional|integer scalar)|"
        r"indices must be integers or slices, not float|type must be tuple of ints,but got float|"
        r"integer argument expected, got float|indices must be either|tensors used as indices must be",
        plain("a place or a size is no whole number", WHOLE_HINT),
    ),
    (
        "TypeError",
        r"(?:list|tuple|range) indices must be integers or slices, not tuple",
        plain(
            "indexes a list as if it were an array",
            "`x[:, None]` and `x[i, j]` are for arrays: make one of it first, as with `np.array` or `np.arange`.",
        ),
    ),
    (
        "TypeError",
        r"some of the keywords were incorrect: (\w+)",
        plain(
            "gives a function of torch an argument that it does not know: `{0}`",
            "NumPy and torch name many arguments differently (`ddof=0` there is `unbiased=False` here). Look the"
            " function up with `help(...)`.",
        ),
    ),
    ("TypeError", r"([\w.]+)\(\) got an unexpected keyword argument", arguments),
    ("TypeError", r"([\w.]+)\(\) (?:missing|takes|got multiple values)", arguments),
    ("IndexError", r"index (-?\d+) is out of bounds for (?:axis|dimension) \d+ with size (\d+)", out_of_bounds),
    (
        "IndexError",
        r"The shape of the mask|boolean index did not match",
        plain(
            "indexes with a mask of another shape",
            "Indexing with a mask wants one of the array's own shape; `where` (torch: `masked_fill`) broadcasts it.",
        ),
    ),
    (
        "IndexError",
        r"index out of range in self",
        plain(
            "looks up an id that the table does not have",
            "An embedding has as many rows as its first argument says, and ids run from 0 to that number minus 1.",
        ),
    ),
    (
        "IndexError",
        r"too many indices|invalid index of a 0-dim|index \d+ is out of range for dimension|dimension specified as",
        plain("indexes more axes than the array has", AXES_HINT),
    ),
    (
        "IndexError|AxisError|RuntimeError|ValueError",
        r"axis -?\d+ is out of bounds|[Dd]imension out of range|`?axis\d?`?: axis|axis\d argument out of bounds",
        plain("names an axis that the array does not have", AXES_HINT),
    ),
    (
        "IndexError",
        r"(tuple|list) index out of range|pop from empty",
        plain(
            "asks a tuple or list for more than it has",
            "A shape has one length for each axis, and a list as many places as were put in: print it.",
        ),
    ),
    (
        "ValueError|RuntimeError",
        r"axes don't match|dimensions of repeat dims|number of dimensions in the tensor input|repeated axis",
        plain(
            "names another number of axes than the array has",
            "A `transpose` with numbers names all axes of the array, and fits that number only;"
            " `np.swapaxes(x, -1, -2)` (torch: `x.transpose(-1, -2)`) fits any.",
        ),
    ),
    ("ValueError", r"(?:not enough|too many) values to unpack|dictionary update sequence element", unpack),
    (
        "ValueError|RuntimeError",
        r"mismatch in its core dimension|not aligned|cannot be multiplied|size mismatch, got|"
        r"Expected size for first two dimensions|inconsistent tensor size, expected tensor|both arguments to matmul|"
        r"matmul: .* does not have enough dimensions",
        product,
    ),
    (
        "ValueError|RuntimeError",
        r"einstein sum|einsum|subscript|remapped shapes",
        plain(
            "the letters of `einsum` do not fit its arrays",
            "One letter for each axis, one group of letters for each array, and each letter one length: write the"
            " shapes below the letters.",
        ),
    ),
    (
        "ValueError|RuntimeError",
        r"broadcast|must match the size of tensor|must match the existing size|expand\(",
        broadcast,
    ),
    (
        "ValueError|RuntimeError",
        r"cannot reshape array|is invalid for input of size|view size is not compatible|cannot copy|"
        r"equal division|split .* expects|chunk expects",
        plain(
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
        plain("puts arrays together that do not fit", "Print the shapes of all that is put together. " + SHAPES_HINT),
    ),
    (
        "ValueError|RuntimeError",
        r"ambiguous",
        plain(
            "asks `if` of a whole array",
            "`if` wants one True or False. Say `.any()` or `.all()`, or choose entry by entry with `where`.",
        ),
    ),
    (
        "AttributeError",
        r"before Module\.__init__",
        plain(
            "`super().__init__()` is missing",
            "The first line of `__init__` has to be `super().__init__()`: before it nothing can be stored.",
        ),
    ),
    ("AttributeError", r"'([\w.]+)' object has no attribute '(\w+)'", no_attribute),
    (
        "AttributeError",
        r"module '([\w.]+)' has no attribute '(\w+)'",
        plain("`{0}` has no `{1}`", "NumPy and torch call some things differently: is it the other one's name?"),
    ),
    (
        "KeyError",
        r"^'?([^']*)'?$",
        plain("asks for the key `{0}`, which is not there", "Print the keys that there are."),
    ),
    (
        "UnboundLocalError",
        r"variable '(\w+)'",
        plain(
            "uses `{0}` before it has a value",
            "Every way to that line has to give the name a value: also where an `if` or a loop is passed by.",
        ),
    ),
    (
        "RecursionError",
        r"",
        plain(
            "calls itself without an end",
            "Does a name inside the function mean the function itself? Is there a way that makes no further call?",
        ),
    ),
    (
        "ZeroDivisionError",
        r"",
        plain("divides by zero", "Which of the arguments is 0 there, and what should come out then?"),
    ),
    (
        "RuntimeError|TypeError",
        r"same dtype|expected scalar type|same type|expected m1 and m2|result type \w+ can't be cast|"
        r"Expected tensor for argument .* scalar type|dtype of",
        two_kinds,
    ),
    (
        "TypeError|RuntimeError|_?UFuncTypeError|UFuncOutputCastingError|_UFuncOutputCastingError",
        r"Cannot cast ufunc|can't be cast to the desired output type",
        plain(
            "writes numbers with a point into an array of whole ones",
            "`x /= 2` stays in the array that is there: make a new one, `x = x / 2`.",
        ),
    ),
    (
        "RuntimeError",
        r"not implemented for '(?:Long|Int|Bool)'|only supports floating|only (?:Tensors of )?floating point|"
        r"Only floating point|Integers to negative|could not infer dtype|Input dtype must be either a floating point",
        plain(
            "computes on whole numbers what is only there for real ones",
            "Turn them over first: `.float()`, `.astype(float)`, or `dtype=float` where the array is made.",
        ),
    ),
    (
        "ValueError",
        r"Integers to negative integer powers",
        plain(
            "a whole number gets a negative exponent", "Write `10000.0`, with a point: then the result has one, too."
        ),
    ),
    (
        "TypeError|RuntimeError",
        r"invert|bitwise_not|~ \(operator|only supports boolean masks|expected condition to be a boolean|"
        r"masked_fill_? only|expected BoolTensor",
        plain(
            "numbers stand where True and False belong",
            "A mask holds True and False: a comparison makes them, and `.bool()` or `.astype(bool)` does of numbers.",
        ),
    ),
    (
        "RuntimeError",
        r"leaf Variable that requires grad|modified by an inplace operation",
        plain(
            "changes in place what a gradient is taken of",
            "Make a new tensor: `x = x + 1` makes one, `x += 1` and `x[...] = 1` do not.",
        ),
    ),
    (
        "RuntimeError",
        r"call numpy\(\) on Tensor that requires grad",
        plain(
            "leaves torch before the gradient is taken",
            "Stay with torch operations from input to output: NumPy ends the graph.",
        ),
    ),
    (
        "RuntimeError",
        r"Given normalized_shape=\[(\d+)\], expected input with shape \[\*, \d+\], but got input of size\[([\d, ]+)\]",
        plain("a norm for width {0} gets an input of shape ({1})", "Which width has what goes in at that line?"),
    ),
    (
        "RuntimeError",
        r"a Tensor with \d+ elements cannot be converted|only one element tensors",
        plain("takes a whole tensor for one number", "`.item()` and `float(...)` want one number: which axis is left?"),
    ),
    (
        "TypeError",
        r"not an? (?:Module|nn\.Module) subclass|cannot assign .* as (?:child module|parameter)",
        plain("stores in a module what is none", "Layers are `nn.Module`s, parameters `nn.Parameter`s: which is it?"),
    ),
)
