"""A real JupyterLab server in folders of its own, and Debian's Chromium in front of it."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, FrameLocator, Locator, Page, Playwright, Response, Route, expect

TOKEN = "browser-tests"
# JupyterLab and torch start from a cold disk on a busy machine.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)
LOCAL = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:", "about:")


def chromium(playwright: Playwright) -> Browser:
    """Start Debian's Chromium.

    Raises:
        FileNotFoundError: it is not installed.
    """
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        raise FileNotFoundError("the browser tests need Chromium: apt-get install chromium, or run .ci/install")
    return playwright.chromium.launch(
        executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    )


@contextmanager
def server(folder: Path, home: Path, *options: str) -> Iterator[str]:
    """Run `jupyter lab` in a folder, with the settings in `home/config` and no others; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    places = {
        "HOME": home,
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    call = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        f"--ServerApp.port={port}",
        f"--IdentityProvider.token={TOKEN}",
        *options,
    ]
    if os.geteuid() == 0:
        call.append("--allow-root")
    log = home / "server.log"
    # JupyterLab takes cells that are out of sight off the page, where no test finds them.
    settings = (
        home / "config" / "lab" / "user-settings" / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    )
    settings.parent.mkdir(parents=True)
    settings.write_text('{"windowingMode": "none"}', encoding="utf-8")
    with open(log, "wb") as output:
        environment = os.environ | {name: str(place) for name, place in places.items()} | {"PATH": path}
        process = subprocess.Popen(call, cwd=folder, env=environment, stdout=output, stderr=output)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_up(process, address, log)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_up(process: subprocess.Popen, address: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE / 1000
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{address}/api?token={TOKEN}", timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text(errors='replace')[-3000:]}")


class Lab:
    """One browser window with JupyterLab in it, and what it asked for outside this machine."""

    def __init__(self, browser: Browser, address: str, width: int = 1280, height: int = 800) -> None:
        self.address = address
        self.page: Page = browser.new_page(viewport={"width": width, "height": height})
        self.page.set_default_timeout(PATIENCE)
        self.opened = 0
        self.outside: list[str] = []
        self.errors: list[str] = []
        self.page.route(lambda url: not url.startswith(LOCAL), self._refuse)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _refuse(self, route: Route) -> None:
        """There is no network: whatever asks for it is noted."""
        self.outside.append(route.request.url)
        route.abort()

    def open(self, path: str = "/lab") -> None:
        self.page.goto(f"{self.address}{path}?token={TOKEN}")
        self.page.locator("#jp-main-dock-panel").wait_for()

    def open_notebook(self, path: str) -> None:
        """Open a notebook alone, whatever was open before, and wait until its kernel is ready to run cells."""
        self.opened += 1
        self.open(f"/lab/workspaces/{id(self)}-{self.opened}/tree/{path}")
        self.page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        self.wait_idle()

    def menu(self, name: str, command: str) -> None:
        self.page.get_by_role("menuitem", name=name, exact=True).click()
        self.page.locator(f'.lm-Menu-item[data-command="{command}"]').click()

    def wait_idle(self) -> None:
        # The bar below knows; the circle in the notebook's toolbar is empty before there is a kernel, too.
        self.page.locator("#jp-bottom-panel").get_by_text("| Idle").wait_for()

    def cell(self, source: str) -> Locator:
        """The code cell whose source contains a text."""
        return self.page.locator(".jp-CodeCell", has=self.page.locator(".jp-InputArea-editor", has_text=source))

    def write(self, cell: Locator, old: str, new: str) -> None:
        """Replace the line of a cell that contains `old`, as a learner does, and keep its indent."""
        cell.locator(".cm-line", has_text=old).click()
        self.page.keyboard.press("End")
        self.page.keyboard.press("Shift+Home")
        self.page.keyboard.type(new)

    def run(self, cell: Locator) -> None:
        """Run a cell and wait until it is done: then its number is another one."""
        number = cell.locator(".jp-InputPrompt")
        before = number.inner_text()
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")
        expect(number).to_have_text(re.compile(rf"^(?!{re.escape(before)}$)\[\d+\]:$"))

    def card(self, cell: Locator) -> Locator:
        return cell.locator(".jp-OutputArea-output").get_by_role("status")

    def frame(self) -> FrameLocator:
        return self.page.frame_locator("iframe").first

    def close(self) -> None:
        """Close the window and end the kernels."""
        self.page.close()
        for session in self._ask("GET", "sessions"):
            self._ask("DELETE", f"sessions/{session['id']}")

    def _ask(self, method: str, what: str) -> Any:
        request = urllib.request.Request(
            f"{self.address}/api/{what}", method=method, headers={"Authorization": f"token {TOKEN}"}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE / 1000) as answer:
            return json.loads(answer.read() or "null")


def fill_in(page: Page, frame: Page | FrameLocator, field: str, text: str) -> None:
    """Fill in a field of formgrader's page for a submission and leave it, and wait until what was typed is saved.

    Until its points have come from the server a field saves nothing, and then it is set to them; formgrader's mark that
    they have come is the placeholder, of points beside the field.
    """
    mark = field if field.endswith("-comment") else f"{field}_extra_credit"
    expect(frame.locator(f"{mark}[placeholder]")).to_have_count(1)
    frame.locator(field).fill(text)

    def saved(answer: Response) -> bool:
        return answer.request.method == "PUT" and answer.ok and text in (answer.request.post_data or "")

    with page.expect_response(saved):
        frame.locator(field).blur()


def shot(what: Page | Locator, name: str, folder: str = "docs", clip: dict | None = None) -> None:
    """Write a picture of a page or a part of it, when the pictures are asked for (`make screenshots`)."""
    if os.environ.get("SCREENSHOTS") != "1":
        return
    taken = what.screenshot(clip=clip) if clip else what.screenshot()
    path = Path(__file__).parents[2] / folder / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.open(io.BytesIO(taken)).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
