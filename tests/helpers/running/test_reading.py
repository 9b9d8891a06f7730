"""What the runner tells of an answer's source and of its errors."""

import linecache
import textwrap

import numpy as np
import pytest

from helpers.exercise import Case
from helpers.judging.agreement import alike_errors
from helpers.running import pieces, reading, runner, wire


def cell(source, name):
    text = "import numpy as np\nimport torch\nimport torch.nn as nn\n" + textwrap.dedent(source)
    file = f"<cell {abs(hash(source))}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    names = {"__name__": "__main__"}
    exec(compile(text, file, "exec"), names)
    return names[name]


def facts(source, name="f"):
    told = reading.read(cell(source, name))
    assert wire.decode(wire.encode(told)) == told, "it travels"
    return told


STUB = """
def f(x):
    '''What it does.'''
    raise NotImplementedError  # your answer goes here
"""


def test_a_stub_has_nothing_written():
    told = facts(STUB)
    assert told["open"] and not told["written"] and not told["left"]


def test_a_line_left_in_written_code_is_found_with_its_number():
    told = facts("def f(x):\n    y = x\n    raise NotImplementedError\n    return y\n")
    assert told["left"] == [(6, "raise NotImplementedError")] and told["written"] == ["f"] and not told["open"]


def test_a_class_stub_with_the_call_of_its_base_is_a_stub():
    source = (
        "class f(nn.Module):\n    def __init__(self):\n        super().__init__()\n        raise NotImplementedError\n"
    )
    told = facts(source)
    assert [one[0] for one in told["open"]] == ["__init__"] and not told["written"]


def test_a_method_inside_another_is_found():
    source = """
    class f(nn.Module):
        def __init__(self):
            super().__init__()
            def forward(self, x):
                return x
    """
    assert facts(source)["nested"] == [("forward", "__init__", 8)]


def test_the_pieces_that_an_answer_uses_are_found_by_way_of_its_helpers():
    source = "def softmax(x):\n    return x\ndef help(x):\n    return softmax(x)\ndef f(x):\n    return help(x)\n"
    assert facts(source)["uses"] == ["help", "softmax"]
    assert list(pieces.own_pieces(cell(source, "f"), ["softmax", "other"])) == ["softmax"]


def test_another_piece_stands_in_for_the_run_and_no_longer():
    answer = cell("def softmax(x):\n    return x\ndef f(x):\n    return softmax(x)\n", "f")
    (with_other,) = pieces.run(answer, [Case("values", (np.ones(2),))], {"softmax": lambda x: x + 1})
    (after,) = runner.run(answer, [Case("values", (np.ones(2),))])
    assert with_other["value"].tolist() == [2, 2] and after["value"].tolist() == [1, 1]


def test_input_is_refused_with_the_line_and_works_again_afterwards():
    import builtins

    before = builtins.input
    (answer,) = runner.run(cell("def f(x):\n    return float(input('x? '))\n", "f"), [Case("values", (1.0,))])
    assert "input()" in answer["error"]["message"] and answer["error"]["line"] == "return float(input('x? '))"
    assert builtins.input is before


def error(source, *arguments):
    (answer,) = runner.run(cell(source, "f"), [Case("values", arguments)])
    return answer["error"]


A, B = np.ones((3, 4)), np.ones((5, 4))


@pytest.mark.parametrize(
    ("line", "operation"),
    [
        ("a @ b", "matmul (3, 4) (5, 4)"),
        ("np.matmul(a, b)", "matmul (3, 4) (5, 4)"),
        ("a @ b[:, :2]", "matmul (3, 4) (5, 2)"),
        ("a + b", "add (3, 4) (5, 4)"),
        ("a @ np.linalg.inv(b)", "inv (5, 4)"),
        ("a @ (lambda: b)()", "matmul (3, 4) ?"),
        ("a.reshape(5, 5)", "reshape (3, 4) int int"),
        ("a[9]", "index (3, 4) int"),
    ],
)
def test_the_operation_that_failed_is_told_with_its_shapes(line, operation):
    assert error(f"def f(a, b):\n    return {line}\n", A, B)["operation"] == operation


def test_errors_are_alike_by_their_operation_and_not_by_their_text():
    mine = error("def f(a, b):\n    return a @ b\n", A, B)
    same = error("def f(a, b):\n    c = np.matmul(a,\n        b)\n    return c\n", A, B)
    other = error("def f(a, b):\n    return a @ np.ones((5, 2))\n", A, B)
    assert mine["message"] == other["message"]
    assert alike_errors(mine, same) and not alike_errors(mine, other)


def test_the_functions_that_an_error_went_through_are_named():
    told = error(
        "def g(x):\n    return x[9]\n"
        "class C:\n    def m(self, x):\n        return g(x)\n"
        "def f(x):\n    return C().m(x)\n",
        A,
    )
    assert told["within"] == ["f", "C.m", "g"] and told["where"] == "g"
