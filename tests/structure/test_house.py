"""How the house is built: who may import whom, what a file may hold, what must not be in it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from warehouse.provenance import ROOMS, code_version

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES = 500
NOT_ROOMS = {"structure", "docs", "end_to_end"}
"""Test folders that mirror no room."""

HEAVY = {
    "dagster", "duckdb", "geopandas", "great_expectations", "numpy", "pandas", "pyarrow", "pyogrio",
    "pyproj", "scipy", "shapely",
}  # fmt: skip
MACHINE_PATHS = re.compile(r"(?<![\w.>}$])/(?:home|root|Users|work|tmp(?!/try\b)|mnt|opt)/[\w.-]+")
"""The help's own example of a folder, ``/tmp/try``, is nobody's."""
INDEX_HOSTS = re.compile(
    r"--(?:extra-)?index-url|\b(?:artifactory|nexus|devpi|jfrog|codeartifact)\b|"
    r"https?://[^\s\"']*/simple\b",
    re.IGNORECASE,
)


def modules(room: str) -> list[Path]:
    return sorted(p for p in (ROOT / room).rglob("*.py") if "__pycache__" not in p.parts)


ALL = [path for room in ROOMS for path in modules(room)]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def named(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def imports(module: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node, node.module.split(".")[0]


def wrong_imports(room: str, source: str) -> list[str]:
    later = set(ROOMS[ROOMS.index(room) + 1 :])
    return [name for _, name in imports(ast.parse(source)) if name in later]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_before_it(room: str) -> None:
    found = {
        p.relative_to(ROOT).as_posix(): wrong_imports(room, p.read_text(encoding="utf-8"))
        for p in modules(room)
    }

    assert {path: names for path, names in found.items() if names} == {}


def test_the_check_of_imports_finds_a_wrong_one() -> None:
    assert wrong_imports("warehouse", "def f():\n    from intake.reading import x\n") == ["intake"]
    assert wrong_imports("warehouse", "import geography.sql\nimport publishing") == ["publishing"]
    assert wrong_imports("intake", "from warehouse.lake import Lake\nimport intake.cells") == []


def test_no_room_reaches_another_by_a_relative_import() -> None:
    found = [
        named(path, node)
        for path in ALL
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.level > 1
    ]

    assert found == []


def test_every_room_is_a_package_of_the_wheel() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^packages = \[(.*?)\]", text, re.S | re.M)

    assert re.findall(r'"(\w+)"', listed) == list(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_belongs_in_it_and_what_does_not(room: str) -> None:
    path = ROOT / room / "__init__.py"
    words = " ".join((ast.get_docstring(tree(path)) or "").split())

    assert "Belongs here" in words
    assert "Does not belong here" in words


def test_every_module_opens_with_words_about_itself() -> None:
    assert [p.relative_to(ROOT).as_posix() for p in ALL if not ast.get_docstring(tree(p))] == []


def forbidden(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assert):
            found.append("assert")
        elif isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            wide = any(k is None or ast.unparse(k) in ("Exception", "BaseException") for k in kinds)
            last = node.body[-1]
            if wide and not isinstance(last, ast.Raise):
                found.append("catch-all except")
        elif isinstance(node, ast.Call) and getattr(node.func, "id", None) in (
            "print",
            "breakpoint",
        ):
            found.append(str(getattr(node.func, "id", "")))
    return found


def test_no_room_prints_asserts_or_catches_everything() -> None:
    found = {p.relative_to(ROOT).as_posix(): forbidden(p.read_text(encoding="utf-8")) for p in ALL}

    assert {path: what for path, what in found.items() if what} == {}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("print(1)", ["print"]),
        ("assert x", ["assert"]),
        ("try:\n  f()\nexcept:\n  pass", ["catch-all except"]),
        ("try:\n  f()\nexcept Exception:\n  pass", ["catch-all except"]),
        ("try:\n  f()\nexcept (ValueError, Exception):\n  pass", ["catch-all except"]),
        ("try:\n  f()\nexcept BaseException:\n  g()\n  raise", []),
        ("try:\n  f()\nexcept ValueError:\n  pass", []),
        ("try:\n  f()\nexcept (duckdb.Error, OSError):\n  pass", []),
        ("console.print(1)", []),
    ],
)
def test_the_check_of_forbidden_words_finds_them(source: str, found: list[str]) -> None:
    assert forbidden(source) == found


def test_no_module_is_longer_than_can_be_read() -> None:
    long = {
        p.relative_to(ROOT).as_posix(): len(p.read_text(encoding="utf-8").splitlines()) for p in ALL
    }

    assert {path: lines for path, lines in long.items() if lines > MOST_LINES} == {}


def test_no_module_is_a_drawer_for_everything() -> None:
    names = {"utils.py", "util.py", "helpers.py", "common.py", "misc.py"}

    assert [p.relative_to(ROOT).as_posix() for p in ALL if p.name in names] == []


def tracked() -> list[Path]:
    done = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip("this is no git checkout")
    paths = (ROOT / name for name in done.stdout.split("\0") if name)
    return [p for p in paths if p.is_file()]


def test_no_tracked_file_names_a_folder_of_one_machine_or_a_package_index() -> None:
    found = []
    for path in tracked():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        if path == Path(__file__):
            continue
        found += [
            f"{path.relative_to(ROOT)}:{number}"
            for number, line in enumerate(lines, start=1)
            if MACHINE_PATHS.search(line) or INDEX_HOSTS.search(line)
        ]

    assert found == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("see /home/ann/project", True),
        ("path = '/opt/somewhere'", True),
        ("pip install --index-url https://x.example/simple", True),
        ("https://example.org/home/page", False),
        ("data/work/file.csv", False),
        ("<data_dir>/tmp/x", False),
    ],
)
def test_the_check_of_paths_finds_them(line: str, found: bool) -> None:
    assert bool(MACHINE_PATHS.search(line) or INDEX_HOSTS.search(line)) is found


def test_every_test_folder_mirrors_a_room() -> None:
    folders = {p.name for p in (ROOT / "tests").iterdir() if p.is_dir() and p.name[0] not in "._"}

    assert folders - set(ROOMS) - NOT_ROOMS == set()
    assert folders >= {"declarations", "warehouse", "governance", "intake", "publishing"}


def test_test_files_have_names_of_their_own() -> None:
    names = [p.name for p in (ROOT / "tests").rglob("test_*.py")]

    assert sorted({n for n in names if names.count(n) > 1}) == []


def test_the_code_version_follows_the_source_of_the_rooms() -> None:
    assert re.fullmatch(r"[0-9a-f]{12}", code_version())


def loaded_by(module: str) -> set[str]:
    script = f"import sys, {module}; print(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module",
    ["declarations.loader", "governance.gate", "governance.approvals", "warehouse.workspace"],
)
def test_what_the_command_line_starts_with_loads_nothing_heavy(module: str) -> None:
    assert loaded_by(module) & HEAVY == set()


def test_the_command_line_starts_without_anything_heavy() -> None:
    if not (ROOT / "pipelines" / "cli.py").exists():
        pytest.skip("the command line is not built yet")

    assert loaded_by("pipelines.cli") & HEAVY == set()
