"""Packages: what an agency's own ``lsoalink`` makes of a file, and how the hub opens one.

A package is a ZIP with one CSV file and a signed manifest. Two kinds: ``pseudonymised`` holds
records as the agreement lets them travel, ``aggregated`` holds counts by neighbourhood and nothing
of a record. Belongs here: its layout, writing it, and every check before it is believed. Does not
belong here: making the content (``pseudonymising.py``, ``aggregating.py``), or signatures
(``governance/signing.py``).
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from declarations.agreements import Agreement
from declarations.contracts import Column, Contract, FileFormat, Source
from declarations.errors import AgreementError
from governance.disclosure.counts import could_be_shown
from governance.disclosure.profiles import profile
from governance.gate import GateDecision
from governance.pseudonyms import PSEUDONYM_CHARACTERS
from governance.signing import SignatureError, verified
from intake.coarsening import as_delivered, coarsened
from intake.containers import Limits, Meter, check_directory, open_zip
from intake.naming import shown_name
from intake.packing import (
    DATA_NAME,
    FORMAT,
    MANIFEST_BYTES,
    MANIFEST_NAME,
    Kind,
    entry_chunks,
    entry_content,
    entry_text,
)

PROFILE = "hide0-r5"
"""The disclosure profile under which counts leave an agency: an absent cell may be a zero."""

CELLS_BYTES = 256 << 20
"""Largest table of counts that is read: about five million cells."""

DELIVERED_AS_COUNTS = "delivered as counts"
"""Why a source has no admitted and no placed records for a period."""

KEPT, PSEUDONYMISED, REDACTED, PLACED_BY = "kept", "pseudonymised", "redacted", "used for placing"
COUNTED = "counted, and left behind"
LEFT_BEHIND, NOT_IN_FILE = "left behind", "not in the file"
TRAVELLING = (KEPT, PSEUDONYMISED, REDACTED)
"""Fates of a column that stands in the data file of a package of records."""

ROW_COLUMN = "package_row"
"""Number of the row, so that none is blank; never stored."""

PLACE_COLUMNS = {
    "lsoa21cd": "text", "lad24cd": "text", "geo_method": "text", "geo_reason": "text",
    "geo_conversion": "text", "geo_flag": "text", "geo_quality": "integer",
}  # fmt: skip
"""What a record placed at the agency has instead of its address, in the order of placing."""

CELL_COLUMNS = ("lsoa21cd", "lad24cd", "measure", "category", "value", "estimated", "geo_reason")
_COUNT = re.compile(r"\d{1,18}", re.ASCII)
_PSEUDONYM = re.compile(rf"[0-9a-f]{{{PSEUDONYM_CHARACTERS}}}")


_SHAPE: dict[str, type | tuple[type, ...]] = {
    "source": str, "period": str, "agreement": dict, "made_at": str, "rows": dict, "checks": list,
    "columns": dict, "data": dict, "opt_out": (dict, type(None)),
}  # fmt: skip
_SHAPE_OF_KIND: dict[str, dict[str, type | tuple[type, ...]]] = {
    "aggregated": {"counts": dict}, "pseudonymised": {"placed": bool},
}  # fmt: skip
"""What a manifest must hold at least; whoever signs may still have written it by hand."""


class PackageError(AgreementError):
    """A package must not be believed.

    Parameters
    ----------
    reason : str
        Reason code, for example ``package_altered``.
    problem, fix : str
        See `declarations.errors.LsoalinkError`.
    """

    who = "the supplying agency"

    def __init__(self, reason: str, problem: str, fix: str | None = None) -> None:
        self.reason = reason
        super().__init__(problem, fix)

    def as_decision(self, source: Source) -> GateDecision:
        """Return the refusal as the gate's decision."""
        return GateDecision("refused", (self.reason,), str(self), f"sources.{source.id}")


@dataclass(frozen=True)
class Package:
    """A package whose signature, content and agreement were found good.

    Attributes
    ----------
    manifest : dict
        What the agency signed.
    contract : Contract
        The source's, as the data file of a package of records is to be read.
    cells : tuple of tuple
        Of an aggregated package: rows in the order of `CELL_COLUMNS`, each a text or None.
    """

    manifest: dict[str, Any]
    contract: Contract
    cells: tuple[tuple[str | None, ...], ...] = ()

    @property
    def kind(self) -> Kind:
        """``pseudonymised`` or ``aggregated``."""
        kind: Kind = self.manifest["kind"]
        return kind

    @property
    def placed(self) -> bool:
        """Whether records were placed at the agency."""
        return bool(self.manifest.get("placed"))

    @property
    def exact(self) -> bool:
        """Whether its counts are exact rather than under the disclosure profile."""
        return self.kind == "aggregated" and self.manifest["counts"]["profile"] == "exact"

    def taken(self, decision: GateDecision) -> GateDecision:
        """Return the gate's decision for what the agency has carried out already.

        Raises
        ------
        PackageError
            If a column came as it is that the agreement has pseudonymised or redacted.
        """
        message = f"{decision.message} {self.in_words()}"
        if self.kind == "aggregated":
            nothing: tuple[str, ...] = ()
            return replace(
                decision, message=message, keep=nothing, pseudonymise=nothing, generalise=nothing,
                redact=nothing, drop=(*decision.stored, *decision.drop),
            )  # fmt: skip
        fates: Mapping[str, str] = self.manifest["columns"]
        coarse = coarsened(self.contract, decision.generalise)
        for names, done in (
            (decision.pseudonymise, PSEUDONYMISED), (decision.redact, REDACTED),
            (coarse, "coarsened"),
        ):  # fmt: skip
            clear = [n for n in names if fates.get(n, NOT_IN_FILE) == KEPT]
            if clear:
                raise PackageError(
                    "package_column_in_clear",
                    f"The package holds {', '.join(clear)} as it is, which should be {done}",
                    "Make the package again from the current region folder",
                )
        where = tuple(PLACE_COLUMNS) if self.placed else ()
        made = tuple(c.into for c in coarse.values() if c.into in fates)
        kept = (*decision.keep, *decision.pseudonymise, *decision.redact, *made, *where)
        rest = tuple(n for n in decision.generalise if n not in coarse)
        return replace(
            decision, message=message, keep=kept, pseudonymise=(), generalise=rest, redact=()
        )

    def in_words(self) -> str:
        """Say what the package is."""
        if self.kind == "aggregated":
            how = "exact" if self.exact else "protected"
            return f"The agency sent {how} counts by neighbourhood and no record."
        placed = " and placed" if self.placed else ""
        return f"The agency sent records it had pseudonymised{placed} itself."

    def delivery_row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the delivery's row of ``decisions`` with the rows that stayed at the agency.

        Parameters
        ----------
        row : mapping
            The row as the hub's own reading of the package made it.
        """
        said: Mapping[str, int | None] = self.manifest["rows"]
        more: dict[str, Any] = {"package": self.kind, "rows_read": said["read"]}
        for name in ("filtered", "broken", "formula", "duplicate"):
            counted = said[name]
            own = int(row[f"rows_{name}"] or 0)
            more[f"rows_{name}"] = None if counted is None else counted + own
        if self.kind == "aggregated":
            more["rows_kept"] = said["kept"]
        return {**row, **more}

    def check_rows(self, own: list[dict[str, Any]], version: int) -> list[dict[str, Any]]:
        """Return the outcomes of the contract's checks: the hub's own, else those of the agency."""
        made = {row["check_id"] for row in own}
        theirs = [r for r in self.manifest["checks"] if r["check_id"] not in made]
        return [*own, *({**row, "version": version} for row in theirs)]


def opt_out_needed(agreement: Agreement, source: Source) -> bool:
    """Whether a package must say how many records the National Data Opt-out removed."""
    agreed = agreement.source(source.id)
    applied = agreement.opt_out is not None and agreement.opt_out.applied == "yes"
    return bool(agreed and agreed.health_or_care and applied)


def open_package(
    path: Path,
    source: Source,
    agreement: Agreement,
    period: str,
    contract: Contract,
    *,
    accepted_texts: Collection[str] = (),
) -> Package:
    """Open a package and hold it to what the hub knows.

    Parameters
    ----------
    path : Path
        A file for which `is_package` holds.
    period : str
        The month of the delivery, ``YYYY-MM``; empty for a source delivered once.
    accepted_texts : collection of str
        Fingerprints of earlier texts of the agreement under which this very file was accepted.

    Returns
    -------
    Package

    Raises
    ------
    PackageError
        With the reason, if it must not be believed.
    UnsafeFileError
        If the archive is damaged or unsafe.
    """
    name = shown_name(path.name)
    agreed = agreement.source(source.id)
    keys = agreed.signing_keys if agreed else []
    with open_zip(path, name) as archive:
        check_directory(archive, Meter(name, path.stat().st_size, Limits()), Limits())
        members = archive.infolist()
    entries = {m.filename: m for m in members}
    if sorted(m.filename for m in members) != sorted((MANIFEST_NAME, DATA_NAME)):
        raise PackageError(
            "package_without_manifest",
            f"{name} is not a package as lsoalink makes one: a signed manifest and one data file",
            "Send it as 'lsoalink pseudonymise' or 'lsoalink aggregate' wrote it",
        )
    try:
        manifest = verified(entry_content(path, entries[MANIFEST_NAME], MANIFEST_BYTES), keys, name)
    except SignatureError as error:
        raise PackageError(f"package_{error.reason}", error.problem, error.fix) from None
    _check_said(manifest, name, source, agreement, period, {*accepted_texts})
    data = entries[DATA_NAME]
    if manifest["kind"] == "aggregated":
        text = entry_content(path, data, CELLS_BYTES)
        _check_hash(hashlib.sha256(text).hexdigest(), manifest, name)
        exact = manifest["counts"]["profile"] == "exact"
        return Package(manifest, contract, _cells(text, name, exact=exact))
    _check_hash(_hash_of(path, data), manifest, name)
    read = reading_contract(contract, manifest)
    _check_records(path, data, manifest, name)
    return Package(manifest, read)


def _hash_of(path: Path, entry: zipfile.ZipInfo) -> str:
    digest = hashlib.sha256()
    for chunk in entry_chunks(path, entry):
        digest.update(chunk)
    return digest.hexdigest()


def _check_hash(found: str, manifest: Mapping[str, Any], name: str) -> None:
    if found != manifest["data"]["sha256"]:
        raise PackageError(
            "package_altered",
            f"The data file in {name} is not the one whose manifest the agency signed",
            "Do not use it; ask the agency to send the package again",
        )


def _check_said(
    manifest: dict[str, Any],
    name: str,
    source: Source,
    agreement: Agreement,
    period: str,
    accepted_texts: Collection[str],
) -> None:
    """Stop unless the manifest is of this source, period and text of the agreement."""
    again = "Make the package again from the current region folder"
    shape = _SHAPE | _SHAPE_OF_KIND.get(str(manifest.get("kind")), {"kind": type(None)})
    well = all(isinstance(manifest.get(key), kinds) for key, kinds in shape.items())
    if manifest.get("format") != FORMAT or not well:
        raise PackageError(
            "package_other_version",
            f"{name} was made by a version of lsoalink this one does not know",
            "Use the same version on both sides",
        )
    if manifest["source"] != source.id:
        raise PackageError(
            "package_other_source",
            f"{name} was made for another source than {source.id}",
            "Put it into the landing folder of its own source",
        )
    if manifest["period"] != period:
        raise PackageError(
            "package_other_period",
            f"{name} was made for {manifest['period'] or 'no month'}, not for the "
            f"{period or 'source as a whole'} its name says",
            "Send the package of that month; a package cannot be renamed",
        )
    made_under = manifest["agreement"]
    if made_under["id"] != agreement.id:
        raise PackageError(
            "package_other_agreement",
            f"{name} was made under {made_under['id']}, and {source.id} comes under {agreement.id}",
            again,
        )
    known = {agreement.text_sha256(), *accepted_texts}
    if made_under["text_sha256"] not in known:
        version = made_under["version"]
        differs = (
            f"version {version} of {agreement.id}, and the hub holds version {agreement.version}"
            if version != agreement.version
            else f"another text of {agreement.id} version {version} than the hub holds"
        )
        raise PackageError("package_other_text", f"{name} was made under {differs}", again)
    agreed = agreement.source(source.id)
    if opt_out_needed(agreement, source) and not manifest["opt_out"]:
        raise PackageError(
            "package_opt_out_missing",
            f"{name} does not say that the National Data Opt-out was applied",
            "Apply it and make the package again with --opt-out-removed N",
        )
    exact = manifest["kind"] == "aggregated" and manifest["counts"].get("profile") == "exact"
    if exact and agreed and agreed.counts_leave != "exact":
        raise PackageError(
            "package_exact_counts",
            f"{name} holds exact counts, and {agreement.id} lets protected ones leave alone",
            again,
        )


def _cells(text: bytes, name: str, *, exact: bool) -> tuple[tuple[str | None, ...], ...]:
    try:
        rows = list(csv.reader(io.StringIO(text.decode("utf-8"), newline="")))
    except (csv.Error, UnicodeDecodeError):
        rows = []
    good = bool(rows) and tuple(rows[0]) == CELL_COLUMNS
    if not good or any(
        len(row) != len(CELL_COLUMNS) or not _COUNT.fullmatch(row[4]) for row in rows[1:]
    ):
        raise PackageError(
            "package_not_counts",
            f"{name} does not hold counts by neighbourhood as its manifest says",
            "Make the package again with 'lsoalink aggregate'",
        )
    values = (int(row[CELL_COLUMNS.index("value")]) for row in rows[1:])
    rule = profile(PROFILE)
    if not exact and not all(could_be_shown(value, rule) for value in values):
        raise PackageError(
            "package_not_protected",
            f"{name} holds counts that did not go through the disclosure profile",
            "Make the package again with 'lsoalink aggregate'",
        )
    return tuple(tuple(cell or None for cell in row) for row in rows[1:])


def _check_records(
    path: Path, entry: zipfile.ZipInfo, manifest: Mapping[str, Any], name: str
) -> None:
    """Stop unless the data file has the columns the manifest names, and pseudonyms in theirs."""
    fates: Mapping[str, str] = manifest["columns"]
    wanted = [ROW_COLUMN, *(n for n, fate in fates.items() if fate in TRAVELLING)]
    if manifest.get("placed"):
        wanted += [*PLACE_COLUMNS]
    try:
        rows = csv.reader(entry_text(path, entry))
        headings = next(rows, [])
        places = [i for i, n in enumerate(headings) if fates.get(n) == PSEUDONYMISED]
        clear = {
            headings[i]
            for row in rows
            for i in places
            if i < len(row) and row[i] and not _PSEUDONYM.fullmatch(row[i])
        }
    except (csv.Error, UnicodeDecodeError):
        headings, clear = [], set()
    if sorted(headings) != sorted(wanted):
        raise PackageError(
            "package_other_columns",
            f"The data file in {name} does not have the columns its manifest names",
            "Make the package again with 'lsoalink pseudonymise'",
        )
    if clear:
        raise PackageError(
            "package_column_in_clear",
            f"{name} holds values of {', '.join(sorted(clear))} that are no pseudonyms",
            "Make the package again with 'lsoalink pseudonymise'",
        )


def reading_contract(contract: Contract, manifest: Mapping[str, Any]) -> Contract:
    """Return a contract as the data file of a package is to be read.

    The agency has read, typed and deduplicated the rows already: headings are ours, dates ISO,
    pseudonyms texts. Rows that differ only in what stayed behind must not count as repeats.
    """
    fates: Mapping[str, str] = manifest["columns"]
    hidden = {n for n, fate in fates.items() if fate in (PSEUDONYMISED, REDACTED)}
    plain: dict[str, Any] = {
        "headers": [], "position": None, "null_values": [], "date_format": None,
        "true_values": ["true"], "false_values": ["false"],
    }  # fmt: skip
    text: dict[str, Any] = {
        "type": "text", "codes": None, "code_list": None, "pattern": None, "separator": None,
        "minimum": None, "maximum": None, "additive": False,
    }  # fmt: skip
    columns = []
    for column in contract.columns:
        more = text if column.name in hidden else {}
        travels = fates.get(column.name) in TRAVELLING
        columns.append(
            column.model_copy(
                update={**plain, **more, "required": column.required and travels,
                        "nullable": column.nullable or not travels}
            )
        )  # fmt: skip
    columns += [
        as_delivered(c.coarsen) for c in contract.columns if c.coarsen and c.coarsen.into in fates
    ]
    more_columns = {ROW_COLUMN: "integer", **(PLACE_COLUMNS if manifest.get("placed") else {})}
    columns += [
        Column.model_validate({"name": n, "type": kind, "required": n == ROW_COLUMN})
        for n, kind in more_columns.items()
    ]
    # Equal texts have equal pseudonyms, so what is unique or filled in stays so; order does not.
    lasting = ("unique", "not_null")
    checks = [c for c in contract.checks if c.expect in lasting or not hidden & {*c.columns}]
    layout = FileFormat(broken_rows_allowed=contract.format.broken_rows_allowed)
    return contract.model_copy(
        update={"columns": columns, "checks": checks, "format": layout, "key": []}
    )
