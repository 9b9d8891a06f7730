"""IPython's shell, made once before all forks: a cell costs it less, and means to it what it means to IPython's own."""

from __future__ import annotations

import inspect
import os
import re
import tempfile
import zlib
from typing import Any

from ipykernel.compiler import XCachingCompiler, get_tmp_directory
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.inputtransformer2 import TransformerManager
from IPython.core.profiledir import ProfileDir
from traitlets.config import Config

# A cell that this does not find in holds no magic, no shell command and no question.
IPYTHON_SYNTAX = re.compile(r"[%!?]|^\s*[,;/]", re.MULTILINE)
USUAL_TRANSFORMERS = TransformerManager().token_transformers


class Compiler(XCachingCompiler):
    """Names a cell's code as ipykernel does, by a hash that is not computed byte by byte in Python."""

    def get_code_name(self, raw_code: str, code: str, number: int) -> str:
        name = f"{get_tmp_directory()}{os.sep}{zlib.crc32(raw_code.encode(errors='replace'))}.py"
        # Else each line of a traceback has `inspect` look through two thousand modules for this file.
        inspect.modulesbyfile[name] = "__main__"
        return name


class Transformer(TransformerManager):
    """Breaks a cell into tokens, to find IPython's own syntax, only if it has one of that syntax's characters."""

    def do_token_transforms(self, lines: list[str]) -> list[str]:
        if self.token_transformers == USUAL_TRANSFORMERS and not IPYTHON_SYNTAX.search("".join(lines)):
            return lines
        transformed: list[str] = super().do_token_transforms(lines)
        return transformed


class Shell(ZMQInteractiveShell):
    """Transforms a cell once, though ipykernel asks for it and then IPython again; and compiles none only to see that
    it does not await.
    """

    known: tuple[str, ...] = ()

    def transform_cell(self, raw_cell: str) -> str:
        if self.known[:1] != (raw_cell,):
            self.known = raw_cell, super().transform_cell(raw_cell)
        return self.known[1]

    def should_run_async(
        self, raw_cell: str, *, transformed_cell: str | None = None, preprocessing_exc_tuple: Any = None
    ) -> bool:
        if transformed_cell is not None and "await" not in transformed_cell and "async" not in transformed_cell:
            return False
        return super().should_run_async(
            raw_cell, transformed_cell=transformed_cell, preprocessing_exc_tuple=preprocessing_exc_tuple
        )

    async def run_cell_async(self, *arguments: Any, **named: Any) -> Any:
        # The cell may change how cells are transformed.
        self.known = ()
        return await super().run_cell_async(*arguments, **named)


def make_shell() -> ZMQInteractiveShell:
    """Make the shell that each fork's kernel takes over: IPython's singleton, which costs more than the fork."""
    quiet = Config({"HistoryManager": {"enabled": False, "hist_file": ":memory:"}})
    profile = ProfileDir.create_profile_dir(tempfile.mkdtemp(prefix="profile-"))
    shell = Shell.instance(config=quiet, profile_dir=profile, compiler_class=Compiler)
    shell.input_transformer_manager = Transformer()
    return shell
