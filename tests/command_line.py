"""The command line as tests use it: each command in a process of its own, started without delay.

Importing what a run needs costs seconds, so one server process imports the libraries (never the
project's own code) and forks for every command: the child calls the same ``main`` as the installed
script, with its own arguments, environment and folder, and can be killed like any process.
Does not belong here: any expectation of a test.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from typing import Any

REPOSITORY = Path(__file__).parents[1]
LIBRARIES = (
    "dagster", "duckdb", "geopandas", "great_expectations", "jinja2", "openpyxl", "pandas",
    "pyarrow.parquet", "pydantic_settings", "pyogrio", "rich.live", "scipy.stats", "shapely",
    "typer", "yaml",
)  # fmt: skip
SETTINGS = ("LSOALINK_", "DAGSTER_")
"""Variables that a test sets itself or does without."""


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str
    seconds: float


def clean_environment(**more: str) -> dict[str, str]:
    """Return this process's environment without any setting of the platform's, and ``more``."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(SETTINGS)}
    quiet = {"COLUMNS": "250", "DAGSTER_DISABLE_TELEMETRY": "1", "TERM": "dumb"}
    return {**kept, **quiet, **more}


class Running:
    """A command that was started and may be killed."""

    def __init__(self, server: CommandLine, pid: int, files: tuple[Path, Path]) -> None:
        self._server, self.pid, self._files = server, pid, files
        self._started = time.monotonic()

    def kill(self) -> None:
        """End the process at once, as a power cut would."""
        os.kill(self.pid, SIGKILL)

    def wait(self) -> Result:
        """Wait for its end; the code of a killed process is -9."""
        code = self._server.ask({"wait": self.pid})
        out, err = (f.read_text(encoding="utf-8", errors="replace") for f in self._files)
        return Result(code, out, err, time.monotonic() - self._started)


class CommandLine:
    """Runs ``lsoalink`` commands.

    Parameters
    ----------
    folder : Path
        Where the output of every command is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._number = 0
        self._server = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=REPOSITORY, env=clean_environment(),
        )  # fmt: skip

    def ask(self, request: dict[str, object]) -> int:
        """Send one request to the server and return the number it answers."""
        asked, answers = self._server.stdin, self._server.stdout
        if asked is None or answers is None:
            raise RuntimeError("the server has no pipes")
        asked.write(json.dumps(request) + "\n")
        asked.flush()
        return int(json.loads(answers.readline()))

    def start(
        self, *arguments: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None
    ) -> Running:
        """Start a command and return while it runs."""
        self._number += 1
        files = (self.folder / f"{self._number:04}.out", self.folder / f"{self._number:04}.err")
        pid = self.ask(
            {
                "arguments": [str(a) for a in arguments],
                "cwd": str(cwd or self.folder),
                "env": clean_environment(**(env or {})),
                "out": str(files[0]),
                "err": str(files[1]),
            }
        )
        return Running(self, pid, files)

    def __call__(
        self, *arguments: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None
    ) -> Result:
        """Run a command to its end."""
        return self.start(*arguments, cwd=cwd, env=env).wait()

    def close(self) -> None:
        """End the server."""
        if self._server.stdin is not None:
            self._server.stdin.close()
        self._server.wait(30)


class Site:
    """A region's own folder, its data folder, and the commands on them.

    Parameters
    ----------
    lsoalink : CommandLine
    folder : Path
        With a ``region.yaml``.
    data : Path
        Data folder of the installation.
    """

    def __init__(self, lsoalink: CommandLine, folder: Path, data: Path) -> None:
        self.lsoalink, self.folder, self.data = lsoalink, folder, data

    @property
    def root(self) -> Path:
        """The region's folder below the data folder."""
        return self.data / "starter"

    @property
    def latest(self) -> Path:
        """The release in force."""
        return (self.root / "published" / "latest").resolve()

    @property
    def sessions(self) -> Path:
        """The landing folder of the starter region's monthly source."""
        return self.folder / "landing" / "northwood_library_sessions"

    def run(self, *more: str, env: dict[str, str] | None = None) -> Result:
        """Run the region."""
        return self.lsoalink("run", self.folder, "--data-dir", self.data, *more, env=env)

    def start(self) -> Running:
        """Start a run, to be killed or watched."""
        return self.lsoalink.start("run", self.folder, "--data-dir", self.data)

    def command(self, name: str, *more: str | Path) -> Result:
        """Run a command that takes the region first."""
        return self.lsoalink(*name.split(), self.folder, *more, "--data-dir", self.data)

    def sql(self, query: str, *more: str) -> Result:
        """Ask the platform as an analyst does."""
        return self.lsoalink("sql", query, "--region", self.folder, "--data-dir", self.data, *more)

    def records(self, query: str) -> list[dict[str, Any]]:
        """Return the answer of a query on the internal tables."""
        answer = self.sql(query, "--internal", "--format", "json")
        if answer.code:
            raise AssertionError(answer.err)
        found: list[dict[str, Any]] = json.loads(answer.out)
        return found

    def csvs(self) -> dict[str, bytes]:
        """Return the published CSV files by name."""
        return {p.name: p.read_bytes() for p in sorted((self.latest / "csv").glob("*.csv"))}

    def marks(self, folder: str = ".") -> dict[str, tuple[int, int]]:
        """Return size and time of last change of every file below a folder of the region's data."""
        found = {}
        for path in sorted((self.root / folder).rglob("*")):
            if path.is_file() and not path.is_symlink():
                facts = path.stat()
                name = path.relative_to(self.root).as_posix()
                found[name] = (facts.st_size, facts.st_mtime_ns)
        return found


def run_script(
    arguments: Sequence[str | Path], *, cwd: Path = REPOSITORY, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run a program as a user would, from its start, and return what it wrote."""
    return subprocess.run(
        [str(a) for a in arguments], cwd=cwd, env=clean_environment(**env), text=True,
        capture_output=True, timeout=300, check=False,
    )  # fmt: skip


def serve() -> None:
    """Answer requests until the input ends; a forked child returns to run its command."""
    for name in LIBRARIES:
        importlib.import_module(name)
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            _, status = os.waitpid(request["wait"], 0)
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = os.fork()
            if answer == 0:
                _become(request)
                return
        sys.__stdout__.write(f"{answer}\n")  # type: ignore[union-attr]
        sys.__stdout__.flush()  # type: ignore[union-attr]


def _become(request: dict[str, object]) -> None:
    """Turn a forked child into the command that was asked for, and run it."""
    for name, number in (("out", 1), ("err", 2)):
        handle = os.open(str(request[name]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(handle, number)
        os.close(handle)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.environ.clear()
    os.environ.update(request["env"])  # type: ignore[call-overload]
    os.chdir(str(request["cwd"]))
    sys.argv = ["lsoalink", *request["arguments"]]  # type: ignore[misc]
    sys.path[0] = str(REPOSITORY)
    code = 1
    try:
        importlib.import_module("pipelines.cli").main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        if sys.exc_info()[0] is not None:
            traceback.print_exc()
        # An ordinary end would also close the server's libraries, which do not survive a fork.
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
