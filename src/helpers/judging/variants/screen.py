"""A quick look at what a variant gives for one case, to see which variants are worth a whole run.

Nine variants in ten are out after one case, so that one is called directly: without watches, gradients and records. An
object of the reference's class is made once, and lent to each variant that changes only what is done with it.
"""

from __future__ import annotations

import contextlib
import io
import sys
import warnings
from typing import Any

from helpers.exercise import Case
from helpers.running import chunks
from helpers.running.bench import Bench, build, instantiate
from helpers.running.settled import settled
from helpers.running.values import plain


class Raised:
    """Stands for the result of a call that ended in an error."""


class Screen:
    """One case, to be put to many variants of one reference."""

    def __init__(self, reference: Any, case: Case) -> None:
        self._reference, self._case = reference, case
        self._bench = Bench(reference)
        self._lent: Any = None

    @settled()
    def answer(self, target: Any, borrows: bool) -> Any:
        """Return the plain result of a variant, or a `Raised`.

        Args:
            target: the variant's function or class.
            borrows: whether an object of the reference does as one of the variant's.
        """
        torch: Any = sys.modules.get("torch")
        with contextlib.ExitStack() as stack:
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
            stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
            if torch is not None and not self._case.gradients:
                stack.enter_context(torch.no_grad())
            try:
                return plain(self._call(target, borrows))
            except Exception:
                return Raised()

    def _call(self, target: Any, borrows: bool) -> Any:
        case = self._case
        args = build(tuple(case.args), "", {}, self._bench)
        kwargs = build(dict(case.kwargs), "", {}, self._bench)
        function = target
        if case.init is not None:
            function = self._borrowed(target) if borrows else instantiate(target, case.init)
        if case.method is not None:
            function = getattr(function, case.method)
        for earlier in case.init.earlier if case.init is not None else ():
            function(*build(tuple(earlier), "", {}, self._bench))
        result: Any = None
        for _ in range(case.times):
            result = chunks.read(function, case.chunks, *args, **kwargs) if case.chunks else function(*args, **kwargs)
        return result

    def _borrowed(self, target: Any) -> Any:
        assert self._case.init is not None
        if self._lent is None:
            self._lent = instantiate(self._reference, self._case.init)
        self._lent.__class__ = target
        return self._lent
