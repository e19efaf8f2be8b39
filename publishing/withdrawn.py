"""Releases that were taken back: the word left in their place, and where ``latest`` points then.

Belongs here: ``published/<release>.withdrawn.json`` and the same as a text people can read, and the
link ``published/latest``. Does not belong here: why a release is taken back (``governance/``).
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from declarations.errors import StorageError
from governance.audit import AuditChain
from governance.lifecycle.holdings import read_json, records_in
from warehouse.lake import write_atomically
from warehouse.leftovers import temporary_beside

LATEST = "latest"
SUFFIX = ".withdrawn.json"
TEXT_SUFFIX = ".withdrawn.txt"
NO_RELEASE = "NO-RELEASE.txt"
RELEASE_WITHDRAWN, PUBLISHED = "release_withdrawn", "release_published"


@dataclass(frozen=True)
class Notice:
    """What is said of a release that is no longer published.

    Attributes
    ----------
    release : str
    agreement : str
        Under which agreement it was taken back.
    on : str
        Day of the region's calendar, ISO 8601.
    reason : str
    kind : {"withdrawn", "retention"}
        The agreement was withdrawn, or its days of publication have passed.
    """

    release: str
    agreement: str
    on: str
    reason: str
    kind: str = "withdrawn"

    def sentence(self) -> str:
        """Say it in one sentence."""
        day = dt.date.fromisoformat(self.on)
        if self.kind == "retention":
            return (
                f"The release {self.release} was taken down on {day:%d %B %Y}: {self.agreement} "
                f"allows it no longer ({self.reason})."
            )
        return (
            f"The release {self.release} was withdrawn on {day:%d %B %Y}, as the agreement "
            f"{self.agreement} was: {self.reason.rstrip('.')}."
        )


def notices(root: Path) -> dict[str, Notice]:
    """Return the word left for each release that is no longer published, by release."""
    found = {}
    for path in records_in(root / "published", SUFFIX):
        content = read_json(path)
        release = path.name.removesuffix(SUFFIX)
        if content is None:
            # Whatever it said, the release was taken back.
            content = {"agreement": "", "on": dt.date.today().isoformat(), "reason": "not readable"}
        kept = {k: str(v) for k, v in content.items() if k in Notice.__annotations__}
        found[release] = Notice(**{**kept, "release": release})
    return found


def leave_notice(root: Path, chain: AuditChain, notice: Notice) -> None:
    """Say in a release's place that it is no longer published; done again, it does nothing."""
    folder = root / "published"
    if (folder / f"{notice.release}{SUFFIX}").is_file():
        return
    if not any(e.get("release") == notice.release for e in chain.find(event=RELEASE_WITHDRAWN)):
        chain.append(
            RELEASE_WITHDRAWN, release=notice.release, agreement=notice.agreement,
            reason=notice.reason, kind=notice.kind, day=notice.on,
        )  # fmt: skip
    text = f"{notice.sentence()}\n\nDo not use it any longer, and remove copies of it.\n"
    write_atomically(folder / f"{notice.release}{TEXT_SUFFIX}", text.encode())
    content = json.dumps(asdict(notice), indent=1, sort_keys=True)
    write_atomically(folder / f"{notice.release}{SUFFIX}", content.encode())


def newest(root: Path, chain: AuditChain) -> str | None:
    """Return the release published last that still is, by the chain; None where there is none."""
    gone = notices(root)
    there = {
        p.name for p in (root / "published").glob("*")
        if p.is_dir() and not p.is_symlink() and p.name not in gone and p.name[0] != "."
    }  # fmt: skip
    told = [str(e.get("release")) for e in chain.find(event=PUBLISHED)]
    return next((name for name in reversed(told) if name in there), max(there, default=None))


def point_latest(root: Path, release_id: str) -> None:
    """Move ``published/latest`` to a release in one step.

    Raises
    ------
    StorageError
        If something else stands in its place.
    """
    link = root / "published" / LATEST
    (root / "published" / NO_RELEASE).unlink(missing_ok=True)
    if link.is_symlink() and link.readlink() == Path(release_id):
        return
    if link.exists() and not link.is_symlink():
        raise StorageError(f"{link} is not a link", "Move it away; the platform keeps it")
    temporary = temporary_beside(link)
    temporary.symlink_to(release_id)
    temporary.replace(link)


def repoint_latest(root: Path, chain: AuditChain) -> str | None:
    """Point ``latest`` to the newest release that is not taken back; without one, remove it.

    Returns
    -------
    str or None
        The release it points to now.
    """
    link = root / "published" / LATEST
    target = link.readlink().name if link.is_symlink() else None
    if target is not None and target not in notices(root) and link.is_dir():
        return target
    release = newest(root, chain)
    if release is not None:
        point_latest(root, release)
        return release
    if link.is_symlink():
        text = "There is no release in force: see the files *.withdrawn.txt beside this one.\n"
        write_atomically(root / "published" / NO_RELEASE, text.encode())
        link.unlink()
    return None
