"""Reason codes in words: what happened, what would fix it, and who must act.

Belongs here: the words for the codes that intake and the gate record. Does not belong here: when a
code applies. A code without words here is shown as it is written, never left out.
"""

from __future__ import annotations

from dataclasses import dataclass

AGENCY = "The supplying agency"
OFFICER = "The governance officer"
TEAM = "The data team"


@dataclass(frozen=True)
class Reason:
    """A reason in words, the fix, and who must act."""

    words: str
    fix: str
    who: str


REASONS = {
    "empty_file": Reason("The file is empty", "Send the file again", AGENCY),
    "unreadable": Reason("The file cannot be opened", "Check its permissions and place", TEAM),
    "too_large": Reason("The file is larger than allowed", "Split it, or raise the limit", TEAM),
    "truncated": Reason("The end of the file is missing", "Send the whole file again", AGENCY),
    "zip_bomb": Reason(
        "The archive expands to far more than it should", "Send the plain file", AGENCY
    ),
    "path_traversal": Reason(
        "The archive names files outside its own folder", "Send the plain file", AGENCY
    ),
    "xml_external_entity": Reason(
        "The workbook refers to outside files", "Save it again as plain values", AGENCY
    ),
    "not_utf8_or_cp1252": Reason("The file is not readable text", "Export it as UTF-8", AGENCY),
    "unknown_name": Reason(
        "The file name does not match its source", "Rename the file as declared", AGENCY
    ),
    "future_period": Reason("The file is for a month still to come", "Correct its name", AGENCY),
    "out_of_calendar": Reason(
        "The file is for a month outside the calendar", "Correct its name or the calendar", TEAM
    ),
    "duplicate_delivery": Reason(
        "The same file came twice", "Nothing: the first one counts", AGENCY
    ),
    "missing_column": Reason(
        "A required column is missing", "Send the file with the columns agreed", AGENCY
    ),
    "header_only": Reason("The file has headings but no rows", "Send the rows", AGENCY),
    "two_headers": Reason(
        "Two headings stand for one column", "Keep one of the two columns", AGENCY
    ),
    "broken_rows": Reason(
        "Too many rows cannot be read", "Correct the export and send it again", AGENCY
    ),
    "same_file_other_month": Reason(
        "The file is the same as an earlier month's", "Send that month's rows", AGENCY
    ),
    "wrong_month": Reason(
        "The rows are of another month than the file's name", "Send that month's rows", AGENCY
    ),
    "unreadable_file": Reason("The file cannot be read", "Export and send it again", AGENCY),
    "unreadable_boundaries": Reason(
        "The shapes cannot be used", "Ask the publisher's file again", TEAM
    ),
    "missing_sheet": Reason("The workbook lacks its sheet", "Send the sheet agreed", AGENCY),
    "encrypted": Reason("The file is locked by a password", "Send it unlocked", AGENCY),
    "not_one_file": Reason("The archive does not hold one file", "Send one file", AGENCY),
    "wrong_type": Reason("The file is of another kind than its name says", "Export again", AGENCY),
    "formula_cell": Reason("Cells hold formulas", "Export plain values", AGENCY),
    "contract_failed": Reason(
        "A blocking check failed", "Correct what the failed check names, then send again", AGENCY
    ),
    "source_not_agreed": Reason(
        "The agreement does not cover the source", "Amend the agreement", OFFICER
    ),
    "needed_column_not_agreed": Reason(
        "The agreement drops a column that is needed", "Amend the agreement", OFFICER
    ),
    "generalise_without_place": Reason(
        "The agreement generalises a column that places nothing", "Amend the agreement", OFFICER
    ),
    "agreement_expired": Reason(
        "The agreement had ended", "Renew the agreement, or stop the delivery", OFFICER
    ),
    "agreement_not_started": Reason(
        "The agreement had not begun", "Wait for its first day, or correct the date", OFFICER
    ),
    "purpose_not_agreed": Reason(
        "The agreement does not name this purpose", "Amend the agreement", OFFICER
    ),
    "undeclared_columns": Reason(
        "The file holds columns nobody declared; they were not read",
        "Leave them out next time",
        AGENCY,
    ),
    "late": Reason("It arrived after its due day", "Send it by the due day", AGENCY),
    "missing": Reason("It is due and has not arrived", "Send the file", AGENCY),
    "waiting": Reason("It arrived and has not been decided on", "Run the pipeline", TEAM),
}


def reason_of(code: str) -> Reason:
    """Return the words of a code; for an unknown one, the code itself made readable."""
    words = code.replace("_", " ").strip().capitalize() or "No reason was recorded"
    return REASONS.get(code, Reason(words, "See the run's report", TEAM))


def split_codes(text: object) -> list[str]:
    """Split a comma-separated list as the quality tables hold it; [] for NULL."""
    return [part.strip() for part in str(text or "").split(",") if part.strip()]
