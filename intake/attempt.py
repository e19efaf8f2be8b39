"""One delivery held to its agreement and its contract: what of it may be kept, and why not.

Belongs here: the order of the steps for one version of one delivery, and the same steps without an
agreement for an agency that asks beforehand. Does not belong here: which versions are tried
(``admission.py``), the rules themselves (``governance/gate.py``, ``expectations/``), or reading.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from declarations.base import month_index, month_of
from declarations.contracts import Contract, Source
from declarations.errors import GeographyError
from expectations.execution import run_suite
from expectations.suites import cached_suite
from governance.gate import Circumstances, GateDecision, decide, trim
from governance.pseudonyms import agreement_key, hmac_pads, pseudonym_sql
from intake.coarsening import coarsen_sql, coarsened, stored_names
from intake.errors import ReadError, UnsafeFileError
from intake.packages import DELIVERED_AS_COUNTS, Package, PackageError
from intake.packages_taken import package_of, remember
from intake.reading import ReadReport, read_table
from intake.received import Delivery, ReceivedStore
from intake.records import write_record
from intake.screening import identifiers_found, redact_free_text
from intake.typed import TypeReport, type_table
from warehouse.connection import run
from warehouse.lake import TableRef
from warehouse.sql import ident
from warehouse.workspace import Absent, Workspace

if TYPE_CHECKING:
    import duckdb

    from expectations.outcomes import ContractOutcome

RAW, TYPED, FINAL = "delivery_raw", "delivery_typed", "delivery_final"


class Attempt:
    """One delivery on its way through the gate, the reader and the contract.

    Parameters
    ----------
    workspace : Workspace
    source : Source
    delivery : Delivery
        The version that is tried.
    store : ReceivedStore
        Where its original is held.
    circumstances : Circumstances
        What the gate must know beside the agreement and the delivery.
    into : TableRef
        The table it is kept in, named by errors.

    Attributes
    ----------
    decision : GateDecision
        The gate's, from the start; what `run` finds out may turn it.
    checks : list of dict
        Rows of the ``checks`` table; empty before `run`.
    rows_kept : int
        Rows that may be kept; 0 before `run`, and if the delivery is held back.
    """

    def __init__(
        self,
        workspace: Workspace,
        source: Source,
        delivery: Delivery,
        store: ReceivedStore,
        *,
        circumstances: Circumstances,
        into: TableRef,
    ) -> None:
        self._workspace = workspace
        self._source = source
        self._contract = workspace.declared.contract_of(source)
        self._delivery = delivery
        self._store = store
        self._into = into
        self._agreement = workspace.declared.agreement_of(source)
        self.decision = decide(
            self._agreement,
            source,
            self._contract,
            purpose=workspace.declared.region.purpose,
            delivered_on=delivery.arrived_on,
            circumstances=circumstances,
        )
        self.checks: list[dict[str, Any]] = []
        self._read: ReadReport | None = None
        self._typed: TypeReport | None = None
        self.rows_kept = 0
        self._other_months = 0
        self._redacted: dict[str, int] = {}
        self._package: Package | None = None

    @property
    def identifiers_redacted(self) -> int | None:
        """How many identifiers were taken out of free text; None where none was looked for."""
        return sum(self._redacted.values()) if self._redacted else None

    def run(self, connection: duckdb.DuckDBPyConnection, twin: str | None) -> str | Absent | None:
        """Return the SELECT of what may be kept, or None if the delivery is held back.

        Of a package of counts nothing is kept here: then it returns why the table is absent.
        """
        if self.decision.decision == "refused":
            return None
        if twin is not None:
            self._hold(
                "same_file_other_month",
                f"The file holds the same bytes as the delivery of {twin}, so it is not of "
                f"{self._delivery.period}. Send the rows of that month.",
            )
            return None
        # Opened only now: of what is refused not even a copy is made.
        with self._store.open(self._delivery) as original:
            if not self._unpack(original):
                return None
            package = self._package
            if package is None:
                return self._run_on(connection, original)
            counts = package.kind == "aggregated"
            kept = Absent(DELIVERED_AS_COUNTS) if counts else self._run_on(connection, original)
            self.checks = package.check_rows(self.checks, self._delivery.version)
        if kept is not None:
            remember(self._workspace.root, self._delivery, package)
        return kept

    def _unpack(self, original: Path) -> bool:
        """Open a package, if the delivery is one; return False if it must not be believed."""
        try:
            package = package_of(self._workspace, self._source, self._delivery, original)
            if package is not None:
                self.decision = package.taken(self.decision)
                self._contract = package.contract
            self._package = package
        except PackageError as error:
            self.decision = error.as_decision(self._source)
            return False
        except UnsafeFileError as error:
            self._hold(error.reason, str(error))
            return False
        return True

    def _run_on(self, connection: duckdb.DuckDBPyConnection, original: Path) -> str | None:
        for leftover in (RAW, TYPED, FINAL):
            # A version that was held back leaves its tables, and the one before it is tried next.
            run(connection, f"DROP TABLE IF EXISTS {ident(leftover)}", table=self._source.id)
        try:
            self._read = self._read_file(connection, original)
            if self._agreement.kind != "open_licence":
                self._read = self._read.without_people()
            self.decision = trim(
                self.decision,
                self._agreement,
                self._read.undeclared_in_words,
                self._read.columns_unnamed,
            )
            outcome = self._check(connection)
        except (ReadError, UnsafeFileError) as error:
            self._hold(error.reason, str(error))
            return None
        except GeographyError as error:
            self._hold("unreadable_boundaries", str(error))
            return None
        if self._typed is not None and self._typed.too_broken:
            broken = self._typed.rows_unreadable + self._read.rows_broken
            columns = ", ".join(sorted(self._typed.unreadable)) or "fields missing or too many"
            self._hold(
                "broken_rows",
                f"{broken} of {self._read.rows_read} rows cannot be read ({columns}), more than "
                f"the {self._contract.format.broken_rows_allowed:.0%} allowed. Correct the file "
                "and send it again.",
            )
            return None
        if self._too_many_other_months():
            return None
        if outcome.blocking_failures:
            failed = outcome.blocking_failures
            self._hold(
                "contract_failed",
                " ".join(check.meaning for check in failed[:3]),
                *(check.check_id for check in failed),
            )
            return None
        return self._keep(connection, original)

    def _read_file(self, connection: duckdb.DuckDBPyConnection, original: Path) -> ReadReport:
        return read_table(
            connection, original, self._contract, self._source, RAW, work=self._workspace.spill,
            name=self._delivery.file_name,
        )  # fmt: skip

    def _check(self, connection: duckdb.DuckDBPyConnection) -> ContractOutcome:
        stored = set(self.decision.stored)
        read = self._read
        self._typed = type_table(
            connection, RAW, self._contract, stored, TYPED,
            rows_broken=read.rows_broken if read else 0,
        )  # fmt: skip
        run(connection, f"DROP TABLE {ident(RAW)}", table=self._source.id)
        self._drop_other_months(connection)
        suite = cached_suite(self._contract, self._source, stored)
        outcome = run_suite(
            connection, TYPED, suite, source_id=self._source.id, period=self._delivery.period,
            version=self._delivery.version,
        )  # fmt: skip
        self.checks = outcome.as_rows()
        return outcome

    def _drop_other_months(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Leave out rows of another month than the file's name says; too many hold it back."""
        column, period = self._contract.month_column, self._delivery.period
        if column is None or not period or column not in self.decision.stored:
            return
        first = month_of(month_index(period) - self._source.months + 1)
        stray = run(
            connection,
            f"DELETE FROM {ident(TYPED)} WHERE {ident(column)} NOT BETWEEN ? AND ?",
            [first, period],
            table=TYPED,
        ).fetchone()
        self._other_months = int(stray[0]) if stray else 0

    def _too_many_other_months(self) -> bool:
        if self._read is None or not self._other_months:
            return False
        allowed = self._contract.format.broken_rows_allowed * max(1, self._read.rows_read)
        if self._other_months <= allowed:
            return False
        self._hold(
            "wrong_month",
            f"{self._other_months} of {self._read.rows_read} rows are of another month in "
            f"{self._contract.month_column} than the {self._delivery.period} of the file's name. "
            "Correct the name, or send the rows of that month.",
        )
        return True

    def _keep(self, connection: duckdb.DuckDBPyConnection, original: Path) -> str | None:
        self.decision, self._redacted = redact_free_text(
            connection, TYPED, self.decision, self._agreement, self._source
        )
        key = agreement_key(self._workspace.keys, self._agreement.id)
        names = ["record_id"]
        parameters: list[bytes] = []
        coarse = coarsened(self._contract, self.decision.generalise)
        for column in self._contract.columns:
            if column.name in coarse:
                names.append(coarsen_sql(column.name, coarse[column.name]))
            elif column.name in self.decision.pseudonymise:
                names.append(f"{pseudonym_sql(column.name)} AS {ident(column.name)}")
                parameters.extend(hmac_pads(key))
            elif column.name in self.decision.stored:
                names.append(ident(column.name))
        source = ident(TYPED)
        if self._contract.format.type == "boundaries":
            source = self._with_geometry(connection, original)
            names.append("geometry")
        run(
            connection,
            f"CREATE OR REPLACE TABLE {ident(FINAL)} AS SELECT {', '.join(names)} FROM {source}",
            parameters, table=self._into.name,
        )  # fmt: skip
        found = identifiers_found(
            connection, FINAL, self.decision, self._agreement, self._contract,
            today=self._workspace.today(),
        )  # fmt: skip
        if found:
            self._hold(
                "identifier_in_column",
                f"{'; '.join(found)}. Nothing was stored. Leave the column out, or have the "
                "agreement drop or pseudonymise it.",
            )
            return None
        count = connection.execute(f"SELECT count(*) FROM {ident(FINAL)}").fetchone()
        self.rows_kept = int(count[0]) if count else 0
        return f"SELECT * FROM {ident(FINAL)} ORDER BY record_id"

    def _with_geometry(self, connection: duckdb.DuckDBPyConnection, original: Path) -> str:
        """Read the shapes of a boundary file and join them by code, as WKB in EPSG:27700.

        What was done to the shapes is recorded: nothing of it can be seen in the admitted table.
        """
        import pyarrow as pa  # noqa: PLC0415

        from geography.boundaries import read_boundaries  # noqa: PLC0415
        from intake.containers import expanded  # noqa: PLC0415

        code = self._contract.key[0]
        heading = (self._read.heading_map if self._read else {})[code]
        with expanded(original, self._workspace.spill) as plain:
            frame, report = read_boundaries(plain, {code: heading}, self._contract.format.crs)
        shapes = pa.table(
            {code: frame[code].astype(str).tolist(), "geometry": frame.geometry.to_wkb().tolist()}
        )
        connection.register("boundary_shapes", shapes)
        period = self._delivery.period or "all"
        write_record(self._workspace, "outlines", self._source.id, period, asdict(report))
        if report.repaired or report.duplicates or report.empty:
            note = (
                f" {report.repaired} shapes were repaired, {report.duplicates} joined to another "
                f"of the same code, {report.empty} left out as empty."
            )
            self.decision = replace(self.decision, message=self.decision.message + note)
        return (
            f"(SELECT t.*, s.geometry FROM {ident(TYPED)} t "
            f"JOIN boundary_shapes s USING ({ident(code)}))"
        )

    def _hold(self, reason: str, message: str, *more: str) -> None:
        self.decision = GateDecision(
            "quarantined", (reason, *more), message, f"contract {self._contract.id}"
        )

    def row(self) -> dict[str, Any]:
        """Return the delivery's row of the ``decisions`` table."""
        read, typed = self._read, self._typed
        unnamed = read.columns_unnamed if read else 0
        undeclared = read.undeclared_in_words if read else []
        if unnamed:
            undeclared.append(f"({unnamed} not named)")
        row = {
            "source_id": self._source.id,
            "period": self._delivery.period,
            "version": self._delivery.version,
            "decision": self.decision.decision,
            "reasons": ", ".join(self.decision.reasons),
            "message": self.decision.message,
            "clause": self.decision.clause,
            "agreement_id": self._agreement.id,
            "agreement_version": self._agreement.version,
            "columns_kept": ", ".join(
                stored_names(self._contract, self.decision.stored, self.decision.generalise)
            ),
            "columns_dropped": ", ".join(self.decision.drop),
            "columns_redacted": ", ".join(self.decision.redact),
            "columns_undeclared": ", ".join(undeclared),
            "rows_read": read.rows_read if read else 0,
            "rows_filtered": read.rows_filtered if read else 0,
            "rows_broken": (read.rows_broken if read else 0)
            + (typed.rows_unreadable if typed else 0)
            + self._other_months,
            "rows_formula": typed.rows_formula if typed else 0,
            "rows_duplicate": typed.rows_duplicate if typed else 0,
            "rows_kept": self.rows_kept,
        }
        return self._package.delivery_row(row) if self._package else row


def contract_report(
    connection: duckdb.DuckDBPyConnection, path: Path, contract: Contract, source: Source
) -> tuple[ReadReport, TypeReport, ContractOutcome]:
    """Hold a file to its contract alone, as an agency may do before it sends the file.

    Raises
    ------
    ReadError, UnsafeFileError
        If the file cannot be read as the contract says.
    """
    read = read_table(connection, path, contract, source, RAW)
    stored = {c.name for c in contract.columns}
    typed = type_table(connection, RAW, contract, stored, TYPED, rows_broken=read.rows_broken)
    outcome = run_suite(connection, TYPED, cached_suite(contract, source), source_id=source.id)
    return read, typed, outcome
