"""The register as a page, in the order of the Five Safes.

Belongs here: what the page shows and in which order (domain dossier, section 2.3). Does not belong
here: gathering it (``register.py``).
"""

from __future__ import annotations

from declarations.agreements import Agreement
from governance.agreement_text.lights import signature_light
from governance.agreement_text.words import (
    GEOGRAPHIES,
    ROLES,
    ZONES,
    count_words,
    day_words,
    kept_as,
    listed,
    phrase,
)
from governance.reports.due_dates import KIND_WORDS, MONTHS_AHEAD, ahead, behind, timeline
from governance.reports.pages import (
    STATES_IN_WORDS,
    Bullets,
    Cell,
    Grid,
    Light,
    Page,
    Section,
    Text,
)
from governance.reports.register import Entry, Register


def register_page(register: Register) -> Page:
    """Return the page of the register."""
    region = register.declared.region
    return Page(
        title=f"Register of agreements: {region.title}",
        eyebrow="Information governance",
        lead=f"As of {day_words(register.today)}. Internal page of the governance officers.",
        banner=register.synthetic,
        sections=(
            _now(register),
            _calendar(register),
            _sources(register),
            _projects(register),
            _people(register),
            _settings(register),
            _data(register),
            _outputs(register),
        ),
        foot=(
            ("Made from", "the region's agreements and sources, and the state of its data folder"),
            ("The same for machines", "register.csv and calendar.ics beside this page"),
            ("Owner", listed(region.owners)),
        ),
    )


def _sharing(register: Register) -> list[Agreement]:
    return [a for a in register.declared.agreements.values() if a.kind != "open_licence"]


def needs_action(register: Register) -> list[Light]:
    """Return what an officer must see to, what must be done now before what is due soon."""
    items: list[Light] = []
    for agreement_id, record in sorted(register.withdrawals.items()):
        items.append(Light("bad", f"{agreement_id} is withdrawn: {record.reason}"))
    seen: set[str] = set()
    for entry in register.entries:
        for what, light in (("", entry.force), ("Review", entry.review), ("DSPT", entry.dspt),
                            ("National Data Opt-out", entry.opt_out)):  # fmt: skip
            words = f"{entry.agreement.id}: {what + ': ' if what else ''}{light.words}"
            if light.state in ("bad", "soon") and words not in seen and not entry.withdrawal:
                seen.add(words)
                items.append(Light(light.state, words))
    late = [d for d in behind(register.days, register.today) if d.kind == "disposal"]
    per: dict[str, int] = {}
    for due in late:
        per[due.agreement] = per.get(due.agreement, 0) + 1
    items += [
        Light("bad", f"{name}: disposals of {count_words(number, 'month')} are overdue")
        for name, number in sorted(per.items())
    ]
    return sorted(items, key=lambda light: light.state != "bad")


def _now(register: Register) -> Section:
    items = needs_action(register)
    blocks = (Bullets(tuple(items)),) if items else (Text("Nothing: all is in order."),)
    legend = Bullets(tuple(Light(state, words) for state, words in STATES_IN_WORDS.items()))
    return Section("now", "What needs action", (*blocks, Text("What the lights mean:"), legend))


def _calendar(register: Register) -> Section:
    coming = ahead(register.days, register.today)
    rows = tuple((day_words(d.day), KIND_WORDS[d.kind].capitalize(), d.words) for d in coming)
    blocks: tuple[object, ...] = (Text(f"Nothing falls in the next {MONTHS_AHEAD} months."),)
    if coming:
        blocks = (
            timeline(coming, register.today),
            Grid(f"Days of the next {MONTHS_AHEAD} months", ("Day", "Kind", "What"), rows, True),
        )
    return Section("calendar", f"The next {MONTHS_AHEAD} months", blocks)  # type: ignore[arg-type]


def _sources(register: Register) -> Section:
    rows = tuple(
        (
            f"{e.source.title}",
            e.source.agency,
            f"{e.agreement.id} (version {e.agreement.version})",
            e.force,
            e.agreement.lawful_basis or e.agreement.licence or "–",  # noqa: RUF001 - a dash
            e.dspt,
            e.opt_out,
            e.review,
            _state(e),
        )
        for e in register.entries
    )
    headings = (
        "Source", "Agency", "Agreement", "In force", "Lawful basis or licence", "DSPT",
        "National Data Opt-out", "Next review", "Withdrawn or on hold",
    )  # fmt: skip
    return Section("register", "Every source", (Grid("Every source and its agreement", headings,
                                                     rows),))  # fmt: skip


def _state(entry: Entry) -> Cell:
    if entry.withdrawal:
        gone_on = day_words(entry.withdrawal.dispose_on)
        return Light("bad", f"Withdrawn on {day_words(entry.withdrawal.day)}; gone by {gone_on}")
    if entry.hold:
        return Light("soon", f"Legal hold: {entry.hold.reason}")
    return "no"


def _projects(register: Register) -> Section:
    rows = tuple(
        (
            f"{a.id} {a.title}", listed(a.purposes), a.lawful_basis or "none", a.statute or "none",
            a.dea_gateway, listed(a.controllers), signature_light(a),
        )
        for a in _sharing(register)
    )  # fmt: skip
    headings = ("Agreement", "Purposes", "Lawful basis", "Statute", "Gateway (DEA 2017)",
                "Controllers", "Signatures")  # fmt: skip
    text = Text("Is this use of the data lawful, ethical and sensible?")
    assessed = sorted(register.declared.assessments.values(), key=lambda a: a.id)
    impact = Bullets(
        tuple(
            f"{a.title}: signed off {day_words(a.signed_on)}, review by {day_words(a.review_date)}"
            for a in assessed
        )
        or ("No data protection impact assessment is on file.",)
    )
    return Section(
        "projects", "Safe projects",
        (text, Grid("Agreements and what they are for", headings, rows),
         Text("Data protection impact assessments:"), impact),
    )  # fmt: skip


def _people(register: Register) -> Section:
    rows = tuple(
        (
            a.id,
            *(listed((phrase(ZONES, z) for z in ZONES if z in a.zones_of(role)), nothing="nothing")
              for role in ROLES),
        )
        for a in _sharing(register)
    )  # fmt: skip
    headings = ("Agreement", *(words.capitalize() for words in ROLES.values()))
    return Section(
        "people", "Safe people",
        (Text("Who may read what? A role that an agreement does not name may read nothing."),
         Grid("What each role may read", headings, rows)),
    )  # fmt: skip


def _settings(register: Register) -> Section:
    rows = []
    for agreement in _sharing(register):
        kept = agreement.retention
        rows.append(
            (
                agreement.id,
                agreement.security_measures or "not described",
                f"originals {kept.received_days}, records {kept.restricted_days}, counts "
                f"{kept.linked_days}" if kept else "no limit",
                agreement.disposal, agreement.transfers,
            )
        )  # fmt: skip
    headings = ("Agreement", "Security measures", "Kept, in days", "Disposal",
                "Transfers out of the UK")  # fmt: skip
    return Section(
        "settings", "Safe settings",
        (Text("Do the places where data lies prevent misuse? Live checks of this stand in the "
              "assessment's register of risks."),
         Grid("Security and retention", headings, tuple(rows))),
    )  # fmt: skip


def _data(register: Register) -> Section:
    rows = []
    for entry in register.entries:
        agreed = entry.agreement.source(entry.source.id)
        if agreed is None or entry.agreement.kind == "open_licence":
            continue
        by: dict[str, list[str]] = {}
        coarse = [f"{c.name} ({kept_as(c)})" for c in agreed.columns if c.to]
        for column in agreed.columns:
            if not column.to:
                by.setdefault(column.action, []).append(column.name)
        named = {c.name for c in agreed.columns}
        contract = register.declared.contract_of(entry.source)
        unnamed = [c.name for c in contract.columns if c.name not in named]
        special = [c.name for c in agreed.columns if c.class_ == "special" and c.action != "drop"]
        rows.append(
            (
                entry.source.title, listed(by.get("keep", [])),
                listed([*by.get("pseudonymise", []), *by.get("redact", [])]),
                listed(by.get("generalise", [])), listed(coarse),
                listed([*by.get("drop", []), *unnamed]), listed(special),
                phrase(GEOGRAPHIES, agreed.minimum_geography),
            )
        )  # fmt: skip
    headings = ("Source", "Kept", "Pseudonymised or redacted", "Only to find the neighbourhood",
                "Coarsened", "Never stored", "Special categories kept",
                "Finest geography")  # fmt: skip
    return Section(
        "data", "Safe data",
        (Text("Is there a risk in the data itself? What becomes of every column:"),
         Grid("Columns and what becomes of them", headings, tuple(rows))),
    )  # fmt: skip


def _outputs(register: Register) -> Section:
    rows = []
    for agreement in _sharing(register):
        for output in agreement.permitted_outputs:
            indicator = register.declared.indicators.get(output.indicator)
            rows.append(
                (
                    f"{output.indicator} {indicator.title if indicator else ''}".strip(),
                    agreement.id, phrase(GEOGRAPHIES, output.geography), output.frequency,
                    output.profile,
                )
            )  # fmt: skip
    blocks: list[Text | Grid | Bullets] = [
        Text("Can what is published disclose somebody? Nothing else may be published:"),
        Grid(
            "Permitted outputs",
            ("Indicator", "Agreement", "Finest geography", "At most", "Disclosure profile"),
            tuple(rows),
        ),
    ]
    if register.declared.withheld:
        blocks += [
            Text("Indicators that could be made and that an agreement does not allow:"),
            Bullets(tuple(f"{k}: {why}" for k, why in register.declared.withheld.items())),
        ]
    return Section("outputs", "Safe outputs", tuple(blocks))
