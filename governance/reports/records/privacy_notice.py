"""The text of a privacy notice in plain English, made from the agreements.

Belongs here: short sentences for people whose data it is, aimed at a reading age of about 12. Does
not belong here: what is not in the agreements; a blank is shown as one.
"""

from __future__ import annotations

from declarations.agreements import Agreement
from governance.agreement_text.words import count_words, day_words, listed
from governance.reports.pages import Bullets, Facts, Page, Section, Text, html_page, text_page
from governance.reports.register import Register

BLANK = "TO BE COMPLETED: the agreement does not say"


def privacy_notice_files(register: Register) -> dict[str, str]:
    """Return ``privacy-notice.html`` and the same as ``privacy-notice.txt``."""
    page = notice_page(register)
    return {"privacy-notice.html": html_page(page), "privacy-notice.txt": text_page(page)}


def _sharing(register: Register) -> list[Agreement]:
    return [
        a
        for a in register.declared.agreements.values()
        if a.kind != "open_licence" and a.id not in register.withdrawals
        and a.in_force(register.today)
    ]  # fmt: skip


def _each(values: list[str | None]) -> list[str]:
    return list(dict.fromkeys(v for v in values if v)) or [BLANK]


def notice_page(register: Register) -> Page:
    """Return the notice. Agreements that ended or were withdrawn are left out."""
    sharing = _sharing(register)
    region = register.declared.region
    sections = [
        Section("what", "What we do", (
            Text("Public bodies work together to see where people need more help. They count how "
                 "many people in each neighbourhood use a service. Then we publish the counts."),
            Text("This is what it is for:"),
            Bullets(tuple(_each([a.aims for a in sharing]))),
            Text("We do not use your data to decide about you. We do not sell it. We only look at "
                 "places, not at people."),
        )),
        Section("data", "Whose data we use", (
            Bullets(tuple(_each([s.subjects for a in sharing for s in a.sources]))),
            Text("We do not keep your name or your full address. Where we must know that two "
                 "records are about the same person, we swap the number for a code. Nobody can "
                 "read your number from the code."),
        )),
        *([_health(sharing)] if any(s.health_or_care for a in sharing for s in a.sources) else []),
        Section("who", "Who sends it and who gets it", (
            Text("These bodies are in charge of the data:"),
            Bullets(tuple(_each([c for a in sharing for c in a.controllers]))),
            Text("They share it with:"),
            Bullets(tuple(_each([r for a in sharing for r in a.recipients]))),
            _abroad(sharing),
        )),
        Section("law", "Why the law lets us", (
            Text("The bodies have tasks in law, and need this to do them well. The law calls this "
                 "the lawful basis. These are the parts of the law:"),
            Bullets(tuple(_laws(sharing))),
        )),
        Section("keep", "How long we keep it", (_kept(sharing),)),
        Section("safe", "How we keep it safe", (
            Text("Your data is locked with a secret key. Only the people who run the system can "
                 "open it. We write down each time data comes in, is used or is wiped."),
            Text("We never show a number so small that it could point to you. Two people must "
                 "check each set of numbers before we publish it."),
        )),
        _rights(sharing),
        Section("more", "To find out more", (
            Facts((
                ("Read more", listed(_each([a.privacy_notice for a in sharing]))),
                ("Complain", listed(_each([a.complaints for a in sharing]))),
                ("Ask us", listed(_each([a.contact for a in sharing]))),
                ("Who publishes", region.publication.publisher),
            )),
        )),
    ]  # fmt: skip
    return Page(
        title="How we use your data",
        eyebrow=region.title,
        lead=f"Privacy notice. It is right as of {day_words(register.today)}.",
        banner=register.synthetic,
        sections=tuple(sections),
        foot=(("Agreements", listed(a.id for a in sharing)),),
    )


def _health(sharing: list[Agreement]) -> Section:
    evidence = {a.opt_out.applied for a in sharing if a.opt_out is not None}
    opted = (
        "If you have told the NHS not to share your data for planning, your records are taken out "
        "before they reach us."
        if "yes" in evidence
        else "The choice to opt out of sharing for planning does not apply to this data. The "
        "reason stands in our agreement."
    )
    return Section(
        "health", "Health and care data",
        (Text("Some of the data is about health and care. We take more care with it."), Text(opted),
         Text("You can make or change your choice at nhs.uk/your-nhs-data-matters.")),
    )  # fmt: skip


def _abroad(sharing: list[Agreement]) -> Text:
    if all(a.transfers.strip().casefold() == "none" for a in sharing):
        return Text("Your data stays in the United Kingdom.")
    places = listed(a.transfers for a in sharing if a.transfers.strip().casefold() != "none")
    return Text(f"Some of it may leave the United Kingdom: {places}.")


def _laws(sharing: list[Agreement]) -> list[str]:
    laws = [
        f"UK GDPR {a.lawful_basis}{f' ({a.statute})' if a.statute else ''}"
        for a in sharing
        if a.lawful_basis
    ]
    laws += [f"UK GDPR {a.special_condition}" for a in sharing if a.special_condition]
    return _each(list(laws))


def _kept(sharing: list[Agreement]) -> Bullets:
    limits = [a.retention for a in sharing if a.retention is not None]
    if not limits:
        return Bullets((BLANK,))
    return Bullets(
        (
            f"The files as they were sent: at most {_time(max(k.received_days for k in limits))}.",
            f"Records without names: at most {_time(max(k.restricted_days for k in limits))}.",
            f"Counts for each place: at most {_time(max(k.linked_days for k in limits))}.",
            "What we publish is about places and stays."
            if any(k.published_days is None for k in limits)
            else f"What we publish: at most {_time(max(k.published_days or 0 for k in limits))}.",
        )
    )


def _time(days: int) -> str:
    years, rest = divmod(days, 365)
    if years and not rest:
        return count_words(years, "year")
    return count_words(days, "day")


def _rights(sharing: list[Agreement]) -> Section:
    return Section(
        "rights", "Your rights",
        (
            Text("You can:"),
            Bullets((
                "ask to see the data a body holds about you",
                "ask to have it put right if it is wrong",
                "object to how it is used",
                "ask for it to be wiped, in some cases",
                "complain if you think we got it wrong",
            )),
            Text("Ask the body that has your record, such as your council. We hold no names, so "
                 "we could not find you. If you complain, you will hear back within 30 days that "
                 "we have it. You can also complain to the Information Commissioner at "
                 "ico.org.uk."),
        ),
    )  # fmt: skip
