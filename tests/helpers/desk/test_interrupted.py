"""A check that is stopped says where the answer stood."""

import linecache

import pytest

from helpers import check
from helpers.desk import interrupted

CELL = """
def softmax(x, axis=-1):
    n = 0
    while True:
        n = press(n)
"""


KERNELS_OWN = """
def press(n):
    if n == 3:
        raise KeyboardInterrupt
    return n + 1
"""


def test_the_line_of_the_answer_is_told_and_no_traceback():
    file = "/tmp/ipykernel_1/1.py"
    call = "check(softmax)\n"
    # As when `print` is called: the last lines are of a module of the kernel's.
    module = "/lib/site-packages/ipykernel/iostream.py"
    names = {"check": check}
    exec(compile(KERNELS_OWN, module, "exec"), names)
    for path, text in ((file, CELL), ("/tmp/ipykernel_1/2.py", call), (module, KERNELS_OWN)):
        linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
    exec(compile(CELL, file, "exec"), names)
    with pytest.raises(interrupted.Interrupted) as stopped:
        exec(compile(call, "/tmp/ipykernel_1/2.py", "exec"), names)
    told = str(stopped.value)
    assert told.startswith("softmax: the check was stopped while your code was in line 5 of its cell, `n = press(n)`.")
    assert stopped.value._render_traceback_() == [told]
    assert isinstance(stopped.value, KeyboardInterrupt)


def test_stopped_before_any_answer_ran():
    assert "before it could say anything" in str(interrupted.told("softmax", KeyboardInterrupt()))
