"""Where the keys of an installation are found: variables, files, secret stores.

Belongs here: finding, reading and checking key texts, making the first key and putting a new one in
front. Keys are never logged, never put into a message, and never stored in a region's folder.
Does not belong here: deriving (``key_ring.py``), or what is encrypted or pseudonymised.

A key text has one key a line, base64 of 32 bytes: the current one first, then earlier ones, which
only read. A line ``pseudonyms:<base64>`` names what pseudonym keys are derived from; without it
that is the last line. ``#`` begins a remark.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import os
import secrets
import stat
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from declarations.errors import ConfigurationError, StorageError
from warehouse.key_ring import (
    KEY_BYTES,
    KeyBundle,
    KeyRing,
    LimitedKeyRing,
    check_private,
    fingerprint_of,
)
from warehouse.leftovers import temporary_beside
from warehouse.private import open_private, private_folder

__all__ = [
    "AGREEMENT_KEYS",
    "ENVIRONMENT_KEY",
    "ENVIRONMENT_KEY_FILE",
    "ENVIRONMENT_KEY_URL",
    "KEY_BYTES",
    "KeyBundle",
    "KeyRing",
    "KeySource",
    "KeyText",
    "LimitedKeyRing",
    "agreement_source",
    "fingerprint_of",
    "master_source",
    "open_key_ring",
    "own_key_path",
    "parse_keys",
    "prepend_key",
    "read_keys",
    "write_keys",
]

ENVIRONMENT_KEY = "LSOALINK_KEY"
ENVIRONMENT_KEY_FILE = "LSOALINK_KEY_FILE"
ENVIRONMENT_KEY_URL = "LSOALINK_KEY_URL"
AGREEMENT_KEYS = "LSOALINK_AGREEMENT_KEYS"
KEY_FOLDER = ".keys"
PSEUDONYMS = "pseudonyms:"
MOST_BYTES = 1 << 16
PROGRAM_SECONDS = 30
UNSAFE_SCHEMES = ("http", "ftp", "data")
"""Over these a key would travel in the clear, or stand in the setting itself."""


@dataclass(frozen=True)
class KeySource:
    """A place keys are read from.

    Attributes
    ----------
    kind : {"variable", "file", "url"}
    name : str
        How it may be named in a message; of a URL its kind alone, for it may hold a password.
    path : Path or None
        Of a local file: keys can be put into it here.
    url : str
        Of anything else; kept out of what Python shows of a source.
    """

    kind: Literal["variable", "file", "url"]
    name: str
    path: Path | None = None
    url: str = field(default="", repr=False)


@dataclass(frozen=True)
class KeyText:
    """The keys of one source.

    Attributes
    ----------
    keys : tuple of bytes
        The current one first.
    pseudonyms : bytes or None
    """

    keys: tuple[bytes, ...]
    pseudonyms: bytes | None = None

    def __repr__(self) -> str:
        """Say nothing of the keys."""
        return f"KeyText({len(self.keys)} keys)"

    def text(self) -> str:
        """Return the text that `parse_keys` reads."""
        lines = [base64.b64encode(key).decode() for key in self.keys]
        if self.pseudonyms is not None:
            lines.append(PSEUDONYMS + base64.b64encode(self.pseudonyms).decode())
        return "\n".join(lines) + "\n"


def master_source(data_dir: Path) -> KeySource:
    """Return where the master key is.

    The first that is set of ``LSOALINK_KEY`` (the key itself), ``LSOALINK_KEY_FILE`` and
    ``LSOALINK_KEY_URL``; else ``<data_dir>/.keys/master.key``.
    """
    if os.environ.get(ENVIRONMENT_KEY):
        return _variable(ENVIRONMENT_KEY)
    named = os.environ.get(ENVIRONMENT_KEY_FILE)
    if named:
        return _file(Path(named), data_dir)
    url = os.environ.get(ENVIRONMENT_KEY_URL)
    if url:
        return _at(url, data_dir)
    return _file(data_dir / KEY_FOLDER / "master.key", data_dir)


def agreement_source(data_dir: Path, agreement_id: str) -> KeySource | None:
    """Return where an agreement's own pseudonym keys are, or None where it has none.

    The variable ``LSOALINK_KEY_<ID>``, hyphens as underscores; else ``<ID>.key`` in the folder or
    below the URL that ``LSOALINK_AGREEMENT_KEYS`` names, else in ``<data_dir>/.keys/agreements``.
    """
    variable = f"{ENVIRONMENT_KEY}_{agreement_id.replace('-', '_')}"
    if os.environ.get(variable):
        return _variable(variable)
    named = os.environ.get(AGREEMENT_KEYS)
    if named and "://" in named:
        source = _at(f"{named.rstrip('/')}/{agreement_id}.key", data_dir)
        if source.path is None:
            return source if _url_exists(source) else None
        folder = source.path.parent
    else:
        folder = Path(named) if named else data_dir / KEY_FOLDER / "agreements"
    if named and not folder.is_dir():
        # An empty mount must not quietly change every pseudonym.
        raise StorageError(
            f"The folder {folder} named by {AGREEMENT_KEYS} does not exist",
            "Mount or make it, or unset the variable",
        )
    path = folder / f"{agreement_id}.key"
    return _file(path, data_dir) if path.exists() else None


def own_key_path(data_dir: Path, agreement_id: str) -> Path | None:
    """Return the file an agreement's own key would be written to here; None at a remote URL."""
    named = os.environ.get(AGREEMENT_KEYS)
    if named and "://" in named:
        return _at(f"{named.rstrip('/')}/{agreement_id}.key", data_dir).path
    folder = Path(named) if named else data_dir / KEY_FOLDER / "agreements"
    return folder / f"{agreement_id}.key"


def open_key_ring(data_dir: Path) -> KeyRing:
    """Find the master key, or make one for a first run, and return the ring over it.

    Only the default file ``<data_dir>/.keys/master.key`` is ever made, with permissions 0600.

    Raises
    ------
    StorageError
        If a key is missing or malformed, its file may be read by others, or it lies in a region's
        folder.
    """
    source = master_source(data_dir)
    default = data_dir / KEY_FOLDER / "master.key"
    if source.path == default and not default.exists():
        _create(default)
    content = read_keys(source)

    def own(agreement_id: str) -> Sequence[bytes]:
        found = agreement_source(data_dir, agreement_id)
        return read_keys(found).keys if found is not None else ()

    return KeyRing(content.keys[0], content.keys[1:], pseudonyms=content.pseudonyms, agreements=own)


def read_keys(source: KeySource) -> KeyText:
    """Read the keys of a source.

    Raises
    ------
    StorageError
        If there are none, or one is malformed; no key is repeated.
    """
    if source.kind == "variable":
        content: str | bytes = os.environ.get(source.url, "")
    elif source.path is not None:
        check_private(source.path)
        content = source.path.read_bytes()[:MOST_BYTES]
    else:
        content = _fetch(source)
    return parse_keys(content, source.name)


def parse_keys(content: str | bytes, where: str) -> KeyText:
    """Read a key text; in a variable blanks or commas may stand for ends of lines.

    Raises
    ------
    StorageError
    """
    try:
        text = content if isinstance(content, str) else content.decode("ascii")
        words = [
            word
            for line in text.splitlines()
            for word in line.split("#", 1)[0].replace(",", " ").split()
        ]
        keys = [_decode(w) for w in words if not w.startswith(PSEUDONYMS)]
        roots = [_decode(w.removeprefix(PSEUDONYMS)) for w in words if w.startswith(PSEUDONYMS)]
        malformed = not keys or len(roots) > 1
        if malformed or any(len(key) != KEY_BYTES for key in (*keys, *roots)):
            raise ValueError
    except (binascii.Error, ValueError):
        raise StorageError(
            f"The key in {where} is not base64 of {KEY_BYTES} bytes, one key a line",
            "Make one with 'openssl rand -base64 32'",
        ) from None
    return KeyText(tuple(dict.fromkeys(keys)), roots[0] if roots else None)


def prepend_key(path: Path, behind: Sequence[bytes] = ()) -> KeyText:
    """Put a new random key in front of a file's keys; one process at a time.

    The old file stands until the new one is whole.

    Parameters
    ----------
    behind : sequence of bytes
        The keys so far, for a file that does not exist yet.
    """
    private_folder(path.parent)
    with _locked(path):
        old = read_keys(_plain_file(path)) if path.exists() else KeyText(tuple(behind))
        new = KeyText((secrets.token_bytes(KEY_BYTES), *old.keys), old.pseudonyms)
        _replace(path, new)
    return new


def write_keys(path: Path, expected: KeyText, new: KeyText) -> None:
    """Replace a file's keys.

    Raises
    ------
    StorageError
        If the file no longer holds the keys expected.
    """
    with _locked(path):
        if read_keys(_plain_file(path)) != expected:
            raise StorageError(f"The key file {path} was changed meanwhile", "Run again")
        _replace(path, new)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    # The file itself is replaced, so that a lock on it would be a lock on the old one.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _replace(path: Path, content: KeyText) -> None:
    temporary = temporary_beside(path)
    with os.fdopen(open_private(temporary), "w", encoding="ascii") as file:
        file.write(content.text())
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _create(path: Path) -> None:
    private_folder(path.parent)
    temporary = temporary_beside(path)
    with os.fdopen(open_private(temporary), "w", encoding="ascii") as file:
        file.write(KeyText((secrets.token_bytes(KEY_BYTES),)).text())
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link, not a rename: of two first runs at once, one key wins and both use it.
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def _decode(word: str) -> bytes:
    return base64.b64decode(word, validate=True)


def _variable(name: str) -> KeySource:
    return KeySource("variable", f"the variable {name}", url=name)


def _plain_file(path: Path) -> KeySource:
    return KeySource("file", f"the key file {path}", path)


def _file(path: Path, data_dir: Path) -> KeySource:
    """Return the source of a local file, unless it lies where a region's folder would carry it."""
    real, data = path.absolute().resolve(), data_dir.absolute().resolve()
    inside = real.relative_to(data).parts if real.is_relative_to(data) else ()
    # The installation's own folder of keys may lie below a region's folder together with its data.
    in_region = len(inside) > 1 and inside[0] != KEY_FOLDER
    declared = any((folder / "region.yaml").exists() for folder in real.parents)
    if in_region or (declared and inside[:1] != (KEY_FOLDER,)):
        raise StorageError(
            f"The key file {path} lies in a region's folder, which is copied and shared",
            "Move it to a folder of its own, outside of data and declarations",
        )
    return _plain_file(path)


def _at(url: str, data_dir: Path) -> KeySource:
    scheme, mark, rest = url.partition("://")
    if not mark or "::" in url or scheme in UNSAFE_SCHEMES:
        raise ConfigurationError(
            "The URL of a key must be one plain address of a store that encrypts on the way",
            "Use for example s3://, az://, https://, file://, env://NAME or cmd:///PROGRAM",
        )
    if scheme == "env":
        return _variable(rest)
    if scheme in ("file", "local"):
        return _file(Path(rest), data_dir)
    return KeySource("url", f"the {scheme}:// address of the key", url=url)


def _fetch(source: KeySource) -> bytes:
    scheme, _, rest = source.url.partition("://")
    if scheme == "cmd":
        return _from_program(Path(rest))
    import fsspec  # noqa: PLC0415

    with _said_without_its_address(source), fsspec.open(source.url, "rb") as file:
        return bytes(file.read(MOST_BYTES))


def _url_exists(source: KeySource) -> bool:
    if source.url.startswith("cmd://"):
        raise ConfigurationError(
            f"{AGREEMENT_KEYS} cannot be a program", "Name a folder or the URL of a store"
        )
    import fsspec  # noqa: PLC0415

    with _said_without_its_address(source):
        system, path = fsspec.core.url_to_fs(source.url)
        return bool(system.exists(path))


@contextmanager
def _said_without_its_address(source: KeySource) -> Iterator[None]:
    """Turn any error of a store into one that repeats nothing of its address.

    There is no list of errors to catch instead. ``fsspec`` imports whichever package is registered
    for the scheme and lets its errors through, and many of them have no other parent than
    ``Exception``: ``DatabricksException`` within fsspec itself, botocore's ``ClientError`` (s3),
    aiohttp's ``ClientError`` (https), paramiko's ``SSHException`` (sftp). Their texts hold
    addresses, headers and passwords, so that one let through would be printed with them.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001 - see above
        raise _unreadable(source, error) from None


def _unreadable(source: KeySource, error: Exception) -> StorageError:
    if isinstance(error, ImportError):
        return StorageError(
            f"{source.name} needs a storage package that is not installed",
            "Install the fsspec package of that store, for example s3fs or adlfs",
        )
    return StorageError(
        f"{source.name} cannot be read ({type(error).__name__})",
        "Check the address and the account's rights to it",
    )


def _from_program(path: Path) -> bytes:
    """Run a program that writes the key text: no shell, no arguments, nobody else's file.

    Raises
    ------
    StorageError
    """
    problem = ""
    if not path.is_absolute() or not path.is_file() or not os.access(path, os.X_OK):
        problem = "is not the full path of a program"
    else:
        facts = path.stat()
        if facts.st_uid not in (0, os.geteuid()) or stat.S_IMODE(facts.st_mode) & 0o022:
            problem = "may be changed by others"
    if problem:
        raise StorageError(
            f"The program for the key, {path}, {problem}",
            "Give cmd:/// and the path of a program that only you or root may change",
        )
    try:
        ended = subprocess.run(  # noqa: S603 - one checked program, no shell, no arguments
            [str(path)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, timeout=PROGRAM_SECONDS, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise StorageError(
            f"The program for the key, {path}, failed ({type(error).__name__})",
            "Run it by hand to see why; it must write the key and end with 0",
        ) from None
    return ended.stdout[:MOST_BYTES]
