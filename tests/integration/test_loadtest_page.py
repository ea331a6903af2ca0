"""The load test's page in a real browser: it draws, answers the mouse, and complains of nothing."""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path

import pytest

from loadtest.report import as_html
from tests.support.programs import program
from tests.unit.loadtest.examples import report

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

WIDTH, HEIGHT = 1240, 1800


def browse(page: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Open the page without a screen."""
    command = [
        program("chromium"),
        "--headless",
        "--no-sandbox",  # tests run as root, where the sandbox refuses to start
        "--disable-gpu",
        "--hide-scrollbars",
        "--enable-logging=stderr",
        f"--user-data-dir={page.parent / 'profile'}",
        f"--window-size={WIDTH},{HEIGHT}",
        *options,
        page.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "CONSOLE" not in done.stderr, done.stderr
    return done


@pytest.fixture
def page(tmp_path: Path) -> Path:
    file = tmp_path / "report.html"
    as_html.write(report(violations=1), file)
    return file


def test_the_page_is_drawn(page: Path) -> None:
    picture = page.with_name("page.png")
    browse(page, f"--screenshot={picture}")
    data = picture.read_bytes()
    assert struct.unpack(">II", data[16:24]) == (WIDTH, HEIGHT)
    # An empty page of this size packs into a tenth of that.
    assert len(data) > 60_000


def test_the_script_has_run_and_the_plots_answer_the_mouse(page: Path) -> None:
    hover = """
    <script>
    const svg = document.querySelector('figure[data-series="counted"] svg');
    const box = svg.getBoundingClientRect();
    svg.dispatchEvent(new PointerEvent('pointermove',
      {clientX: box.left + box.width / 3, clientY: box.top + 50}));
    </script>
    """
    page.write_text(page.read_text().replace("</html>", hover + "</html>"))
    dom = browse(page, "--dump-dom").stdout
    tip = re.search(r'<div class="tip"[^>]*>([^<]*)</div>', dom)
    assert tip is not None
    assert re.fullmatch(r"\d\.\d\d s: direct 9, ftpweir 9", tip[1])


def test_dark_and_light_differ(page: Path) -> None:
    pictures = []
    for name, options in {"light": (), "dark": ("--force-dark-mode",)}.items():
        picture = page.with_name(f"{name}.png")
        browse(page, f"--screenshot={picture}", *options)
        pictures.append(picture.read_bytes())
    assert pictures[0] != pictures[1]
