"""Two small regions and the command line as fixtures.

The made-up region of ``region_factory``, whose stages tests call: fresh, finished, or a copy of a
finished one. The starter region that ``lsoalink init`` writes, which tests run by commands. Nothing
is shared between tests but what is finished, which no test may change.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from command_line import CommandLine, Site

    from publishing.release import ReleaseOutcome
    from warehouse.workspace import Workspace


@dataclass(frozen=True)
class Finished:
    """A region that went through every stage, and what was logged meanwhile."""

    folder: Path
    workspace: Workspace
    outcome: ReleaseOutcome
    log: str


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.getMessage()} {record.__dict__}")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Run the made-up region to its release. To be read, never changed."""
    from region_factory import make_workspace, run_all

    folder = tmp_path_factory.mktemp("testmere")
    workspace = make_workspace(folder)
    lines, root = _Lines(), logging.getLogger()
    level = root.level
    root.addHandler(lines)
    root.setLevel(logging.DEBUG)
    try:
        outcome = run_all(workspace)
    finally:
        root.removeHandler(lines)
        root.setLevel(level)
    return Finished(folder, workspace, outcome, "\n".join(lines.lines))


@pytest.fixture
def finished_copy(finished: Finished, tmp_path: Path) -> Workspace:
    """Copy the finished region, for a test that changes something in it."""
    from region_factory import workspace_of

    for part in ("landing", "data"):
        shutil.copytree(finished.folder / part, tmp_path / part, symlinks=True)
    return workspace_of(tmp_path, finished.workspace.declared, tmp_path / "landing")


@pytest.fixture
def make_mere(tmp_path: Path) -> Callable[..., Workspace]:
    """Make a fresh workspace of the made-up region, its declarations changed as asked."""
    from region_factory import make_workspace

    def make(content: dict[str, dict[str, Any]] | None = None, **more: Any) -> Workspace:
        return make_workspace(tmp_path, content, **more)

    return make


@pytest.fixture
def mere(make_mere: Callable[..., Workspace]) -> Workspace:
    """Return a fresh workspace of the made-up region: delivered, nothing run yet."""
    return make_mere()


@pytest.fixture(scope="session")
def lsoalink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """Run commands, each in a process of its own."""
    from command_line import CommandLine

    line = CommandLine(tmp_path_factory.mktemp("commands"))
    yield line
    line.close()


@pytest.fixture(scope="session")
def starter_folder(lsoalink: CommandLine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the starter region once. To be copied, never changed."""
    folder = tmp_path_factory.mktemp("starter") / "starter"
    made = lsoalink("init", folder)
    assert made.code == 0, made.err
    return folder


@pytest.fixture(scope="session")
def finished_starter(
    lsoalink: CommandLine, starter_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Site:
    """Run the starter region once. To be read, never changed."""
    from command_line import Site

    folder = tmp_path_factory.mktemp("finished_starter")
    shutil.copytree(starter_folder, folder / "region")
    site = Site(lsoalink, folder / "region", folder / "data")
    ended = site.run()
    assert ended.code == 0, ended.err
    return site


@pytest.fixture
def starter(lsoalink: CommandLine, starter_folder: Path, tmp_path: Path) -> Site:
    """Return a starter region of the test's own: delivered, nothing run yet."""
    from command_line import Site

    shutil.copytree(starter_folder, tmp_path / "region")
    return Site(lsoalink, tmp_path / "region", tmp_path / "data")
