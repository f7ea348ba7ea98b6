"""What the browser tests share: real stacks in folders of their own, a browser, and pictures of the pages."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, expect, sync_playwright

from scripts.run_e2e import chromium
from scripts.runtime import ROOT, free_port, wait_until
from scripts.stack import Stack
from tests.stacks import DEMO, PostgresStack

# Playwright's synchronous API runs an event loop in this thread, where Django would refuse its ORM.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

# Two cores, a browser and five processes: a page may take its time.
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)

SHOTS = ROOT / "var" / "shots"
WIDTHS = (1440, 390)
TALLEST = 6000
_CHROMIUM_OPTIONS = [
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder ``e2e``."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a demo city that nobody has used, made once: most of what a first start takes."""
    folder = tmp_path_factory.mktemp("prepared")
    told = os.environ | DEMO | {"VAR_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "lianyungang_gov.settings"}
    env = {name: value for name, value in told.items() if value}
    subprocess.run([sys.executable, "-m", "scripts.prepare", "data", "--demo"], cwd=ROOT, env=env, check=True)
    return folder


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, prepared: Path) -> Iterator[Stack]:
    """The embedded default (SQLite, Valkey) with the demo city, healthy; one for each test module.

    It starts on a copy of the prepared data; the start from nothing is in ``tests/infra/test_processes.py``.
    """
    folder = tmp_path_factory.mktemp("portal")
    shutil.copytree(prepared, folder, dirs_exist_ok=True)
    running = Stack(var_dir=folder, port=free_port(), env=DEMO)
    try:
        running.start()
        running.wait_healthy()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def stack_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresStack]:
    """The same on PostgreSQL and Redis."""
    running = PostgresStack(tmp_path_factory.mktemp("portal-pg"))
    try:
        running.start()
        running.wait_healthy()
        yield running
    finally:
        running.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's chromium, headless, with nothing that calls home."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=_CHROMIUM_OPTIONS)
        yield launched
        launched.close()


NewPage = Callable[..., Page]


@pytest.fixture
def new_page(browser: Browser) -> Iterator[NewPage]:
    """Return ``new_page(stack, width=1440, java_script=True, touch=False) -> Page``: a visitor with own cookies.

    At the end of the test no page may have raised a script error or been stopped by the content security policy.
    """
    faults: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            faults.append(message.text)

    def raised(error: Error) -> None:
        faults.append(f"script error: {error}")

    def make(stack: Stack, *, width: int = 1440, java_script: bool = True, touch: bool = False) -> Page:
        context = browser.new_context(
            base_url=stack.base_url,
            viewport={"width": width, "height": 900},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            java_script_enabled=java_script,
            has_touch=touch,
        )
        context.set_default_timeout(PATIENCE_MS)
        opened = context.new_page()
        opened.on("console", listen)
        opened.on("pageerror", raised)
        return opened

    yield make
    for context in browser.contexts:
        context.close()
    assert not faults


@pytest.fixture
def page(new_page: NewPage, stack: Stack) -> Page:
    """A visitor of the embedded stack at a desk's width."""
    return new_page(stack)


def shot(page: Page, name: str, widths: tuple[int, ...] = WIDTHS) -> list[Path]:
    """Save full-page pictures ``var/shots/<name>-<width>.png`` and return them; the page keeps its width.

    With ``NO_SHOTS`` none are taken: nobody looks at them in ``.ci/run``, and they are a quarter of its time.
    """
    if os.environ.get("NO_SHOTS"):
        return []
    SHOTS.mkdir(parents=True, exist_ok=True)
    before = page.viewport_size
    saved = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        # A window as tall as the page: else the bar at the foot would stand in the middle of the picture.
        tall = min(int(page.evaluate("document.documentElement.scrollHeight")), TALLEST)
        page.set_viewport_size({"width": width, "height": max(900, tall)})
        path = SHOTS / f"{name}-{width}.png"
        page.screenshot(path=path, full_page=True, animations="disabled")
        saved.append(path)
    if before:
        page.set_viewport_size(before)
    return saved


def eventually(condition: Callable[[], bool], what: str, timeout: float = 30) -> None:
    """Wait until ``condition`` holds (for what the worker does meanwhile); fail saying ``what`` did not come about."""
    assert wait_until(condition, timeout, 0.2), f"not within {timeout:.0f} s: {what}"
