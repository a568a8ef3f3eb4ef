"""Chromium without a window: which one is here, and one that does what a test tells it.

It is told through two pipes by the Chrome DevTools Protocol (https://chromedevtools.github.io/devtools-protocol/).
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Self

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
)
PATIENCE = 60
"""Seconds for an answer."""


def find_browser() -> str:
    """The program; the test is skipped where there is none."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser on the PATH: none of {', '.join(BROWSERS)}")
    return found


class Browser:
    """One page; ends with its block.

    Attributes:
        events: what the browser told of by itself.
    """

    def __init__(self, profile: Path) -> None:
        ends = [end for pipe in (os.pipe(), os.pipe()) for end in pipe]
        read, self._write, self._read, write = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
        for end in ends:
            os.close(end)
        program = [find_browser(), *QUIET, f"--user-data-dir={profile}", "--remote-debugging-pipe", "about:blank"]
        shell = ["bash", "-c", f'exec "$@" 3<&{read} 4>&{write}', "browser"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen([*shell, *program], pass_fds=(read, write), **quiet)  # type: ignore[call-overload]
        os.close(read)
        os.close(write)
        self._waiting, self._number, self._session = b"", 0, ""
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._write)
        os.close(self._read)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method of the protocol and wait for its answer."""
        self._number += 1
        session = {"sessionId": self._session} if self._session else {}
        asked = {"id": self._number, "method": method, "params": params} | session
        os.write(self._write, json.dumps(asked).encode() + b"\0")
        while (message := self._next()).get("id") != self._number:
            self.events.append(message)
        assert "error" not in message, message
        return dict(message["result"])

    def _next(self) -> dict[str, Any]:
        until = time.monotonic() + PATIENCE
        while b"\0" not in self._waiting:
            ready, _, _ = select.select([self._read], [], [], max(0, until - time.monotonic()))
            piece = os.read(self._read, 1 << 16) if ready else b""
            assert piece, "the browser has ended, or does not answer"
            self._waiting += piece
        message, _, self._waiting = self._waiting.partition(b"\0")
        return dict(json.loads(message))

    def value(self, script: str) -> Any:
        """What an expression of JavaScript is; a promise is waited for."""
        done = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def wait(self, script: str) -> Any:
        """The value of an expression as soon as it is true of something."""
        until = time.monotonic() + PATIENCE
        while not (found := self.value(script)):
            assert time.monotonic() < until, f"never true: {script}"
            time.sleep(0.05)
        return found

    def size(self, width: int, height: int) -> None:
        """Make the page as large as a window, or a phone."""
        phone = width < 600
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)

    def press(self, key: str, text: str = "") -> None:
        """Press a key, and release it."""
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, text=text, **_virtual(key))
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=key, **_virtual(key))

    def mistakes(self) -> list[str]:
        """Errors that scripts raised, and what the page was refused, since it was last asked."""
        kinds = {"Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening"}
        told = [str(event["params"]) for event in self.events if event.get("method") in kinds]
        self.events.clear()
        return told


def _virtual(key: str) -> dict[str, int]:
    codes = {"Enter": 13, "Tab": 9}
    return {"windowsVirtualKeyCode": codes[key]} if key in codes else {}
