"""The second stage: a delivery is held to its agreement and its contract, and what may be kept is.

Belongs here: the order of the steps, one delivery at a time. The newest version that passes is the
one that counts: a bad second version never takes away a good first one.
Does not belong here: the rules themselves (``governance/gate.py``, ``expectations/``), or reading.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from declarations.base import month_index, month_of
from declarations.contracts import Contract, Source
from declarations.declared import digest
from declarations.errors import GeographyError
from expectations.execution import run_suite
from expectations.suites import cached_suite
from governance.audit import AuditChain
from governance.gate import Circumstances, GateDecision, decide, trim
from governance.lifecycle.marks import may_read, words
from governance.lifecycle.withdrawal import withdrawn
from governance.policy import policy
from governance.pseudonyms import agreement_key, hmac_pads, pseudonym_sql
from governance.signatures import agreements_bound
from intake.arrival import accepted, earlier_twin, store_of
from intake.errors import ReadError, UnsafeFileError
from intake.packages import DELIVERED_AS_COUNTS, Package, PackageError
from intake.packages_taken import package_of, remember
from intake.reading import ReadReport, read_table
from intake.received import Delivery, ReceivedStore
from intake.records import read_record, remove_record, write_record
from intake.screening import identifiers_found, redact_free_text
from intake.typed import TypeReport, type_table
from warehouse.connection import run
from warehouse.kept_pseudonyms import kept_versions
from warehouse.lake import TableRef
from warehouse.provenance import fingerprint
from warehouse.sql import ident
from warehouse.workspace import Absent, Built, Kept, Workspace

if TYPE_CHECKING:
    import duckdb

    from expectations.outcomes import ContractOutcome

RAW, TYPED, FINAL = "delivery_raw", "delivery_typed", "delivery_final"


def admitted_table(source: Source) -> TableRef:
    """Return the table of a source's admitted deliveries: record level, encrypted."""
    return TableRef("restricted", f"admitted_{source.id}")


def circumstances_of(workspace: Workspace, source: Source) -> Circumstances:
    """Return what the gate must know of a source beside its agreement and the delivery."""
    stopped = withdrawn(workspace.root).get(source.agreement)
    return Circumstances(
        uses=workspace.declared.uses[source.id],
        withdrawn_on=stopped.day if stopped else None,
        signed_before=source.agreement in agreements_bound(workspace.root),
    )


def admit(workspace: Workspace, source: Source, period: str) -> Built:
    """Admit, trim, refuse or quarantine what a source delivered for a period.

    Parameters
    ----------
    period : str
        ``YYYY-MM``, or ``all`` for a source delivered once.

    Returns
    -------
    Built
        ``absent`` where nothing was delivered, or nothing that was could be admitted.
    """
    store = store_of(workspace)
    deliveries = accepted(store, source, period)
    contract = workspace.declared.contract_of(source)
    agreement = workspace.declared.agreement_of(source)
    # A contract with a month column finds such a file by its rows, whichever month came first.
    twins = {
        d.version: None if contract.month_column else earlier_twin(store, d) for d in deliveries
    }
    pseudonyms = pseudonym_version(workspace, source, period)
    wanted = fingerprint(
        ["admitted", source.id, period, workspace.code_version],
        [digest(contract, source, agreement, policy()), workspace.declared.region.purpose],
        circumstances_of(workspace, source).as_lines(agreement),
        [pseudonyms],
        [f"{d.version}:{d.sha256}:{d.arrived_on}:{twins[d.version]}" for d in deliveries],
    )

    readable = {
        d.version for d in deliveries if may_read(workspace.root, source.id, period, d.version)
    }
    kept = None
    if deliveries and not readable:
        newest = _Attempt(workspace, source, contract, deliveries[0], store)
        if newest.decision.decision != "refused":
            kept = Kept(words(workspace.root, source.id, period))

    def produce(connection: duckdb.DuckDBPyConnection) -> str | Absent | Kept:
        if not deliveries:
            remove_record(workspace, "decisions", source.id, period)
            return Absent("nothing was delivered")
        audit = AuditChain(workspace.root / "audit", workspace.keys)
        rows: list[dict[str, Any]] = []
        checks: list[dict[str, Any]] = []
        query: str | Absent | Kept | None = None
        for delivery in deliveries:
            attempt = _Attempt(workspace, source, contract, delivery, store)
            if delivery.version not in readable and attempt.decision.decision != "refused":
                # What was decided while it could be read still stands, and so does its table.
                before = read_record(workspace, "decisions", source.id, period) or {}
                for kind, into in (("decisions", rows), ("checks", checks)):
                    known = before.get(kind, ())
                    into.extend(r for r in known if r["version"] <= delivery.version)
                query = Kept(words(workspace.root, source.id, period))
                break
            query = attempt.run(connection, twins[delivery.version])
            rows.append(attempt.row())
            checks.extend(attempt.checks)
            audit.append(
                "gate_decision", source=source.id, period=period, version=delivery.version,
                sha256=delivery.sha256, decision=attempt.decision.decision,
                reasons=list(attempt.decision.reasons), agreement=agreement.id,
                agreement_version=agreement.version, clause=attempt.decision.clause,
                agreement_text=agreement.text_sha256(), signatures_bound=agreement.is_bound,
                rows_kept=attempt.rows_kept,
            )  # fmt: skip
            if query is not None:
                break
        write_record(
            workspace, "decisions", source.id, period, {"decisions": rows, "checks": checks}
        )
        return query if query is not None else Absent(rows[0]["message"])

    return workspace.build(
        admitted_table(source), period=period, fingerprint=wanted, produce=produce,
        inputs=[f"{d.source_id}/{d.file_name} sha256:{d.sha256}" for d in deliveries],
        pseudonyms=pseudonyms, kept=kept,
    )  # fmt: skip


def pseudonym_version(workspace: Workspace, source: Source, period: str) -> str:
    """Return the version of the key of a table's pseudonyms; empty where it has none.

    The agreement's current key, unless it was decided to keep the pseudonyms of an earlier one
    because no original is held to make the table again from.
    """
    agreement = workspace.declared.agreement_of(source)
    agreed = agreement.source(source.id)
    if agreed is None or all(c.action != "pseudonymise" for c in agreed.columns):
        return ""
    kept = kept_versions(workspace.root).get(f"{source.id}/{period}")
    if kept is not None:
        store = store_of(workspace)
        deliveries = accepted(store, source, period)
        if all(store.stored_path(delivery) is None for delivery in deliveries):
            return kept
    return workspace.keys.agreement_key_version(agreement.id)


class _Attempt:
    """One delivery on its way through the gate, the reader and the contract."""

    def __init__(
        self,
        workspace: Workspace,
        source: Source,
        contract: Contract,
        delivery: Delivery,
        store: ReceivedStore,
    ) -> None:
        self._workspace = workspace
        self._source = source
        self._contract = contract
        self._delivery = delivery
        self._store = store
        self._agreement = workspace.declared.agreement_of(source)
        self.decision = decide(
            self._agreement,
            source,
            contract,
            purpose=workspace.declared.region.purpose,
            delivered_on=delivery.arrived_on,
            circumstances=circumstances_of(workspace, source),
        )
        self.checks: list[dict[str, Any]] = []
        self._read: ReadReport | None = None
        self._typed: TypeReport | None = None
        self.rows_kept = 0
        self._other_months = 0
        self._redacted: dict[str, int] = {}
        self._package: Package | None = None

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
        for column in self._contract.columns:
            if column.name in self.decision.pseudonymise:
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
            parameters, table=admitted_table(self._source).name,
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
            "columns_kept": ", ".join(self.decision.stored),
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
