"""The made-up region of ``region_factory`` as fixtures: fresh, finished, or a copy of a finished one.

Nothing is shared between tests but the finished region, which no test may change.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
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
