"""Every step of the Dockerfile is carried out, and the image runs as it promises.

Instead of a container engine there are Linux namespaces: see tests/support/container.py.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.config import Config, parse
from tests.support.container import Build, Container
from tests.support.dockerfile import Instruction, NotUnderstoodError, instructions

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(300)]

CHECKOUT = Path(__file__).parents[2]
SETTINGS = "/etc/ftpweir/ftpweir.yaml"
CONFIG = "listen: 0.0.0.0:2121\nupstream:\n  host: 127.0.0.1\n"


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    with Build(CHECKOUT, tmp_path_factory.mktemp("image")) as build:
        build.carry_out((CHECKOUT / "Dockerfile").read_text(encoding="utf-8"))
        yield build


@pytest.fixture
def configured(build: Build) -> Iterator[Build]:
    settings = build.path(SETTINGS)
    settings.parent.mkdir(mode=0o755)
    settings.write_text(CONFIG, encoding="utf-8")
    yield build
    settings.unlink()
    settings.parent.rmdir()


@pytest.fixture
def running(configured: Build) -> Iterator[Container]:
    container = Container(configured)
    try:
        container.wait_for("ready")
        yield container
    finally:
        container.end()


def within(build: Build, *argv: str) -> str:
    done = subprocess.run(
        build.namespaced(build.image.chroot(list(argv))), capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_every_instruction_is_carried_out(build: Build) -> None:
    text = (CHECKOUT / "Dockerfile").read_text(encoding="utf-8")
    assert build.steps == len(list(instructions(text))) > 10
    assert list(build.stages) == ["builder", "1"]


def test_the_builder_is_sent_nothing_but_the_package(build: Build) -> None:
    sent = {path.name for path in build.context.iterdir()}
    assert sent == {"pyproject.toml", "README.md", "constraints.txt", "proxy"}
    assert not list(build.context.rglob("__pycache__"))


def test_the_image_holds_the_installed_package_and_no_sources(build: Build) -> None:
    place = within(build, "python", "-c", "import proxy; print(proxy.__file__)")
    assert place.startswith("/opt/ftpweir/lib/")
    assert not build.path("/src").exists()
    assert not any(build.path(str(CHECKOUT)).iterdir())


def test_the_image_says_what_it_is_made_of(build: Build) -> None:
    told = json.loads(build.path("/usr/share/doc/ftpweir/sbom.json").read_text(encoding="utf-8"))
    listed = {one["name"]: one["version"] for one in told["components"]}
    assert told["metadata"]["component"]["name"] == "ftpweir"
    assert {"aiohttp", "pydantic", "uvloop"} <= set(listed)
    pinned = (CHECKOUT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert f"uvloop=={listed['uvloop']}" in pinned


def test_the_image_runs_as_a_user_that_owns_only_its_volume(build: Build) -> None:
    assert within(build, "id", "-u") == "10001"
    assert within(build, "id", "-un") == "ftpweir"
    assert within(build, "find", "/opt/ftpweir", "-writable", "-not", "-type", "l") == ""
    assert within(build, "find", "/var/lib/ftpweir", "-writable") == "/var/lib/ftpweir"


def test_the_exposed_ports_are_the_control_port_and_the_passive_range(build: Build) -> None:
    ports = settings().passive.ports
    assert build.image.exposed == ["2121", f"{ports.first}-{ports.last}"]


def test_process_1_is_the_proxy_itself_without_any_privilege(running: Container) -> None:
    status = Path(f"/proc/{running.first_process}/status").read_text(encoding="ascii")
    facts = dict(line.split(":\t", 1) for line in status.splitlines())
    assert facts["Uid"].split() == ["10001"] * 4
    assert facts["Gid"].split() == ["10001"] * 4
    assert int(facts["CapEff"], 16) == 0
    command = Path(f"/proc/{running.first_process}/cmdline").read_bytes().split(b"\0")
    assert command[-5:-1] == [b"/opt/ftpweir/bin/ftpweir", b"run", b"-c", SETTINGS.encode()]


def test_a_proxy_that_greets_is_healthy(running: Container) -> None:
    assert running.check_health().returncode == 0


def test_a_container_without_a_greeting_is_not_healthy(build: Build) -> None:
    deaf = Container(build, entrypoint=["sh", "-c", "echo deaf; exec sleep 60"])
    try:
        deaf.wait_for("deaf")
        verdict = deaf.check_health()
        assert verdict.returncode == 1
        assert "Connection refused" in verdict.stderr
    finally:
        deaf.end()


def test_the_stop_signal_ends_it_with_exit_code_0(running: Container) -> None:
    assert running.stop() == 0


def test_without_a_config_it_says_so_and_ends_with_2(build: Build) -> None:
    container = Container(build)
    try:
        assert SETTINGS in container.wait_for(SETTINGS)
        assert container.wait() == 2
    finally:
        container.end()


def test_another_command_may_follow_the_images_name(build: Build) -> None:
    container = Container(build, "explain", "budget")
    try:
        container.wait_for("budget")
        assert container.wait() == 0
    finally:
        container.end()


@pytest.mark.parametrize("line", ["COPY --chown=1:1 a b", "COPY --link a b", "RUN <<END"])
def test_what_the_reader_does_not_know_is_an_error(line: str) -> None:
    with pytest.raises(NotUnderstoodError):
        list(instructions(line))


def test_a_shell_form_is_an_error() -> None:
    with pytest.raises(NotUnderstoodError):
        Instruction("ENTRYPOINT", "ftpweir run").argv()


def settings() -> Config:
    return parse(CONFIG, "ftpweir.yaml", {})
