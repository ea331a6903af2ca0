"""The doors between rooms: who may import whom, what pure means, and where tests stand."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "proxy"

# Bottom-up. A module sees the floors below and its own room; rooms on one floor are strangers.
FLOORS = (
    {"value"},
    {"events", "refusals", "config", "phase"},
    {"ftp", "shaping"},
    {"store", "net"},
    {"upstream"},
    {"gate", "exchange"},
    {"session"},
    {"ops", "choice", "classes", "demo", "sections", "machine", "workers"},
    {"ways"},
    {"server_side"},
    {"rooms"},
    {"app"},
    {"process"},
    {"commands"},
    {"cli", "__main__"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
DOOR_IN_HOUSE = ("__main__", "cli")  # `python -m proxy` is the command line

PURE = {"ftp", "shaping", "events", "refusals", "config", "phase", "value"}
IMPURE = {"asyncio", "socket", "ssl", "os", "time", "logging", "threading", "subprocess", "uvloop"}
READS_FILES = {"config/loader.py"}

NO_TEST_OF_ITS_OWN = {
    "__main__.py": "two lines that call cli; tests of cli start it",
    "session/visitor.py": "frozen values; all tests of a session build it",
    "exchange/rules.py": "frozen values; test_sections.py tests what is put into them",
    **dict.fromkeys(
        (f"refusals/of_{side}.py" for side in ("client", "turn", "data", "server")),
        "rows of one table; test_table.py tests it",
    ),
    "events.py": "frozen values without a deed; the tests of those who announce them compare them",
}

MODULES = {str(path.relative_to(PACKAGE)): path for path in sorted(PACKAGE.rglob("*.py"))}


def room_of(module: str) -> str:
    return module.split("/")[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Name every module a file imports, also inside functions and TYPE_CHECKING blocks."""
    package = ("proxy", *path.relative_to(PACKAGE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) + 1 - node.level] if node.level else ()
            base = ".".join((*start, *([node.module] if node.module else ())))
            yield from (f"{base}.{alias.name}" for alias in node.names)


def rooms_seen(path: Path) -> set[str]:
    """Name the rooms a file imports from; names of the package itself (__version__) are none."""
    inside = (name.split(".")[1] for name in imports(path) if name.startswith("proxy."))
    return {room for room in inside if room in FLOOR or (PACKAGE / room).exists()}


def test_every_module_stands_on_a_floor() -> None:
    assert {room_of(module) for module in MODULES} - {"__init__"} == set(FLOOR)


@pytest.mark.parametrize("module", [name for name in MODULES if name != "__init__.py"])
def test_doors_lead_down(module: str) -> None:
    room = room_of(module)
    for seen in rooms_seen(MODULES[module]) - {room}:
        assert FLOOR[seen] < FLOOR[room] or (room, seen) == DOOR_IN_HOUSE, f"{module} sees {seen}"


@pytest.mark.parametrize("module", [name for name in MODULES if room_of(name) in PURE])
def test_a_pure_room_imports_no_world(module: str) -> None:
    if module not in READS_FILES:
        seen = {name.split(".")[0] for name in imports(MODULES[module])}
        assert not seen & IMPURE


def test_every_module_has_its_test() -> None:
    expected = {
        f"{Path(module).parent}/test_{Path(module).name}".removeprefix("./")
        for module in MODULES
        if not module.endswith("__init__.py") and module not in NO_TEST_OF_ITS_OWN
    }
    missing = {name for name in expected if not (ROOT / "tests" / "unit" / name).is_file()}
    assert not missing


def test_every_exception_is_still_one() -> None:
    assert set(NO_TEST_OF_ITS_OWN) | READS_FILES <= set(MODULES)
    for module in NO_TEST_OF_ITS_OWN:
        name = Path(module)
        assert not (ROOT / "tests" / "unit" / name.parent / f"test_{name.name}").exists()
