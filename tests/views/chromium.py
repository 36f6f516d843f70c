"""A real browser, driven over its DevTools pipe: one JSON message and a zero byte at a time.

What a page asks of the network and what it complains about is kept, so that a test can look at it.
"""

from __future__ import annotations

import base64
import json
import os
import selectors
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 120.0  # seconds for one answer; the machine may be busy
# Neither its own services nor a sandbox that needs rights which a container may not give.
FLAGS = (
    "--headless", "--no-sandbox", "--remote-debugging-pipe", "--disable-gpu", "--hide-scrollbars",
    "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-extensions", "--no-first-run", "--no-default-browser-check",
    "--force-color-profile=srgb",
    # A frame in a sandbox stays in its page's process, so that one session sees both.
    "--disable-features=Translate,MediaRouter,OptimizationHints,IsolateSandboxedIframes",
)  # fmt: skip
# The pipe's ends are to be the descriptors 3 and 4; whatever numbers they have here.
AS_3_AND_4 = """\
import fcntl, os, sys
ends = [fcntl.fcntl(int(one), fcntl.F_DUPFD, 64) for one in sys.argv[1:3]]
for place, end in enumerate(ends, 3): os.dup2(end, place)
os.execv(sys.argv[3], sys.argv[3:])
"""


def program() -> str | None:
    """Where a Chromium is, or None."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class BrowserError(Exception):
    """The browser refused a command, or a script in a page failed."""


class Browser:
    """One headless browser; `page` opens a tab."""

    def __init__(self, path: str, profile: Path) -> None:
        to_it, self._out = os.pipe()
        self._in, from_it = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", AS_3_AND_4, str(to_it), str(from_it), path, *FLAGS,
             f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(to_it, from_it), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_it)
        os.close(from_it)
        self._reader = selectors.DefaultSelector()
        self._reader.register(self._in, selectors.EVENT_READ)
        self._rest = b""
        self._last = 0
        self._pages: dict[str, Page] = {}

    def command(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Send a command and give its result; events that come before it are handed to their pages."""
        self._last += 1
        said: dict[str, Any] = {"id": self._last, "method": method, "params": params}
        if session is not None:
            said["sessionId"] = session
        os.write(self._out, json.dumps(said).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE
        while True:
            for message in self._messages(deadline):
                if message.get("id") == self._last:
                    if "error" in message:
                        raise BrowserError(f"{method}: {message['error']['message']}")
                    result: dict[str, Any] = message["result"]
                    return result
                self._event(message)

    def listen(self, seconds: float) -> None:
        """Hand out the events of some time."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and self._reader.select(left):
            for message in self._messages(time.monotonic() + PATIENCE):
                self._event(message)

    def page(self, width: int = 1280, height: int = 900) -> Page:
        target = self.command("Target.createTarget", url="about:blank")["targetId"]
        attached = self.command("Target.attachToTarget", targetId=target, flatten=True)
        page = Page(self, attached["sessionId"], target)
        self._pages[page.session] = page
        for room in ("Page", "Network", "Runtime", "Log", "Audits"):
            page.command(f"{room}.enable")
        page.size(width, height)
        return page

    def close(self) -> None:
        try:
            os.write(self._out, b'{"id":0,"method":"Browser.close"}\0')
            self._process.wait(30)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._reader.close()
        os.close(self._out)
        os.close(self._in)

    def _messages(self, deadline: float) -> Iterator[dict[str, Any]]:
        left = deadline - time.monotonic()
        if left <= 0 or not self._reader.select(left):
            raise BrowserError("the browser did not answer in time")
        got = os.read(self._in, 1 << 20)
        if not got:
            raise BrowserError("the browser has gone")
        *whole, self._rest = (self._rest + got).split(b"\0")
        # All of what came belongs to somebody: a caller that stops at its answer must not lose the rest.
        messages = [json.loads(one) for one in whole]
        yield from (one for one in messages if "id" not in one)
        yield from (one for one in messages if "id" in one)

    def _event(self, message: dict[str, Any]) -> None:
        page = self._pages.get(message.get("sessionId", ""))
        if page is not None:
            page.event(message["method"], message["params"])


@dataclass
class Page:
    """One tab. `requests` are the addresses it asked for, `complaints` what its console and its policy said."""

    browser: Browser
    session: str
    target: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    loaded: bool = False
    frame: int | None = None

    def command(self, method: str, **params: Any) -> dict[str, Any]:
        return self.browser.command(method, self.session, **params)

    def event(self, method: str, params: dict[str, Any]) -> None:
        match method:
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(params["exceptionDetails"]))
            case "Runtime.consoleAPICalled":
                self.complaints.append(json.dumps([params["type"], params["args"]]))
            case "Log.entryAdded":
                self.complaints.append(json.dumps(params["entry"]))
            case "Audits.issueAdded":
                self.complaints.append(json.dumps(params["issue"]))
            case "Page.loadEventFired":
                self.loaded = True
            case "Runtime.executionContextCreated":
                context = params["context"]
                if context["auxData"]["frameId"] != self.target:
                    self.frame = context["id"]

    def open(self, file: Path) -> Page:
        """Show a file, and wait until it is loaded and drawn."""
        self.loaded = False
        self.command("Page.navigate", url=file.as_uri())
        deadline = time.monotonic() + PATIENCE
        while not self.loaded:
            if time.monotonic() > deadline:
                raise BrowserError(f"{file} was not loaded in time")
            self.browser.listen(0.05)
        self.settle()
        return self

    def settle(self) -> None:
        """Two frames later: observers of sizes have been told."""
        self.run("await new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")

    def run(self, body: str, **where: int | None) -> Any:
        """What the body of an async function gives in the page, as JSON has it."""
        told = self.command(
            "Runtime.evaluate", expression=f"(async () => {{ {body} }})()", awaitPromise=True,
            returnByValue=True, allowUnsafeEvalBlockedByCSP=False, **where,
        )  # fmt: skip
        if "exceptionDetails" in told:
            raise BrowserError(json.dumps(told["exceptionDetails"])[:2000])
        return told["result"].get("value")

    def inside(self, body: str) -> Any:
        """As `run`, in the newest frame of the page."""
        return self.run(body, contextId=self.frame)

    def until(self, expression: str, inside: bool = False) -> None:
        """Wait until an expression is true in the page, or in its newest frame."""
        deadline = time.monotonic() + PATIENCE
        look = self.inside if inside else self.run
        while not look(f"return Boolean({expression})"):
            if time.monotonic() > deadline:
                raise BrowserError(f"it did not become true: {expression}")
            self.browser.listen(0.05)

    def click(self, x: float, y: float) -> None:
        """A real click of the mouse at a place of the window."""
        for kind in ("mousePressed", "mouseReleased"):
            self.command(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1
            )
        self.settle()

    def press(self, key: str) -> None:
        """A key, down and up."""
        code = {"Enter": 13, "Tab": 9, " ": 32}[key]
        text = "\r" if key == "Enter" else key if key == " " else ""
        for kind in ("keyDown", "keyUp"):
            self.command(
                "Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code,
                text=text if kind == "keyDown" else "",
            )  # fmt: skip
        self.settle()

    def size(self, width: int, height: int = 900) -> None:
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
            mobile=False,
        )  # fmt: skip

    def dark(self, dark: bool) -> None:
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", features=[scheme])

    def screenshot(self, file: Path) -> None:
        """The whole page as it would be without an end to the window."""
        told = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(told["data"]))

    def close(self) -> None:
        self.browser.command("Target.closeTarget", targetId=self.target)
