# ruff: noqa: E501
"""Hostile submissions of unit 1, in five kinds, each with what it must get.

An attack makes the files of one submission. Code attacks sit in the answer cell of the first exercise of an
otherwise unanswered notebook, so anything above 0 is a forged point; attacks on the notebook and on the
machine sit in a fully right one, so that what is honest must keep its points where the attack leaves it any.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import nbformat
from nbformat import NotebookNode

from autograder.authoring.sample import UNIT, answered, released

FULL = 17.0
NAME = f"{UNIT}.ipynb"
EXERCISES = (
    "similarity_matrix",
    "cosine_similarity",
    "project",
    "scores_for_query",
    "attention_scores",
    "attention_scores_columns",
)
FORGE, TAMPER, DENY, ESCAPE, SPY = (
    "forging results",
    "tampering with the notebook",
    "denial of service",
    "escape",
    "spying",
)


@dataclass(frozen=True)
class Attack:
    """One hostile submission.

    Attributes:
        name: what it tries.
        kind: one of the five kinds.
        files: the submission's files by name; a value is bytes, or a callable that is given the path to make.
        points: what it must get; a pair is a range, where killing the notebook may cost what comes later.
        told: words that the reason must have, or "" where nothing has to be said.
        cell: the hostile code, where all of it is one cell.
    """

    name: str
    kind: str
    files: dict[str, bytes | Callable]
    points: float | tuple[float, float]
    told: str = ""
    cell: str = ""


ATTACKS: list[Attack] = []


def _bytes(notebook: NotebookNode) -> bytes:
    return nbformat.writes(notebook).encode()


def code(name: str, kind: str, text: str, points: float | tuple[float, float] = 0.0, told: str = "") -> None:
    """An attack by code in an unanswered notebook."""
    ATTACKS.append(Attack(name, kind, {NAME: _bytes(answered(UNIT, {"similarity_matrix": text}))}, points, told, text))


def honest_code(name: str, kind: str, text: str, points: float | tuple[float, float] = FULL, told: str = "") -> None:
    """An attack by code in front of right answers."""
    notebook = answered(UNIT)
    at = next(i for i, cell in enumerate(notebook.cells) if cell.id == "similarity_matrix")
    notebook.cells.insert(at, nbformat.v4.new_code_cell(text.strip(), id="added"))
    ATTACKS.append(Attack(name, kind, {NAME: _bytes(notebook)}, points, told, text))


def changed(
    name: str,
    points: float,
    told: str = "",
    base: Callable[[], NotebookNode] = lambda: answered(UNIT, {"similarity_matrix": "solution"}),
) -> Callable:
    """Decorator: an attack that edits the notebook whose first exercise alone (2 points) is right."""

    def register(edit: Callable[[NotebookNode], NotebookNode | None]) -> Callable:
        notebook = base()
        notebook = edit(notebook) or notebook
        ATTACKS.append(Attack(name, TAMPER, {NAME: json.dumps(notebook).encode()}, points, told))
        return edit

    return register


def raw(name: str, data: bytes | Callable, told: str) -> None:
    """A file that is no notebook."""
    ATTACKS.append(Attack(name, TAMPER, {NAME: data}, 0.0, told))


def cell(notebook: NotebookNode, grade_id: str) -> NotebookNode:
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


ALL_NAMES = " = ".join(EXERCISES)

# --- forging results -------------------------------------------------------------------------------------

code(
    "object that equals everything",
    FORGE,
    f"""
class Yes:
    def __eq__(self, other): return True
    def __array__(self, *a, **k): return self
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
    def __bool__(self): return True
{ALL_NAMES} = lambda *a: Yes()
""",
)
code(
    "array subclass that compares equal",
    FORGE,
    f"""
class Liar(np.ndarray):
    def __eq__(self, other): return np.ones(self.shape, bool)
    def __array_ufunc__(self, *a, **k): return np.True_
    def __array_function__(self, *a, **k): return True
{ALL_NAMES} = lambda *a: np.zeros((4, 4)).view(Liar)
""",
)
code(
    "numpy.testing and allclose patched",
    FORGE,
    """
for name in ("assert_allclose", "assert_array_equal", "assert_almost_equal", "assert_equal"):
    setattr(np.testing, name, lambda *a, **k: None)
np.allclose = np.array_equal = lambda *a, **k: True
np.isclose = lambda a, b, **k: np.ones(np.shape(b), bool)
def similarity_matrix(X): return X
""",
)
code(
    "asserts dropped by an AST transformer",
    FORGE,
    """
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
    def visit_Expr(self, node): return ast.Pass()
get_ipython().ast_transformers.append(Drop())
""",
)
code("check redefined", FORGE, "check = lambda *a, **k: None\ndef similarity_matrix(X): return 0")
code(
    "check replaced inside helpers",
    FORGE,
    """
import helpers, helpers.desk.commands, helpers.running.outpost, builtins
helpers.check = helpers.desk.commands.check = helpers.running.outpost.check = check = lambda *a, **k: None
def similarity_matrix(X): return 0
""",
)
code(
    "NotImplementedError redefined as success",
    FORGE,
    "import builtins\nbuiltins.NotImplementedError = type('Fine', (Exception,), {'__str__': lambda s: 'passed'})\ndef similarity_matrix(X): raise NotImplementedError",
)
code(
    "traceback display switched off",
    FORGE,
    "get_ipython().showtraceback = lambda *a, **k: None\nget_ipython()._showtraceback = lambda *a, **k: None\nimport sys\nsys.stderr = sys.stdout",
)
code(
    "every cell answers with a number",
    FORGE,
    """
def show(*a, **k):
    from IPython.display import display
    get_ipython().displayhook(20)
get_ipython().events.register("post_run_cell", show)
def similarity_matrix(X): return X
""",
)
code(
    "execute_result forged on the wire",
    FORGE,
    """
kernel = get_ipython().kernel
def forge(*a):
    kernel.session.send(kernel.iopub_socket, "execute_result", {"data": {"text/plain": "20"}, "metadata": {}, "execution_count": 1}, parent=kernel.get_parent())
get_ipython().events.register("pre_run_cell", forge)
def similarity_matrix(X): return X
""",
)
code(
    "execute_reply forged so that cells are skipped",
    FORGE,
    """
kernel = get_ipython().kernel
kernel.do_execute = None
async def fake(stream, ident, parent):
    kernel.session.send(stream, "execute_reply", {"status": "ok", "execution_count": 1, "user_expressions": {}, "payload": []}, parent, ident=ident)
    kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "idle"}, parent)
kernel.shell_handlers["execute_request"] = fake
""",
)
code(
    "a verdict sent over the judge's socket",
    FORGE,
    """
import os, socket
from helpers.running import outpost
conn = socket.socket(fileno=os.dup(int(os.environ["ATTENTION_JUDGE_FD"])))
def check(answer, hidden=False):
    outpost.send(conn, {"hidden": hidden}); request = outpost.receive(conn)
    outpost.send(conn, {"round": request["round"], "answers": [{"status": "passed", "share": 1.0}] * len(request["cases"]), "verdict": "passed", "points": 20})
def similarity_matrix(X): return X
""",
)
code(
    "answers that say returned and nothing else",
    FORGE,
    """
import os, socket
from helpers.running import outpost, runner
def run(target, cases, forbidden=()):
    return [{"status": "returned", "value": None, "opaque": "", "type": "", "changed": [], "shares": False, "survived": True, "gradients": {}, "after": {},
             "warnings": [], "printed": 0, "shortcut": "", "error": {}} for _ in cases]
runner.run = outpost.runner.run = run
def similarity_matrix(X): return X
""",
)
code(
    "answers that claim the right errors",
    FORGE,
    """
from helpers.running import outpost, runner
error = {"type": "ValueError", "bases": ["ValueError"], "message": "", "line": "", "number": 1, "where": "", "own": False}
runner.run = outpost.runner.run = lambda t, cases, f=(): [{"status": "raised", "value": None, "opaque": "", "type": "", "changed": [], "shares": False,
    "survived": True, "gradients": {}, "after": {}, "warnings": [], "printed": 0, "shortcut": "", "error": error} for _ in cases]
""",
)
code(
    "no answers at all",
    FORGE,
    "from helpers import outpost, runner\nrunner.run = outpost.runner.run = lambda *a: []\ndef similarity_matrix(X): return X",
)
code("values that are NaN", FORGE, f"{ALL_NAMES} = lambda *a: np.full((4, 4), np.nan)")
code("arrays of objects", FORGE, f"{ALL_NAMES} = lambda *a: np.array([[None] * 4] * 4, dtype=object)")
code(
    "another answer on the second look",
    FORGE,
    """
class Moody(list):
    count = 0
    def __len__(self): Moody.count += 1; return Moody.count
    def __iter__(self): return iter([1.0] * Moody.count)
def similarity_matrix(X): return Moody([1])
""",
)
code("SystemExit from the answer", FORGE, "def similarity_matrix(X): raise SystemExit(0)")
code("KeyboardInterrupt from the answer", FORGE, "def similarity_matrix(X): raise KeyboardInterrupt")
code(
    "a thread that answers for everyone",
    FORGE,
    """
import os, socket, threading
from helpers.running import outpost
def spam():
    conn = socket.socket(fileno=os.dup(int(os.environ["ATTENTION_JUDGE_FD"])))
    while True:
        try:
            outpost.send(conn, {"hidden": True}); request = outpost.receive(conn)
            outpost.send(conn, {"round": request["round"], "answers": []})
        except Exception: pass
threading.Thread(target=spam, daemon=True).start()
def similarity_matrix(X): return X
""",
)
code(
    "visible answers learnt by heart",
    FORGE,
    """
def similarity_matrix(X):
    if X.shape in ((4, 3), (3, 3), (1, 5), (3, 2)) and X.flat[0] < 1e9:
        return X @ X.T if abs(X.flat[0]) < 0.0 else np.eye(len(X))
    return np.zeros(X.shape[:-1] + (X.shape[-2],))
""",
)
code(
    "the test cell's text rewritten from inside",
    FORGE,
    """
kernel = get_ipython().kernel
real = get_ipython().run_cell_async
def run(source, *a, **k):
    return real("pass" if "check(" in source else source, *a, **k)
get_ipython().run_cell_async = run
def similarity_matrix(X): return X
""",
)

code(
    "complex numbers where real ones are asked",
    FORGE,
    "def similarity_matrix(X): return X @ np.swapaxes(X, -1, -2) + 0j",
)
code(
    "a ready-made function by torch's operator, in a thread, with overrides off",
    FORGE,
    """
import threading, torch
def cosine_similarity(X):
    found = []
    def work():
        with torch._C.DisableTorchFunction():
            X_ = torch.from_numpy(np.asarray(X, float))
            found.append(torch.ops.aten.cosine_similarity(X_.unsqueeze(-2), X_.unsqueeze(-3), -1).numpy())
    thread = threading.Thread(target=work); thread.start(); thread.join()
    return found[0]
""",
)
code(
    "errors wherever a case gives itself away",
    FORGE,
    """
import sys
def tell():
    frame = sys._getframe()
    while frame:
        case = frame.f_locals.get("case")
        if getattr(case, "property", ""): return True
        frame = frame.f_back
    return False
def similarity_matrix(X):
    return X @ np.swapaxes(X, -1, -2) if tell() else X
""",
)
code(
    "63 MB of small parts for the judge to read",
    DENY,
    """
import os, socket
from helpers.running import outpost
def check(answer, hidden=False):
    conn = socket.socket(fileno=os.dup(int(os.environ["ATTENTION_JUDGE_FD"])))
    outpost.send(conn, {"hidden": hidden}); outpost.receive(conn)
    head = b"[" + b"[]," * 21_000_000 + b"[]]"
    conn.sendall((len(head) + 8).to_bytes(8, "big") + len(head).to_bytes(8, "big") + head)
    outpost.receive(conn)
def similarity_matrix(X): return X
""",
)


def _by_heart() -> None:
    from helpers.judging import catalog, judge

    work = judge.paper(catalog.find("similarity_matrix"), judge.VISIBLE_SEED)
    table = [(case.args[0].tolist(), answer["value"].tolist()) for case, answer in zip(work.cases, work.expected)]
    code(
        "the visible cases as a table",
        FORGE,
        f"TABLE = {table!r}\ndef similarity_matrix(X):\n    return next((np.array(s) for x, s in TABLE if np.shape(x) == X.shape), X)",
    )


_by_heart()

# --- tampering with the notebook -------------------------------------------------------------------------


@changed("test cells deleted", 2.0, "missing")
def _(nb):
    nb.cells = [c for c in nb.cells if not c.metadata.get("nbgrader", {}).get("grade_id", "").startswith("test_")]


@changed("test cell there twice, the second empty", 2.0, "twice")
def _(nb):
    double = nbformat.from_dict(json.loads(json.dumps(cell(nb, "test_cosine_similarity"))))
    double.source, double.id = "pass", "double"
    nb.cells.append(double)


@changed("test cells emptied", 2.0, "locked")
def _(nb):
    for c in nb.cells:
        if c.metadata.get("nbgrader", {}).get("grade_id", "").startswith("test_"):
            c.source = "pass"


@changed("points raised to 1000", 2.0)
def _(nb):
    for c in nb.cells:
        if "points" in c.metadata.get("nbgrader", {}):
            c.metadata.nbgrader["points"] = 1000


@changed("points that are not a number", 2.0)
def _(nb):
    for c in nb.cells:
        if "points" in c.metadata.get("nbgrader", {}):
            c.metadata.nbgrader["points"] = "many"


@changed("grade ids of two test cells swapped", 2.0)
def _(nb):
    a, b = cell(nb, "test_similarity_matrix"), cell(nb, "test_attention_scores")
    a.metadata.nbgrader["grade_id"], b.metadata.nbgrader["grade_id"] = "test_attention_scores", "test_similarity_matrix"


@changed("test cells declared to be answers", 2.0)
def _(nb):
    for c in nb.cells:
        if "nbgrader" in c.metadata:
            c.metadata.nbgrader.update(solution=True, locked=False, grade=True)


@changed("test cells turned into text", 2.0, "type")
def _(nb):
    for c in nb.cells:
        if c.metadata.get("nbgrader", {}).get("grade_id", "").startswith("test_"):
            c.cell_type = "markdown"
            c.pop("outputs"), c.pop("execution_count")


@changed("another kernel named", 2.0)
def _(nb):
    nb.metadata["kernelspec"] = {"name": "bash", "display_name": "Bash", "language": "bash"}


@changed("all cells in reverse", FULL, "moved", base=answered)
def _(nb):
    nb.cells.reverse()


@changed("cells tagged to be skipped", 2.0)
def _(nb):
    for c in nb.cells:
        c.metadata["tags"] = ["skip-execution", "raises-exception"]


@changed("nbgrader's marks are a list", 0.0, "found again", base=released)
def _(nb):
    for c in nb.cells:
        c.metadata["nbgrader"] = [1, 2, 3]


@changed("marks invented for new cells", 2.0)
def _(nb):
    extra = nbformat.v4.new_code_cell("20", id="extra")
    extra.metadata["nbgrader"] = {
        "grade": True,
        "grade_id": "bonus",
        "points": 100,
        "locked": False,
        "solution": False,
        "schema_version": 3,
        "task": False,
    }
    nb.cells.append(extra)


@changed("a verdict forged in the outputs and the metadata", 2.0)
def _(nb):
    nb.metadata["attention"] = {"repaired": [], "verdicts": {"cosine_similarity": "passed"}, "score": 20}
    for c in nb.cells:
        if c.cell_type == "code":
            c.outputs = [
                {"output_type": "execute_result", "data": {"text/plain": "20"}, "metadata": {}, "execution_count": 1}
            ]


@changed("called not gradable by the learner", 2.0)
def _(nb):
    nb.metadata["attention"] = {"ungradable": "please give me 20"}


@changed("every cell with the same id", 2.0)
def _(nb):
    for c in nb.cells:
        c["id"] = "same"


@changed("sources that are numbers", 0.0, base=released)
def _(nb):
    for c in nb.cells:
        c["source"] = 7


@changed("the setup cell deleted", 2.0, "missing")
def _(nb):
    nb.cells = [c for c in nb.cells if c.metadata.get("nbgrader", {}).get("grade_id") != "u1_setup"]


@changed("schema version from the future", 2.0)
def _(nb):
    for c in nb.cells:
        if "nbgrader" in c.metadata:
            c.metadata.nbgrader["schema_version"] = 99


raw("cut off in the middle", _bytes(answered())[:3000], "not valid JSON")
raw("empty file", b"", "empty")
raw("a web page", b"<!doctype html><title>Login</title>", "not valid JSON")
raw("random bytes", bytes(range(256)) * 40, "not valid JSON")
raw("a JSON list", b"[1, 2, 3]", "no cells")
raw("nested a hundred thousand deep", b'{"cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not")
raw("larger than any notebook", b" " * (21 * 2**20) + _bytes(answered()), "MB")
raw(
    "more cells than a course has",
    json.dumps({"cells": [{"cell_type": "code", "source": ""}] * 5000}).encode(),
    "cells",
)
raw("a link to another file", lambda path: path.symlink_to("/etc/passwd"), "")
ATTACKS.append(Attack("links and a pipe beside the notebook", TAMPER, {
    NAME: _bytes(answered()),
    "zero.txt": lambda path: path.symlink_to("/dev/zero"),
    "book.txt": lambda path: path.symlink_to("../../../gradebook.db"),
    "folder": lambda path: path.symlink_to("/"),
    "pipe": lambda path: __import__("os").mkfifo(path),
}, FULL))  # fmt: skip
ATTACKS.append(Attack("own helpers.py, numpy.py and nbgrader_config.py", TAMPER, {
    NAME: _bytes(answered(UNIT, {})),
    "helpers.py": b"def check(*a, **k): pass",
    "numpy.py": b"raise SystemExit",
    "sitecustomize.py": b"raise SystemExit",
    "nbgrader_config.py": b"c = get_config()\nc.SaveVerdicts.enabled = False\nopen('/tmp/pwned', 'w')",
}, 0.0))  # fmt: skip

# --- denial of service -----------------------------------------------------------------------------------

LAST_FIVE = FULL - 2

honest_code("an endless loop", DENY, "while True: pass")
code("an endless loop in an answer", DENY, "def similarity_matrix(X):\n    while True: pass")
honest_code(
    "a loop that swallows interrupts",
    DENY,
    "import time\nend = time.time() + 10**6\nwhile time.time() < end:\n    try:\n        while True: pass\n    except BaseException: pass",
    (0.0, FULL),
)
honest_code("a loop that holds the interpreter", DENY, "x = 10 ** 10 ** 9", (0.0, FULL))
honest_code("a flood of prints", DENY, "while True: print('x' * 10000)", (0.0, FULL), "a cell")
honest_code(
    "a flood of pictures",
    DENY,
    "from IPython.display import display\nwhile True: display({'text/html': 'x' * 100000}, raw=True)",
    (0.0, FULL),
    "wrote more than",
)
honest_code("one message of 50 MB", DENY, "print('x' * 50_000_000)", (0.0, FULL))
honest_code("all the memory", DENY, "hoard = []\nwhile True: hoard.append(bytearray(50_000_000))")
honest_code("all the memory at once", DENY, "np.ones((10**6, 10**6))")
honest_code(
    "memory in shared files",
    DENY,
    "import os\nfor i in range(200):\n    with open(f'/dev/shm/{i}', 'wb') as f: f.write(bytes(10_000_000))",
    FULL,
)
honest_code("a fork bomb", DENY, "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", (0.0, FULL))
code(
    "memory in files without a name",
    DENY,
    "import os, time\nheld = [os.memfd_create(str(i)) for i in range(40)]\nfor one in held: os.write(one, bytes(50_000_000))\ntime.sleep(60)",
)
code(
    "memory shared with nobody",
    DENY,
    "import mmap, time\nheld = [mmap.mmap(-1, 50_000_000) for i in range(40)]\nfor one in held: one.write(bytes(50_000_000))\ntime.sleep(60)",
)
code(
    "fifty loops beside the notebook",
    DENY,
    "import subprocess\nsubprocess.Popen(['sh', '-c', 'i=0; while [ $i -lt 50 ]; do i=$((i+1)); setsid sh -c \"while :; do :; done\" & done'])",
)
code(
    "many large files to bring back",
    DENY,
    "for i in range(6):\n    with open(f'{i}.bin', 'wb') as file: file.write(bytes(7_000_000))",
)
honest_code(
    "a thread bomb",
    DENY,
    "import threading, time\nfor _ in range(5000): threading.Thread(target=time.sleep, args=(100,), daemon=True).start()",
    (0.0, FULL),
)
honest_code(
    "a full disk",
    DENY,
    "import os\nfor i in range(1000):\n    with open(f'{i}.bin', 'wb') as f: f.write(bytes(10_000_000))",
)
honest_code("a million small files", DENY, "for i in range(10**6): open(f'f{i}', 'w').close()")
honest_code("every file descriptor", DENY, "files = [open('/dev/null') for _ in range(10**5)]", (0.0, FULL))
honest_code("exit", DENY, "import os\nos._exit(0)", 0.0, "ended")
honest_code(
    "killing itself and everyone",
    DENY,
    "import os, signal\nos.kill(-1, signal.SIGKILL)\nos.kill(os.getpid(), signal.SIGKILL)\nos.kill(os.getppid(), signal.SIGKILL)",
    (0.0, FULL),
)
honest_code("a crash in native code", DENY, "import ctypes\nctypes.string_at(0)", 0.0, "ended")
honest_code("stopping itself", DENY, "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", (0.0, FULL))
honest_code("asking for input", DENY, "name = input('your name? ')")
honest_code("asking for a password", DENY, "import getpass\ngetpass.getpass()")
honest_code(
    "hanging at exit",
    DENY,
    "import atexit, time, threading\natexit.register(time.sleep, 1000)\nthreading.Thread(target=time.sleep, args=(1000,)).start()",
)
honest_code(
    "endless recursion", DENY, "import sys\nsys.setrecursionlimit(10**9)\ndef f(): return f()\nf()", (0.0, FULL)
)
honest_code("all descriptors closed", DENY, "import os\nos.closerange(3, 1000)", 0.0)
honest_code(
    "garbage on the judge's socket",
    DENY,
    "import os, socket\nsocket.socket(fileno=os.dup(int(os.environ['ATTENTION_JUDGE_FD']))).sendall(b'\\xff' * 100)",
    0.0,
)
honest_code(
    "a message to the judge that never ends",
    DENY,
    "import os, socket\nsocket.socket(fileno=os.dup(int(os.environ['ATTENTION_JUDGE_FD']))).sendall((10**6).to_bytes(8, 'big') + b'x')",
    0.0,
)
code("an answer of a million lists", DENY, "def similarity_matrix(X): return [[i] for i in range(10**6)]")
code("an answer of two gigabytes", DENY, "def similarity_matrix(X): return np.zeros((16000, 16000))")
code("an answer that contains itself", DENY, "def similarity_matrix(X):\n    a = []; a.append(a); return a")
code("an answer of one broadcast number", DENY, "def similarity_matrix(X): return np.broadcast_to(1.0, (10**9, 10**9))")
honest_code("widgets without end", DENY, "import ipywidgets\nfor i in range(3000): ipywidgets.IntSlider()", (0.0, FULL))

# --- escape ----------------------------------------------------------------------------------------------

honest_code(
    "a connection to the network",
    ESCAPE,
    "import socket\nfor host in ('127.0.0.1', '10.0.0.1', '8.8.8.8'):\n    try: socket.create_connection((host, 80), timeout=0.3); raise SystemError('ESCAPED')\n    except OSError: pass",
)
honest_code(
    "a process that outlives the notebook",
    ESCAPE,
    """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for fd in range(0, 256):
            try: os.close(fd)
            except OSError: pass
        while True:
            for place in ('/scratch', '/tmp', '/dev/shm', '/pool', '/var/tmp', '.'):
                try: open(place + '/ESCAPED', 'w').write('x')
                except OSError: pass
            time.sleep(0.05)
    os._exit(0)
""",
)
honest_code(
    "writing into the Python environment",
    ESCAPE,
    """
import sys, os
for path in [*sys.path, sys.prefix, '/lib-course/helpers', '/usr/lib', '/', '/etc', '/pool', '/var/tmp']:
    try:
        with open(os.path.join(path, 'ESCAPED.py'), 'w') as f: f.write('x')
    except OSError: continue
    if path not in ('', '/tmp', '/scratch'): raise SystemError('ESCAPED to ' + path)
""",
)
honest_code(
    "undoing the mounts",
    ESCAPE,
    """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
libc.unshare(0x10000000 | 0x20000)
for path in (b'/pool', b'/scratch', b'/tmp', b'/proc', b'/'):
    libc.umount2(path, 2)
libc.mount(b'none', b'/', None, 1 << 5, None)
if os.path.isdir('/pool') and os.listdir('/pool'): raise SystemError('ESCAPED')
""",
)
honest_code(
    "system calls that lead out",
    ESCAPE,
    """
import ctypes, os, platform, socket
libc = ctypes.CDLL(None, use_errno=True)
if platform.machine() == "x86_64":
    for call in ((272, 0x10000000), (425, 1, 0), (323, 0), (321, 0, 0, 0), (298, 0, 0, -1, -1, 0), (250, 0, -3, 1), (56, 0x10000011, 0, 0, 0, 0), (435, 0, 0), (317, 1, 0, 0), (428, -100, b"/", 1)):
        if libc.syscall(*call) != -1: raise SystemError(f"ESCAPED {call}")
        if ctypes.get_errno() not in (1, 38): raise SystemError(f"ESCAPED {call} {ctypes.get_errno()}")
    for family in (17, 40):
        try: socket.socket(family, socket.SOCK_DGRAM); raise SystemError(f"ESCAPED {family}")
        except OSError: pass
""",
)
honest_code(
    "words for the next kernel in an open file's place",
    ESCAPE,
    """
import os
for fd in range(256):
    try:
        if os.path.realpath(f"/proc/self/fd/{fd}").endswith("errors.txt"): raise SystemError("ESCAPED to the warm process's file")
    except OSError: pass
""",
)
honest_code(
    "orders to the warm process",
    ESCAPE,
    """
import os, socket, json
for fd in range(3, 256):
    try: double = os.dup(fd)
    except OSError: continue
    try:
        s = socket.socket(fileno=double)
        if s.type == socket.SOCK_SEQPACKET: s.send(json.dumps({"do": "kill", "run": "x"}).encode()); raise SystemError('ESCAPED')
        s.detach()
    except OSError: pass
    os.close(double)
""",
)
honest_code(
    "memory and files of other processes",
    ESCAPE,
    """
import os
for pid in [p for p in os.listdir('/proc') if p.isdigit() and os.path.realpath('/proc/self') != '/proc/' + p]:
    for name in ('mem', 'environ', 'root/etc/shadow', 'cwd', 'fd', 'maps'):
        try:
            path = f'/proc/{pid}/{name}'
            os.listdir(path) if name in ('cwd', 'fd') else open(path, 'rb').read(10)
        except (OSError, PermissionError): continue
        if open(f'/proc/{pid}/status').read().split('NSpid:')[1].split()[1:2] == []: raise SystemError('ESCAPED ' + path)
""",
)
honest_code(
    "attaching to other processes",
    ESCAPE,
    """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
own = {os.path.realpath('/proc/self').rpartition('/')[2]}
for pid in range(1, 200):
    if libc.ptrace(16, pid, 0, 0) == 0 and str(pid) not in own and pid != os.getpid(): raise SystemError('ESCAPED')
""",
)
honest_code(
    "becoming root",
    ESCAPE,
    "import os\nfor f in (os.setuid, os.setgid):\n    try: f(0); raise SystemError('ESCAPED')\n    except OSError: pass",
)
honest_code(
    "a root shell by su and sudo",
    ESCAPE,
    "import subprocess\nfor c in (['su', '-c', 'id'], ['sudo', '-n', 'id'], ['mount', '-t', 'tmpfs', 'x', '/etc']):\n    try:\n        if subprocess.run(c, capture_output=True, timeout=2).returncode == 0: raise SystemError('ESCAPED')\n    except (OSError, subprocess.TimeoutExpired): pass",
)
honest_code(
    "the gradebook rewritten",
    ESCAPE,
    """
import os, sqlite3
for root in ('/', '..', '../..', '/pool', '/root', '/home', '/tmp', '/work'):
    for folder, _, files in os.walk(root):
        if folder.count('/') > 6 or folder.startswith(('/proc', '/usr', '/sys')): continue
        if 'gradebook.db' in files: raise SystemError('ESCAPED')
""",
)
code(
    "poison for the next learner",
    ESCAPE,
    """
import os, sys, numpy, helpers.running.runner, builtins
os.environ["POISON"] = "1"
builtins.POISON = numpy.POISON = 1
for place in ("/tmp/POISON", "/dev/shm/POISON", "POISON.py", os.path.expanduser("~/.ipython/profile_default/startup/00.py")):
    try:
        os.makedirs(os.path.dirname(place) or ".", exist_ok=True); open(place, "w").write("raise SystemExit")
    except OSError: pass
numpy.matmul = helpers.running.runner.run = lambda *a, **k: 1 / 0
""",
)

# --- spying ----------------------------------------------------------------------------------------------

FIND = """
import os, sys
def seek(words, roots=("/",)):
    for root in roots:
        for folder, folders, files in os.walk(root):
            if folder.startswith(("/proc", "/sys", "/dev")): folders[:] = []; continue
            for name in files:
                if any(word in name for word in words): yield os.path.join(folder, name)
"""
code(
    "the reference imported",
    SPY,
    "from helpers.reference.u1_dot_products import *\nfrom helpers.reference import u1_dot_products",
)
code(
    "the exercises imported",
    SPY,
    "from helpers.exercises.u1_dot_products.similarity_matrix import EXERCISE\nsimilarity_matrix = EXERCISE.reference",
)
code(
    "the judge imported",
    SPY,
    "from helpers import judge, catalog, compare\nsimilarity_matrix = catalog.find('similarity_matrix').reference",
)
code(
    "the reference found on disk",
    SPY,
    FIND
    + """
for path in seek(["u1_dot_products"]):
    if path.endswith(".py") and "plots" not in path: exec(open(path).read())
""",
)
code(
    "the reference found as bytecode",
    SPY,
    FIND
    + """
import marshal
for path in seek(["u1_dot_products"]):
    if path.endswith(".pyc"): exec(marshal.loads(open(path, "rb").read()[16:]))
""",
)
code(
    "solutions found by their marks",
    SPY,
    """
import os, subprocess
out = subprocess.run(["grep", "-rlE", "--include=*.py", "--include=*.ipynb", "BEGIN " + "SOLUTION", "/lib-course", "/scratch", "/pool", "/work", "/root", "/home", "/tmp"], capture_output=True, text=True, timeout=3).stdout
for path in out.split():
    if "site-packages" not in path: exec(open(path).read())
""",
)
code(
    "the class's secret",
    SPY,
    FIND
    + "\nfound = list(seek(['secret'], ('/pool', '/scratch', '/tmp', '/work', '/root', '/home')))\nif any('.attention' in f for f in found): similarity_matrix = lambda X: X @ np.swapaxes(X, -1, -2)",
)
code(
    "other submissions",
    SPY,
    "import os\nif os.listdir('/pool') or os.path.exists('../submitted'): similarity_matrix = lambda X: X @ np.swapaxes(X, -1, -2)",
)
code(
    "expected values found in memory",
    SPY,
    """
import gc
def similarity_matrix(X):
    for item in gc.get_objects():
        if isinstance(item, np.ndarray) and item.shape == X.shape[:-1] + (X.shape[-2],): return item.copy()
    return X
""",
)
code(
    "expected values found in the frames",
    SPY,
    """
import sys
def similarity_matrix(X):
    frame = sys._getframe()
    while frame:
        for value in frame.f_locals.values():
            if isinstance(value, dict) and "expected" in value: return value["expected"]
        frame = frame.f_back
    return X
""",
)
code(
    "environment and command lines searched",
    SPY,
    """
import os
for pid in filter(str.isdigit, os.listdir('/proc')):
    for name in ('environ', 'cmdline'):
        try: text = open(f'/proc/{pid}/{name}').read()
        except OSError: continue
        if 'secret' in text or 'gradebook' in text or 'submitted' in text: similarity_matrix = lambda X: X @ np.swapaxes(X, -1, -2)
""",
)
code(
    "cases asked for before their cell",
    SPY,
    """
import os, socket
from helpers.running import outpost
conn = socket.socket(fileno=os.dup(int(os.environ["ATTENTION_JUDGE_FD"])))
for hidden in (False, True):
    outpost.send(conn, {"hidden": hidden})
    if outpost.receive(conn)["cases"]: similarity_matrix = lambda X: X @ np.swapaxes(X, -1, -2)
""",
)
code(
    "hidden cases asked for twice",
    SPY,
    """
import os, socket
from helpers.running import outpost
def check(answer, hidden=False):
    global similarity_matrix
    conn = socket.socket(fileno=os.dup(int(os.environ["ATTENTION_JUDGE_FD"])))
    for _ in range(2):
        outpost.send(conn, {"hidden": True}); request = outpost.receive(conn)
    if not request["refused"]: raise SystemError("ESCAPED")
""",
)
