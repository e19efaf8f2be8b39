"""Kill a piece of work at the n-th change it makes to the disk, as the end of its process would.

The work runs in a forked child. Python reports every opening for writing, rename, removal and
change of mode to an audit hook before it happens; the hook counts them and ends the child with
SIGKILL. So the code under test needs no points to fail at.
Does not belong here: any expectation of a test.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

CHANGES = frozenset(
    {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.symlink", "os.truncate",
     "shutil.copyfile", "os.link"}
)  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


STRIDE = 13
"""Every step takes minutes; with this stride each kind of change is among those killed at. Set it
to 1 to kill at every one."""


def steps_of(work: Callable[[], object]) -> int:
    """Return how many changes a piece of work makes to the disk, by doing it in a child."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        seen = [0]
        _watch(lambda: seen.__setitem__(0, seen[0] + 1))
        work()
        os.write(writing, str(seen[0]).encode())
        os._exit(0)
    os.waitpid(child, 0)
    with os.fdopen(reading) as told, os.fdopen(writing, "w"):
        return int(os.read(told.fileno(), 20))


def killed_at(number: int, work: Callable[[], object]) -> bool:
    """Run work in a child that is killed before its n-th change; False if it ended by itself.

    Raises
    ------
    AssertionError
        If the work ended in an error.
    """
    child = os.fork()
    if child == 0:
        _work_and_end(number, work)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def _work_and_end(number: int, work: Callable[[], object]) -> None:
    left = [number]

    def count() -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    code = 70
    try:
        _watch(count)
        work()
        code = 0
    finally:
        os._exit(code)


def _watch(count: Callable[[], object]) -> None:
    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        is_change = event in CHANGES
        if event == "open" and isinstance(arguments[2], int):
            is_change = bool(arguments[2] & WRITING)
        if is_change:
            count()

    sys.addaudithook(hook)
