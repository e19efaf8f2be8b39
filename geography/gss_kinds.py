"""The table of GSS code kinds, read from `gss_kinds.yaml`.

Belongs here: reading that table. Does not belong here: a code (`codes`), or any prefix: which
prefix names what is configuration, since part of it is from memory and says so.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

from declarations.errors import ConfigurationError

TABLE = Path(__file__).with_name("gss_kinds.yaml")

CODE_LENGTH = 9
"""Characters of a GSS code."""


@dataclass(frozen=True)
class CodeKind:
    """One kind of area.

    Attributes
    ----------
    kind : str
        Our name for it, such as ``lsoa``.
    name : str
        Its plain name, such as "Lower layer Super Output Area".
    prefixes : tuple of str
        First characters of its codes.
    vintaged : bool
        Whether the areas were drawn anew after the census of 2021.
    stand_ins : tuple of str
        Codes of another kind that stand for this one where it does not exist.
    source : {"ons-open-geography", "memory"}
        Where the prefixes are from.
    """

    kind: str
    name: str
    prefixes: tuple[str, ...]
    vintaged: bool
    stand_ins: tuple[str, ...]
    source: Literal["ons-open-geography", "memory"]

    @property
    def pattern(self) -> str:
        """Regular expression of its codes, to be matched in full."""
        forms = [f"{p}[0-9]{{{CODE_LENGTH - len(p)}}}" for p in self.prefixes]
        return f"({'|'.join([*forms, *self.stand_ins])})"


@functools.lru_cache(maxsize=1)
def kind_table() -> tuple[dict[str, CodeKind], dict[str, str]]:
    """Read the table once.

    Returns
    -------
    kinds : dict of str to CodeKind
        By kind, in the order of the file.
    countries : dict of str to str
        First letter to the country's name.

    Raises
    ------
    ConfigurationError
        If two kinds claim one prefix, or a key is missing.
    """
    content = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    try:
        kinds = [
            CodeKind(
                kind=entry["kind"],
                name=entry["name"],
                prefixes=tuple(entry["prefixes"]),
                vintaged=entry.get("vintaged", False),
                stand_ins=tuple(entry.get("stand_ins", ())),
                source=entry["source"],
            )
            for entry in content["kinds"]
        ]
        countries = dict(content["countries"])
    except KeyError as missing:
        raise ConfigurationError(f"{TABLE.name} has an entry without {missing}") from missing
    prefixes = sorted(p for entry in kinds for p in entry.prefixes)
    doubled = [b for a, b in itertools.pairwise(prefixes) if b.startswith(a)]
    if doubled:
        raise ConfigurationError(
            f"{TABLE.name} gives two kinds the codes of {', '.join(doubled)}",
            "Leave each prefix to one kind",
        )
    return {entry.kind: entry for entry in kinds}, countries


def kind_named(kind: str) -> CodeKind:
    """One kind by its name.

    Raises
    ------
    ConfigurationError
        If the table has no such kind.
    """
    kinds, _ = kind_table()
    if kind not in kinds:
        raise ConfigurationError(
            f"There is no kind of area {kind}", f"Use one of {', '.join(sorted(kinds))}"
        )
    return kinds[kind]
