"""An agreement as a page that a lawyer can read, without knowing the file.

Belongs here: every field in plain words, and what depends on the agreement. Does not belong here:
how a page is written (``governance/reports/pages.py``).
"""

from __future__ import annotations

import datetime as dt

from declarations.agreements import AgreedColumn, AgreedSource, Agreement, Amendment
from declarations.declared import RegionDeclarations
from governance.agreement_text.lights import (
    dspt_light,
    force_light,
    opt_out_light,
    review_light,
    signature_light,
)
from governance.agreement_text.words import (
    CLASSES,
    GEOGRAPHIES,
    ROLES,
    ZONES,
    count_words,
    day_words,
    fate,
    listed,
    phrase,
)
from governance.reports.pages import Bullets, Cell, Facts, Grid, Light, Page, Section, Text

NOT_SAID = Light("none", "The agreement does not say")
UNNAMED_FATE = "Not named, so it is not read."


def agreement_page(
    agreement: Agreement,
    declared: RegionDeclarations,
    today: dt.date,
    *,
    withdrawn_on: dt.date | None = None,
    synthetic: str = "",
) -> Page:
    """Return the page of one agreement.

    Parameters
    ----------
    withdrawn_on : datetime.date, optional
        Day it was withdrawn, if it was.
    synthetic : str
        Words that mark a synthetic region; empty for a real one.
    """
    sections = [
        _standing(agreement, declared, today, withdrawn_on),
        _who(agreement),
        _law(agreement),
        *(_source(s, declared, number) for number, s in enumerate(agreement.sources)),
        _outputs(agreement, declared),
        _access(agreement),
        _retention(agreement),
        _dependents(agreement, declared),
        _signed(agreement),
    ]
    return Page(
        title=agreement.title,
        eyebrow=f"{agreement.id}, version {agreement.version}",
        lead=agreement.aims or f"For: {listed(agreement.purposes)}.",
        banner=synthetic,
        sections=tuple(sections),
        foot=(
            ("Made from", f"agreements/{agreement.id}.yaml of {declared.region.title}"),
            ("As of", day_words(today)),
            ("Text", agreement.text_sha256()),
        ),
    )


def _said(value: str | None) -> Cell:
    return value or NOT_SAID


def suppliers(agreement: Agreement, declared: RegionDeclarations) -> list[str]:
    """Return the agencies that send health or care records under an agreement."""
    return sorted(
        {
            declared.sources[s.id].agency
            for s in agreement.sources
            if s.health_or_care and s.id in declared.sources
        }
    )


def _standing(
    agreement: Agreement,
    declared: RegionDeclarations,
    today: dt.date,
    withdrawn_on: dt.date | None,
) -> Section:
    rows: tuple[tuple[str, Cell], ...] = (
        ("In force", force_light(agreement, today, withdrawn_on)),
        ("Next review", review_light(agreement, today)),
        ("Security of the agencies (DSPT)",
         dspt_light(agreement, today, suppliers(agreement, declared))),
        ("National Data Opt-out", opt_out_light(agreement, today)),
        ("Signatures", signature_light(agreement)),
    )  # fmt: skip
    return Section("standing", "Where it stands", (Facts(rows),))


def _who(agreement: Agreement) -> Section:
    rows: tuple[tuple[str, Cell], ...] = (
        ("Parties", listed(agreement.parties)),
        ("Controllers", listed(agreement.controllers)),
        ("Purposes", listed(agreement.purposes)),
        ("In words", _said(agreement.aims)),
        ("Recipients", listed(agreement.recipients)),
        ("Onward sharing", agreement.onward_sharing),
        ("Transfers out of the UK", agreement.transfers),
        ("Data protection contact", _said(agreement.contact)),
        ("Where people can read of it", _said(agreement.privacy_notice)),
        ("Where people can complain", _said(agreement.complaints)),
    )
    return Section("who", "Who and what for", (Facts(rows),))


def _law(agreement: Agreement) -> Section:
    if agreement.kind == "open_licence":
        rows: tuple[tuple[str, Cell], ...] = (
            ("Licence", _said(agreement.licence)),
            ("Words of attribution", _said(agreement.attribution)),
        )
        return Section("law", "The licence", (Facts(rows),))
    rows = (
        ("Lawful basis (Article 6)", _said(agreement.lawful_basis)),
        ("Statute", _said(agreement.statute)),
        ("Special categories (Article 9)", _said(agreement.special_condition)),
        ("Criminal offences (Article 10)", _said(agreement.criminal_condition)),
        ("Confidentiality", _said(agreement.confidentiality_basis)),
        ("Gateway, Digital Economy Act 2017", agreement.dea_gateway),
        ("Security measures", _said(agreement.security_measures)),
    )
    return Section("law", "The law it rests on", (Facts(rows),))


def _source(agreed: AgreedSource, declared: RegionDeclarations, number: int) -> Section:
    source = declared.sources.get(agreed.id)
    facts: list[tuple[str, Cell]] = [
        ("Sent by", source.agency if source else NOT_SAID),
        ("About", _said(agreed.subjects)),
        ("Finest geography", phrase(GEOGRAPHIES, agreed.minimum_geography)),
        ("Counts that may leave the agency",
         "protected" if agreed.counts_leave == "protected" else "exact, by neighbourhood"),
    ]  # fmt: skip
    if agreed.controller:
        facts.append(("Controller", agreed.controller))
    if agreed.health_or_care:
        facts.append(("Kind", "Confidential health or care records"))
    if agreed.criminal_offence:
        facts.append(("Kind", "Criminal-offence data"))
    if agreed.from_date:
        facts.append(("Covered from", day_words(agreed.from_date)))
    if agreed.signing_keys:
        facts.append(("Signing keys", listed(f"{key[:12]}…" for key in agreed.signing_keys)))
    rows = [
        (c.name, phrase(CLASSES, c.class_).capitalize(), _fate(c)) for c in agreed.columns
    ]  # fmt: skip
    named = {c.name for c in agreed.columns}
    if source is not None:
        rows += [
            (c.name, "Not in the agreement", UNNAMED_FATE)
            for c in declared.contract_of(source).columns
            if c.name not in named
        ]
    grid = Grid("Columns and what becomes of each", ("Column", "Class", "What becomes of it"),
                tuple(rows))  # fmt: skip
    title = f"Source: {source.title if source else agreed.id}"
    return Section(f"source-{number + 1}", title, (Facts(tuple(facts)), grid))


def _fate(column: AgreedColumn) -> str:
    words = fate(column)
    if column.redaction is not None:
        words += f" At least {column.redaction.minimum_recall:.0%} of identifiers must be found."
    since = column.from_date
    return f"{words} From {day_words(since)}." if since else words


def _outputs(agreement: Agreement, declared: RegionDeclarations) -> Section:
    if agreement.kind == "open_licence":
        return Section("outputs", "What may be published", (Text("Everything, with the words of "
                       "attribution."),))  # fmt: skip
    rows = []
    for output in agreement.permitted_outputs:
        indicator = declared.indicators.get(output.indicator)
        rows.append(
            (
                output.indicator,
                indicator.title if indicator else "Not an indicator of this region",
                phrase(GEOGRAPHIES, output.geography), output.frequency, output.profile,
            )
        )  # fmt: skip
    blocks: list[Grid | Text | Bullets] = [
        Grid(
            "Permitted outputs",
            ("Indicator", "Title", "Finest geography", "At most", "Disclosure profile"),
            tuple(rows),
        )
    ]
    if not rows:
        blocks = [Text("Nothing may be published from it.")]
    if agreement.permitted_linkages:
        blocks += [
            Text("Its data may meet that of:"),
            Bullets(tuple(
                f"{k.agreement}, " + ("counts of the same neighbourhood" if k.level == "area"
                                      else "records of the same person, by pseudonym")
                for k in agreement.permitted_linkages
            )),
        ]  # fmt: skip
    else:
        blocks.append(Text("Its data may not meet that of any other agreement."))
    return Section("outputs", "What may be published", tuple(blocks))


def _access(agreement: Agreement) -> Section:
    named = {str(r.role): r for r in agreement.permitted_roles}
    rows = []
    for role, words in ROLES.items():
        zones = named[role].zones if role in named else []
        may = listed((phrase(ZONES, zone) for zone in zones), nothing="nothing")
        rows.append((words.capitalize(), may))
    return Section("access", "Who may read what", (Grid("Roles", ("Who", "May read"),
                                                        tuple(rows)),))  # fmt: skip


def _retention(agreement: Agreement) -> Section:
    kept = agreement.retention
    if kept is None:
        return Section("retention", "How long it is kept", (Text("No limit is set: a licence."),))
    for_good = kept.published_days is None
    published = "kept for good" if for_good else count_words(kept.published_days or 0, "day")
    rows: tuple[tuple[str, Cell], ...] = (
        ("Originals as sent", count_words(kept.received_days, "day")),
        ("Record-level tables", count_words(kept.restricted_days, "day")),
        ("Exact counts by neighbourhood", count_words(kept.linked_days, "day")),
        ("Releases", published),
        ("After the end of the agreement",
         f"originals and records are gone within {count_words(kept.after_end_days, 'day')}"),
        ("After a withdrawal",
         f"everything is gone within {count_words(kept.after_withdrawal_days, 'day')}"),
        ("How it is disposed of", agreement.disposal),
    )  # fmt: skip
    return Section("retention", "How long it is kept", (Facts(rows),))


def _dependents(agreement: Agreement, declared: RegionDeclarations) -> Section:
    sources = [s for s in declared.sources.values() if s.agreement == agreement.id]
    indicators = [
        i for i in declared.indicators.values() if agreement in declared.agreements_behind(i)
    ]
    rows: tuple[tuple[str, Cell], ...] = (
        ("Sources", listed(f"{s.title} ({s.agency})" for s in sources)),
        ("Indicators", listed(f"{i.id} {i.title}" for i in indicators)),
    )
    text = Text("If the agreement were withdrawn, these would stop:")
    return Section("dependents", "What depends on it", (text, Facts(rows)))


def _signed(agreement: Agreement) -> Section:
    fingerprint = agreement.text_sha256()
    rows = tuple(
        (
            f"{s.role}, {s.organisation}", day_words(s.date),
            Light("soon", "Not bound to a text") if s.signed_sha256 is None
            else Light("good", "This text") if s.signed_sha256 == fingerprint
            else Light("bad", "Another text"),
        )
        for s in agreement.signatories
    )  # fmt: skip
    blocks: list[Text | Grid] = [
        Text("To sign this text, put its fingerprint beside the signature as signed_sha256. Any "
             "later change of the text then stops every delivery until it is signed again."),
        Text(f"Fingerprint of the text: {fingerprint}"),
        Grid("Signatories", ("Who", "Signed on", "What was signed"), rows),
    ]  # fmt: skip
    if agreement.amendments:
        changes = tuple(
            (a.version, day_words(a.date), _amended(a), listed(a.signed_by))
            for a in agreement.amendments
        )
        headings = ("Version", "Date", "What changed", "Signed by")
        blocks.append(Grid("Amendments", headings, changes))
    return Section("signed", "Signatures and amendments", tuple(blocks))


def _amended(amendment: Amendment) -> str:
    if amendment.previous_expiry is None:
        return amendment.summary
    return f"{amendment.summary} (it had ended on {day_words(amendment.previous_expiry)})"
