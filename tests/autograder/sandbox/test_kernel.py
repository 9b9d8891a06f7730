"""The sandbox's kernel understands a cell as IPython's own does, though it does less to get there."""

import contextlib
import json

import pytest

from autograder.authoring import sample
from autograder.sandbox.outside.warm_process import WarmProcess
from helpers.judging import catalog

from .test_neighbours import Kernel, Sandbox

TRICKY = [
    "%matplotlib inline", "%%time\nx = 1", "x = %pwd", "files = !ls", "!echo hello", "print?", "?print", "x = 3 % 2",
    "ok = 1 != 2", "'what?'",
    ",print a b", ";print a b", "/print 1", "x = (1\n, 2)", "y = (6\n/ 3)", "    indented = 1\n    also = 2",
    ">>> prompt = 1\n... more = 2",
    "In [1]: a = 1", "\n\n\nlate = 1", "a = '''\n%magic\n'''", "a = '''\n/ slash\n'''", "def f(:\n", "x = 'open",
    "# only a comment", "", "   ",
    "await_ = 1", "import asyncio\nawait asyncio.sleep(0)", "async def f():\n    pass", "[x async for x in g()]",
    "async with a() as b:\n    pass",
    "text = 'await'", "a = 1; b = 2", "x = 5\\\n  + 3", "f'{1:%}'", "print('a')\n\n\n!ls",
    "@decorator\ndef f():\n    return 1 / 2", "1\n/2",
]  # fmt: skip
OF_UNITS = [cell.source for unit in catalog.units() for cell in sample.answered(unit).cells if cell.cell_type == "code"]
# Run in the kernel: what it makes of each cell, beside what IPython's own classes make of it.
COMPARE = """
import json
from IPython.core.async_helpers import _should_be_async
from IPython.core.inputtransformer2 import TransformerManager
from IPython.core.interactiveshell import InteractiveShell
shell, different = get_ipython(), []
for source in json.loads({cells!r}):
    mine = shell.input_transformer_manager
    found = shell.transform_cell(source), shell.should_run_async(source, transformed_cell=shell.transform_cell(source))
    shell.input_transformer_manager = TransformerManager()
    plain = InteractiveShell.transform_cell(shell, source)
    shell.input_transformer_manager = mine
    if found != (plain, _should_be_async(plain)):
        different.append([source, found, plain])
print(json.dumps(different))
"""


@pytest.fixture(scope="module")
def kernel():
    warm = WarmProcess.of(sample.UNIT)
    user = Sandbox(warm.folder, sealed=True)
    with contextlib.closing(Kernel(user)) as made:
        yield made
    user.close()
    warm.close()


@pytest.mark.parametrize("cells", [TRICKY, OF_UNITS], ids=["tricky", "of all units"])
def test_a_cell_is_read_as_by_ipython(kernel, cells):
    # A single line is also shown as it was understood, and what is odd in a cell is warned of.
    told = kernel.told(COMPARE.format(cells=json.dumps(cells))).splitlines()
    assert [json.loads(line) for line in told if line.startswith("[")] == [[]]


def test_a_transformer_of_the_learners_own_is_used_from_the_next_cell_on(kernel):
    kernel.told("class Mine:\n    calls = 0\n    @classmethod\n    def find(cls, tokens):\n        cls.calls += 1")
    kernel.told("manager = get_ipython().input_transformer_manager\nmanager.token_transformers.append(Mine)")
    assert kernel.told("print(Mine.calls)\nmanager.token_transformers.remove(Mine)") == "1\n"
    kernel.told(
        "get_ipython().input_transformers_post.append(lambda lines: [line.replace('GOOD', 'print(\"good\")') "
        "for line in lines])"
    )
    assert kernel.told("x = 1\nGOOD") == "good\n"


def test_a_cell_may_await_at_the_top(kernel):
    assert kernel.told("import asyncio\nawait asyncio.sleep(0)\nprint('waited')") == "waited\n"


def test_a_cell_that_awaits_too_long_is_interrupted(kernel):
    run = kernel.conversation.run_cell
    assert (
        run(
            "import asyncio\nawait asyncio.sleep(60)",
            0.5,
            5,
            lambda message: None,
            lambda: kernel.sandbox.tell(kernel.run, "interrupt"),
        )
        is None
    )
    assert kernel.told("print('goes on')") == "goes on\n"
