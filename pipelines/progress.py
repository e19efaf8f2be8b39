"""Progress of a run on the console: a line a stage, with deliveries, rows and seconds.

Belongs here: listening to what the workspace says it built, and drawing it.
Does not belong here: what a run does.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.table import Table

if TYPE_CHECKING:
    from warehouse.workspace import Built

LOGGER = "lsoalink.progress"
STAGE_OF = {
    "admitted": "admitted", "located": "located", "counts": "counts", "statistics": "counts",
    "reference": "reference", "indicator": "indicators", "protected": "protected",
    "derived": "derived", "quality": "quality",
}  # fmt: skip
ORDER = (
    "generated",
    "received",
    "admitted",
    "reference",
    "located",
    "counts",
    "indicators",
    "protected",
    "derived",
    "quality",
    "release",
)


@dataclass
class Stage:
    """What has been done in one stage so far."""

    built: int = 0
    current: int = 0
    absent: int = 0
    rows: int = 0
    seconds: float = 0.0


class ProgressHandler(logging.Handler):
    """Adds up what is built, stage by stage, and keeps a table of it on the console.

    Parameters
    ----------
    console : rich.console.Console
        A terminal gets a table that moves; anything else gets the finished table at the end.
    """

    def __init__(self, console: Console) -> None:
        super().__init__(logging.INFO)
        self.console = console
        self.stages: dict[str, Stage] = {}
        self.now = ""
        self._started = self._told = time.perf_counter()
        self._lock_table = threading.Lock()
        self._live: Live | None = None

    def __enter__(self) -> ProgressHandler:
        """Start listening."""
        logger = logging.getLogger(LOGGER)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        logger.addHandler(self)
        if self.console.is_terminal:
            self._live = Live(
                get_renderable=self.table, console=self.console, refresh_per_second=4,
                transient=True,
            )  # fmt: skip
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening and leave the finished table on the console."""
        logging.getLogger(LOGGER).removeHandler(self)
        if self._live:
            self._live.stop()
        if self.did_work:
            self.now = ""
            self.console.print(self.table())

    @property
    def did_work(self) -> bool:
        """Whether anything was built."""
        return any(stage.built for stage in self.stages.values())

    def emit(self, record: logging.LogRecord) -> None:
        """Take one message of the workspace."""
        built: Built | None = getattr(record, "built", None)
        if built is None:
            self._step(record)
            return
        name = STAGE_OF.get(built.table.name.split("_", 1)[0], "quality")
        with self._lock_table:
            stage = self._stage(name)
            setattr(stage, built.outcome, getattr(stage, built.outcome) + 1)
            stage.rows += built.rows if built.outcome == "built" else 0
            self.now = f"{built.table.name} {built.period}"

    def _step(self, record: logging.LogRecord) -> None:
        """Count a step of a stage that makes no table of the lake."""
        name, made = str(getattr(record, "stage", "")), int(getattr(record, "made", 0))
        if not name:
            # A word on the way: the time up to it belongs to what is made next.
            self.now = record.getMessage()
            return
        with self._lock_table:
            stage = self._stage(name)
            stage.built += made
            stage.rows += int(getattr(record, "rows", 0))
            self.now = name

    def _stage(self, name: str) -> Stage:
        """Return a stage, with the time since the last message added: it was spent on this one."""
        moment = time.perf_counter()
        stage = self.stages.setdefault(name, Stage())
        stage.seconds += moment - self._told
        self._told = moment
        return stage

    def table(self) -> Table:
        """Return the table as it stands."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("stage")
        for name in ("built", "unchanged", "absent", "rows", "seconds"):
            table.add_column(name, justify="right")
        for name in ORDER:
            stage = self.stages.get(name)
            if stage is None:
                continue
            table.add_row(
                name, f"{stage.built:,}", f"{stage.current:,}", f"{stage.absent:,}",
                f"{stage.rows:,}", f"{stage.seconds:.1f}",
            )  # fmt: skip
        if self.now:
            elapsed = time.perf_counter() - self._started
            table.caption = f"{self.now} · {elapsed:.0f} s"
        return table
