"""The weights file beside the notebook: several models, each under its name."""

from __future__ import annotations

import itertools
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def read_entries(path: str) -> dict[str, torch.Tensor]:
    """Return the arrays of a weights file; none where there is no file or it is broken."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except (OSError, SafetensorError):
        return {}


def write_entries(path: str, entries: dict[str, torch.Tensor], name: str, model: torch.nn.Module) -> None:
    """Write a weights file anew: some entries, and a model's weights as `name.…`. Torn half-way, the old one stays."""
    from safetensors.torch import save_file

    # Tied weights share memory, which the format does not know, so each entry gets its own.
    own = {f"{name}.{key}": value.detach().cpu().clone().contiguous() for key, value in model.state_dict().items()}
    save_file(entries | own, f"{path}.new")
    os.chmod(f"{path}.new", 0o644)
    os.replace(f"{path}.new", path)


def keep_copy(path: str) -> str:
    """Copy a weights file beside itself, over no other copy; return the name of the copy."""
    own = Path(path)
    names = (own.with_name("-".join((own.stem, "before", f"{number}{own.suffix}"))) for number in itertools.count(1))
    copy = next(name for name in names if not name.exists())
    shutil.copyfile(own, copy)
    return copy.name


def weights_of(name: str, entries: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the entries of one model, without its name."""
    return {key.removeprefix(f"{name}."): value for key, value in entries.items() if key.startswith(f"{name}.")}
