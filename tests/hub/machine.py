"""A machine with accounts of its own for the hub's test, and visitors that use it as browsers do."""

from __future__ import annotations

import json
import re
import secrets
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import requests

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
SECONDS = 60


def commands(heading: str) -> list[str]:
    """Return the commands that docs/jupyterhub.md shows below a heading."""
    text = (ROOT / "docs/jupyterhub.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert section, f"docs/jupyterhub.md has no heading {heading!r}"
    return [line for block in re.findall(r"^```sh\n(.*?)^```", section[1], re.M | re.S) for line in block.splitlines()]


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in sockets]


class Machine:
    """Namespaces in which the documented folders are empty and the accounts are the test's own."""

    def __init__(self) -> None:
        kept = dict.fromkeys(path for path in (sys.prefix, sys.base_prefix) if not path.startswith("/usr"))
        call = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"]
        self.process = subprocess.Popen(
            [*call, "sh", str(HERE / "machine.sh"), str(ROOT), *kept],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout.readline() == "ready\n", (
            f"no machine of our own; this test must run as root: {self.process.stderr.read()}"
        )
        self.init = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().strip()
        self.hub = None

    def close(self) -> None:
        self.process.communicate()
        if self.hub is not None:
            self.hub.wait()

    def call(self, user: str, *command: str) -> list[str]:
        become = [] if user == "root" else ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
        home = "/root" if user == "root" else f"/home/{user}"
        env = [
            f"HOME={home}",
            f"USER={user}",
            "PATH=/opt/attention/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG=C.UTF-8",
            "OMP_NUM_THREADS=1",
        ]
        return ["nsenter", "--target", self.init, "--mount", "--pid", "--wd=/", "env", "-i", *env, *become, *command]

    def run(self, user: str, *command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.call(user, *command), input=stdin, capture_output=True, text=True, check=False)

    def must(self, user: str, *command: str, stdin: str = "") -> str:
        result = self.run(user, *command, stdin=stdin)
        assert result.returncode == 0, f"{user}: {' '.join(command)}\n{result.stdout}\n{result.stderr}"
        return result.stdout

    def write(self, user: str, path: str, text: str) -> None:
        self.must(user, "sh", "-c", f'cat > "{path}"', stdin=text)

    def start_hub(self) -> None:
        """Start the hub by the line of the shipped systemd unit."""
        (self.formgrader, *ports), self.password = free_ports(4), secrets.token_hex(16)
        self.write("root", "/etc/attention/site_config.py", (HERE / "site_config.py").read_text(encoding="utf-8"))
        self.write("root", "/etc/attention/test.json", json.dumps({"ports": ports, "password": self.password}))
        self.must("root", "chmod", "600", "/etc/attention/test.json")
        self.url = f"http://127.0.0.1:{ports[-1]}"
        unit = (ROOT / "docs/jupyterhub/jupyterhub.service").read_text(encoding="utf-8")
        line = re.search(r"^ExecStart=(.*)$", unit, re.M)[1]
        self.hub = subprocess.Popen(
            self.call(
                "root",
                "sh",
                "-c",
                f"cd /var/lib/jupyterhub && FORMGRADER_PORT={self.formgrader} exec {line} > hub.log 2>&1",
            ),
            stdin=subprocess.DEVNULL,
        )
        self.wait(lambda: requests.get(f"{self.url}/hub/api/", timeout=5).ok)

    def log(self) -> str:
        return self.must("root", "tail", "-c", "6000", "/var/lib/jupyterhub/hub.log")

    def wait(self, done) -> None:
        """Wait until something holds.

        Raises:
            AssertionError: it did not; with the end of the hub's log.
        """
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends and self.hub.poll() is None:
            try:
                if done():
                    return
            except requests.ConnectionError:
                pass
            time.sleep(0.5)
        raise AssertionError(self.log())


class Visitor:
    """Somebody at a browser: cookies, and the token against forged requests that goes with them."""

    def __init__(self, machine: Machine, name: str) -> None:
        self.machine, self.name = machine, name
        self.session = requests.Session()
        self.own = f"/user/{name}/"

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.machine.url + path, timeout=SECONDS)

    def token(self, path: str) -> str:
        """The token of the server whose pages begin with a path."""
        return next(cookie.value for cookie in self.session.cookies if cookie.name == "_xsrf" and cookie.path == path)

    def log_in(self) -> requests.Response:
        self.get("/hub/login")
        data = {"username": self.name, "password": self.machine.password, "_xsrf": self.token("/hub/")}
        return self.session.post(self.machine.url + "/hub/login?next=/hub/home", data=data, timeout=SECONDS)

    def enter_server(self) -> None:
        """Go to this user's JupyterLab once it is up."""
        self.machine.wait(lambda: self.get(f"{self.own}lab").url.endswith(f"{self.own}lab"))

    def api(self, server: str, method: str, path: str, /, **body) -> object:
        """Call a server's interface as its pages do.

        Args:
            server: where the server's pages are: `own`, or the service's.
            method: of HTTP.
            path: below the server.
            **body: sent as JSON.
        """
        headers = {"X-XSRFToken": self.token(server)}
        response = self.session.request(
            method, self.machine.url + server + path, json=body or None, headers=headers, timeout=SECONDS
        )
        assert response.ok, (
            f"{self.name}: {method} {path}: {response.status_code} {response.text[:500]}\n{self.machine.log()}"
        )
        return response.json()
