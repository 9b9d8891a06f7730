"""pyplot in a notebook: figures are shown after each cell and then closed, without `%matplotlib inline`."""

from __future__ import annotations

import sys
from typing import Any


def connect_pyplot(shell: Any) -> None:
    """Connect pyplot with the shell, as pyplot does itself where a notebook imports it.

    The warm process has imported it before there was a shell to connect with. Nothing where it is not installed.
    """
    backend = sys.modules.get("matplotlib_inline.backend_inline")
    if backend is None:
        return
    import matplotlib
    from IPython.core.pylabtools import activate_matplotlib

    name = matplotlib.rcParams["backend"]
    activate_matplotlib(name)
    backend.configure_inline_support(shell, name)
