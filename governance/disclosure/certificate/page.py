"""The certificate of a release as a page for the governance officer.

Belongs here: the words and the order of the page. Does not belong here: what is certified
(``certificate.py``) or how pictures are drawn (``certificate_drawings.py``). The page is one file,
fetches nothing, runs nothing, and prints.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from governance.agreement_text.words import count_words, day_words, listed, sentence
from governance.disclosure.certificate.drawings import Ring, widths_chart, withheld_map
from governance.disclosure.certificate.facts import (
    COARSENED_TO,
    FEWEST_CELLS,
    MOST_EXPOSED,
    SCHEMA,
    CertificateFacts,
    check_facts,
    narrowest,
    width_order,
)
from governance.reports.pages import (
    Block,
    Bullets,
    Facts,
    Grid,
    Light,
    Page,
    Section,
    Text,
    html_page,
)

LONG_TABLE = 20
"""A table with more rows opens on demand."""

NO_LIMIT = "no upper limit"


def certificate_html(
    facts: CertificateFacts, outlines: Mapping[str, Sequence[Ring]] | None = None
) -> str:
    """Write the certificate as one HTML file.

    Parameters
    ----------
    outlines : mapping of str to sequence of Ring, optional
        Borders of the neighbourhoods for the map; see `certificate_drawings.rings_of`. Without
        them the page has the table alone.

    Raises
    ------
    DisclosureError
        If the facts are not fit to be stated; see `certificate.check_facts`.
    """
    return html_page(certificate_page(facts, outlines))


def certificate_page(
    facts: CertificateFacts, outlines: Mapping[str, Sequence[Ring]] | None = None
) -> Page:
    """Return the page of the certificate; parameters and errors as for `certificate_html`."""
    check_facts(facts)
    return Page(
        title=f"Disclosure certificate: {facts.region_title}",
        eyebrow="Disclosure control",
        lead=f"Release {facts.release_id}, {day_words(facts.made_on)}.",
        banner=facts.synthetic,
        sections=(
            _result(facts),
            _widths(facts),
            _exposed(facts),
            _withheld(facts, outlines or {}),
            _lost(facts),
            _attacker(facts),
            _profiles(facts),
            _examined(facts),
            Section("not-promised", "What is not promised", (Bullets(facts.not_promised),)),
            _computed(facts),
        ),
        foot=(
            ("Made from", "the protected tables of the release, the ledger of everything released "
             "before, and the declared public figures"),
            ("The same for machines", f"the JSON file beside this page ({SCHEMA})"),
            ("Made by", f"lsoalink, code version {facts.code_version}"),
        ),
    )  # fmt: skip


def _result(facts: CertificateFacts) -> Section:
    cells = sum(e.cells for e in facts.examined)
    least = narrowest(facts.widths)
    rows: tuple[tuple[str, str | Light], ...] = (
        ("Result", Light("good", "No sensitive cell can be worked back")),
        ("Sensitive cells examined", f"{cells:,}"),
        ("Cells that fail", "none"),
        ("Narrowest interval left", "no cell has an upper limit" if least is None else
         f"width {least}"),
        ("Profiles", listed(f"{p.name} ({p.title})" for p in facts.profiles)),
        ("Given for larger areas instead", count_words(len(facts.coarsened), "cell")),
        ("Judged together with", count_words(facts.earlier_releases, "earlier release")),
        ("Given away by public figures alone", count_words(len(facts.publicly_exposed), "cell")),
    )  # fmt: skip
    about = Text(
        "A cell counts as sensitive by what is published of it, never by the count behind it: "
        "every cell was examined of which the public cannot rule out that it is small. The "
        "attacker has this release, every earlier one and the public figures named below, and "
        "works out for each cell the lowest and the highest count that fit all of it."
    )
    return Section("result", "What this certifies", (Facts(rows), about))


def _widths(facts: CertificateFacts) -> Section:
    blocks: list[Block] = [
        Text(
            "How much an attacker is left in doubt: the highest possible count of a cell less the "
            "lowest."
        )
    ]
    for profile in facts.profiles:
        if any(w.profile == profile.name and w.cells for w in facts.widths):
            blocks.append(widths_chart(profile, facts.widths))
    rows = tuple(
        (w.profile, _width(w.width), f"{w.cells:,}")
        for w in sorted(facts.widths, key=width_order)
        if w.cells
    )
    blocks.append(Grid("Interval widths in numbers", ("Profile", "Width", "Cells"), rows, True))
    return Section("widths", "Interval widths", tuple(blocks))


def _exposed(facts: CertificateFacts) -> Section:
    rows = tuple(
        (_area(c.area_name, c.area_code), c.indicator, c.period, _width(c.width))
        for c in facts.exposed
    )
    headings = ("Area", "Indicator", "Period", "Width of the interval")
    words = Text(
        "The cells an attacker comes closest to, the most exposed first, without their values. "
        "All are as wide as their profile demands."
    )
    grid = _grid(f"At most {MOST_EXPOSED} cells", headings, rows, "There is none.")
    return Section("exposed", "The most exposed cells", (words, grid))


def _withheld(facts: CertificateFacts, outlines: Mapping[str, Sequence[Ring]]) -> Section:
    rows = tuple(
        (_area(c.area_name, c.area_code), c.indicator, c.period,
         f"{COARSENED_TO[c.to]} {c.to_code}".rstrip(), sentence(c.reason))
        for c in facts.coarsened
    )  # fmt: skip
    headings = ("Area", "Indicator", "Period", "Given for", "Why")
    blocks: list[Block] = []
    drawn = withheld_map(facts.withheld, outlines)
    if drawn is not None:
        blocks += [
            Text("Cells that are hidden, or given for a larger area only, by neighbourhood:"),
            drawn,
        ]
    held = tuple(
        (_area(w.name, w.lsoa21cd), f"{w.cells:,}")
        for w in sorted(facts.withheld, key=lambda w: (-w.cells, w.lsoa21cd))
        if w.cells
    )
    if held:
        caption = "Cells not shown, by neighbourhood"
        blocks.append(Grid(caption, ("Neighbourhood", "Cells not shown"), held, True))
    caption = "Cells given for a larger area"
    blocks.append(_grid(caption, headings, rows, "No cell had to be given for a larger area."))
    return Section("withheld", "Where detail was withheld", tuple(blocks))


def _lost(facts: CertificateFacts) -> Section:
    lost = facts.lost
    share, total, change = lost.share(), lost.hidden_sum(), lost.changed_by()
    too_few = f"not told: it is too small, or fewer than {FEWEST_CELLS} cells stand behind it"
    rows = (
        ("Cells of the release", f"{lost.cells:,}"),
        ("Hidden", count_words(lost.hidden, "cell")),
        ("Given for larger areas only", count_words(lost.coarsened, "cell")),
        ("Share not shown", "–" if share is None else f"{share} %"),  # noqa: RUF001 - a dash
        ("Counts in the hidden cells, in all", too_few if total is None else f"about {total:,}"),
        ("Mean change of the counts shown", too_few if change is None else f"about {change:g}"),
    )
    return Section("lost", "What protection cost", (Facts(rows),))


def _attacker(facts: CertificateFacts) -> Section:
    known = ["the rules of every profile, word for word", *facts.public_totals]
    if facts.earlier_releases:
        released = count_words(facts.earlier_releases, "earlier release")
        known.append(f"{released}, withdrawn ones among them")
    if facts.insider:
        known.append("their own record: one person or household counted in the cell")
    blocks: list[Block] = [
        Text("Besides this release the attacker was taken to know:"),
        Bullets(tuple(sentence(k) for k in known)),
    ]
    if not facts.insider:
        blocks.append(Text("Nobody who knows their own record was assumed."))
    rows = tuple(
        (_area(c.area_name, c.area_code), c.indicator, c.period, sentence(c.known_from))
        for c in facts.publicly_exposed
    )
    nothing = "Public figures alone give no cell away."
    caption = "Cells that public figures give away whatever is released"
    headings = ("Area", "Indicator", "Period", "Known from")
    blocks.append(_grid(caption, headings, rows, nothing))
    return Section("attacker", "What the attacker knows", tuple(blocks))


def _profiles(facts: CertificateFacts) -> Section:
    blocks: list[Block] = []
    for profile in facts.profiles:
        blocks += [
            Facts(((profile.name, profile.title), ("In words", profile.in_words),
                   ("Width demanded", f"at least {profile.width}"))),
            Bullets(profile.rules),
        ]  # fmt: skip
    return Section("profiles", "The rules", tuple(blocks))


def _examined(facts: CertificateFacts) -> Section:
    rows = tuple(
        (f"{e.indicator} {e.title}", e.level, e.profile, f"{e.cells:,}") for e in facts.examined
    )
    headings = ("Indicator", "Level", "Profile", "Cells")
    grid = _grid("Sensitive cells by indicator", headings, rows, "No cell is sensitive.")
    return Section("examined", "Sensitive cells examined", (grid,))


def _computed(facts: CertificateFacts) -> Section:
    solver = facts.solver
    rows = (
        ("Solver", f"{solver.name} {solver.version}"),
        *((f"Tolerance: {name}", f"{value:g}") for name, value in sorted(solver.tolerances)),
        ("Linear programmes solved", f"{solver.linear_programmes:,}"),
        ("Integer programmes solved", f"{solver.integer_programmes:,}"),
        ("Head of the release ledger", facts.ledger_head),
        ("Made for the tables", facts.candidate),
        ("Code version", facts.code_version),
    )
    return Section("computed", "How it was computed", (Facts(rows),))


def _grid(
    caption: str, headings: tuple[str, ...], rows: Iterable[tuple[str, ...]], nothing: str
) -> Block:
    found = tuple(rows)
    return Grid(caption, headings, found, len(found) > LONG_TABLE) if found else Text(nothing)


def _area(name: str, code: str) -> str:
    return f"{name} ({code})" if name and name != code else code


def _width(width: int | None) -> str:
    return NO_LIMIT if width is None else str(width)
