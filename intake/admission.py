"""The second stage: of the versions a source delivered, the newest that passes is kept.

Belongs here: which versions are tried, in which order, and what is recorded of each. The newest
version that passes is the one that counts: a bad second version never takes away a good first one.
Does not belong here: what happens to one version (``attempt.py``), the rules themselves
(``governance/gate.py``, ``expectations/``), or reading.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from declarations.contracts import Source
from declarations.declared import digest
from governance.audit import AuditChain
from governance.gate import Circumstances
from governance.lifecycle.marks import may_read, words
from governance.lifecycle.withdrawal import withdrawn
from governance.policy import policy
from governance.signatures import agreements_bound
from intake.arrival import accepted, earlier_twin, store_of
from intake.attempt import Attempt
from intake.received import Delivery, ReceivedStore
from intake.records import read_record, remove_record, write_record
from warehouse.kept_pseudonyms import kept_versions
from warehouse.lake import TableRef
from warehouse.provenance import fingerprint
from warehouse.workspace import Absent, Built, Kept, Workspace

if TYPE_CHECKING:
    import duckdb


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
        newest = _attempt(workspace, source, deliveries[0], store)
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
            attempt = _attempt(workspace, source, delivery, store)
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
                rows_kept=attempt.rows_kept, identifiers_redacted=attempt.identifiers_redacted,
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


def _attempt(
    workspace: Workspace, source: Source, delivery: Delivery, store: ReceivedStore
) -> Attempt:
    # Asked anew for each version: an agreement may be withdrawn while an earlier one is read.
    return Attempt(
        workspace, source, delivery, store, circumstances=circumstances_of(workspace, source),
        into=admitted_table(source),
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
