"""The redactor finds identifiers however they are written, and leaves what only looks like one."""

from __future__ import annotations

import datetime as dt
import logging
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.identifiers import is_nhs_number
from governance.redaction import names
from governance.redaction.engine import Redactor, redacted
from governance.redaction.findings import KINDS, Finding, without_overlaps
from governance.redaction.plain_text import plain
from governance.redaction.recognisers import date_alone, years_before

NHS = "943 476 5919"


@pytest.fixture(scope="module")
def forms():
    return Redactor(names=False)


@pytest.fixture(scope="module")
def named():
    redactor = Redactor()
    if not redactor.names_available:
        pytest.skip(redactor.names_note)
    return redactor


def found(redactor, text):
    return {(each.kind, text[each.start : each.end]) for each in redactor.find(text)}


WRITTEN = [
    ("NHS_NUMBER", "seen today NHS {} stable", "9434765919"),
    ("NHS_NUMBER", "NHS no: {}", "943-476-5919"),
    ("NHS_NUMBER", "number {} given", "943 476 5919"),
    ("NHS_NUMBER", "number {} given", "943\u00a0476\u00a05919"),
    ("NHS_NUMBER", "number {} given", "943\u200b4765919"),
    ("NHS_NUMBER", "number {} given", "".join(chr(0xFF10 + int(digit)) for digit in "9434765919")),
    ("NHS_NUMBER", "number {} given", "943\n476\n5919"),
    ("NHS_NUMBER", "nhs is {}", "94-34-76-59-19"),
    ("NHS_NUMBER", "nhs number is {}", "94 347 659 19"),
    ("NHS_NUMBER", "nhs number {} mistyped", "943 476 5918"),
    ("NHS_NUMBER", "NHS{} glued", "9434765919"),
    ("NHS_NUMBER", "ref 12 {} after another number", "943 476 5919"),
    ("NHS_NUMBER", "NHS {}", "943_476_5919"),
    ("NHS_NUMBER", "number {} given", "943.476.5919"),
    ("NHS_NUMBER", "NHS no {} she said", "nine four three 4765919"),
    ("NHS_NUMBER", "nhs number is {}.", "nine four three, four seven six, five nine one nine"),
    ("NHS_NUMBER", "nhs {}", "943 double four 65919"),
    ("NINO", "nino {} ok", "ab 12 34 56 c"),
    ("NINO", "she gave {} as hers", "AB123456C"),
    ("NINO", "NI number: {}.", "AB 12 34 56"),
    ("UPRN", "UPRN {}", "5300123"),
    ("UPRN", "at {} since May", "100070012345"),
    ("POSTCODE", "moved to {} in may", "qa4 7xb"),
    ("POSTCODE", "moved to {}.", "QA47XB"),
    ("POSTCODE", "moved to {}.", "QA1-6SW"),
    ("POSTCODE", "moved to {}", "QA4\n7XB"),
    ("EMAIL", "write to {}.", "jo.bloggs@example.org"),
    ("EMAIL", "write to {} please", "jo at example dot org"),
    ("EMAIL", "write to {} please", "jo.bloggs [at] example [dot] co [dot] uk"),
    ("EMAIL", "write to {} please", "jo @ example.org"),
    ("PHONE", "ring {} after 6", "07700 900123"),
    ("PHONE", "ring {} after 6", "+44 (0)7700 900 123"),
    ("PHONE", "ring {} after 6", "(0161) 496 0000"),
    ("PHONE", "ring {} after 6", "07700 90\n0123"),
    ("PHONE", "tel: {}", "496 0000"),
    ("DATE_OF_BIRTH", "dob {}", "3/4/81"),
    ("DATE_OF_BIRTH", "born on {} in Leeds", "3rd April 1981"),
    ("DATE_OF_BIRTH", "D.O.B. {}", "03.04.1981"),
    ("DATE_OF_BIRTH", "date of\nbirth:\n{}", "1981-04-03"),
    ("DATE_OF_BIRTH", "dob:{}", "030481"),
    ("DATE_OF_BIRTH", "born {}", "third of April nineteen eighty-one"),
    ("DATE_OF_BIRTH", "{} is her date of birth", "3 April 1981"),
    ("DATE_OF_BIRTH", "DOB{} glued", "03/04/1981"),
    ("DATE_OF_BIRTH", "(b. {})", "3/4/1981"),
    ("DATE_OF_BIRTH", "was born in {} in Leeds", "march 1951"),
    ("DATE_OF_BIRTH", "Born: {}", "Sept. 1951"),
    ("DATE_OF_BIRTH", "dob {}", "04/1951"),
    ("DATE_OF_BIRTH", "born in {}", "March nineteen fifty-one"),
    ("VEHICLE", "a car, {}, outside", "BD51 SMR"),
    ("VEHICLE", "reg {}", "bd51smr"),
    ("VEHICLE", "old mini {} outside", "abc 12d"),
    ("BANK_ACCOUNT", "pay into sort code {}", "12-34-56"),
    ("BANK_ACCOUNT", "account number {}", "12345678"),
    ("BANK_ACCOUNT", "pay into {}", "GB29 NWBK 6016 1331 9268 19"),
    ("BANK_ACCOUNT", "card {} declined", "4111 1111 1111 1111"),
    ("ADDRESS", "lives at {} with mum", "14 Acacia Avenue"),
    ("ADDRESS", "lives at {} with mum", "flat 3, 22b thornbury road"),
]


@pytest.mark.parametrize(("kind", "sentence", "value"), WRITTEN)
def test_an_identifier_is_found_however_it_is_written(forms, kind, sentence, value):
    assert (kind, value) in found(forms, sentence.format(value))


@pytest.mark.parametrize(("kind", "sentence", "value"), WRITTEN)
def test_what_is_found_is_gone_from_the_text(forms, kind, sentence, value):
    result = forms.redact(sentence.format(value))
    assert value not in result.text
    assert f"[{KINDS[kind]}]" in result.text
    assert result.counts_by_kind[kind] == 1


@pytest.mark.parametrize(
    "text",
    [
        "LSOA E01009876 and MSOA E02001827 in B15",
        "Case HC/2024/00123 closed on 12/03/2024, see CAS-123456-A123.",
        "Review on 3rd April 2024 at 10:30 with the team",
        "Rent £1,250.00, arrears £10,400 and a credit of £0.75",
        "Up to 20 men and 30 women in the hostel, 12 months on",
        "Junction of the A38 and the M6, exit 3rd on the left",
        "Leave at M6 3rd exit; flat B2 2nd floor",
        "Resident of Victoria Road, ward of Stratford Road North",
        "ZZ99 3VZ is the code for no fixed abode",
        "BP 140/90, HR 72, sats 98, weight 82.5 kg, HbA1c 48",
        "Meet us at the library. Dot the i on page 12.",
        "Financial year 2023-24 compared with 2022-23",
        "Opened in March 1951 as a library",
        "The NHS saw one or two of nine wards close in 2024, four more in 2025",
        "Births in the ward fell. In March 2019 the clinic moved",
    ],
)
def test_what_only_looks_like_an_identifier_is_left(forms, text):
    assert forms.find(text) == []


@pytest.mark.parametrize(
    "text",
    ["03/04/1951", "1951-04-03", " 3 April 1951 ", "03/04/1951 00:00", "19510403", "03041951",
     "30/06/2009"],
)  # fmt: skip
def test_a_date_long_past_that_stands_alone_is_taken(text):
    (hit,) = date_alone(text, latest=dt.date(2009, 6, 30))
    assert text[hit.start : hit.end] == text.strip()
    assert hit.score < 0.5


@pytest.mark.parametrize(
    "text", ["01/07/2009", "31/02/1951", "1951", "04/1951", "on 03/04/1951", "12345678", ""]
)
def test_a_later_date_or_more_than_a_date_is_left(text):
    assert list(date_alone(text, latest=dt.date(2009, 6, 30))) == []


def test_years_before_a_leap_day():
    assert years_before(dt.date(2024, 2, 29), 16) == dt.date(2008, 2, 29)
    assert years_before(dt.date(2024, 2, 29), 17) == dt.date(2007, 2, 28)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Spoke to Kwame Asante about the rent", "Kwame Asante"),
        ("visited mrs okafor at home", "okafor"),
        ("my name is zainab hussain and i need help", "zainab hussain"),
        ("Client (Siobhan O'Rourke) presented as homeless", "Siobhan O'Rourke"),
        ("Dear Małgorzata,\nthank you for your letter", "Małgorzata"),
        ("I will call back.\n\nKind regards,\nXiu Ying Chen", "Xiu Ying Chen"),
        ("NCUBE, Tendai - no fixed abode", "NCUBE, Tendai"),
        ("Landlord Mr Kowalczyk did not reply", "Kowalczyk"),
        ("her son Will was present", "Will"),
        ("Dr SMITH rang", "SMITH"),
        ("Muhammed's mother attended", "Muhammed"),
    ],
)
def test_names_of_many_cultures_and_spellings_are_taken_out(named, text, name):
    result = named.redact(text)
    for part in name.replace(",", "").split():
        assert part not in result.text
    assert result.counts_by_kind["NAME"] >= 1


@pytest.mark.parametrize(
    "text",
    [
        "Resident of Victoria Road reported noise on 12 March 2024",
        "Referred by the Queen Elizabeth Hospital to the council",
        "Rent arrears rose in April and May, and again in June",
        "The tenant will call the office on Monday",
        "St Mary's Surgery sent the letter",
    ],
)
def test_roads_hospitals_and_months_are_no_names(named, text):
    assert not any(each.kind == "NAME" for each in named.find(text))


def test_a_date_directly_after_a_name_counts_as_a_date_of_birth(named):
    assert ("DATE_OF_BIRTH", "3/4/1981") in found(named, "Client: Tendai Ncube (3/4/1981) came in")
    assert not any(
        each.kind == "DATE_OF_BIRTH" for each in named.find("The hearing (3/4/2024) was moved")
    )


def test_without_the_model_the_redactor_says_so_and_still_uses_rules(monkeypatch):
    def missing():
        raise names.NamesUnavailableError("the package is not installed")

    monkeypatch.setattr("governance.redaction.engine.name_model", missing)
    redactor = Redactor()
    assert not redactor.names_available
    assert "rules alone" in redactor.names_note
    assert redactor.redact("Seen with Mrs Okafor").text == "Seen with Mrs [name]"


def test_a_model_file_that_was_not_measured_is_refused(monkeypatch):
    if not Redactor().names_available:
        pytest.skip("the name model is not installed")
    monkeypatch.setattr(names, "SHA256", {"tokenizer.json": "0" * 64})
    with pytest.raises(names.NamesUnavailableError, match=r"tokenizer\.json"):
        names.NameModel()


def test_many_texts_give_what_each_gives_alone(named):
    texts = ["Spoke to Kwame Asante", "", f"NHS {NHS}", "x " * 900 + "Tendai Ncube rang", "ok"]
    assert named.find_many(texts) == [named.find(text) for text in texts]


def test_a_name_far_into_a_long_text_is_found(named):
    text = "The boiler was looked at and works again. " * 120 + "Spoke to Kwame Asante."
    assert ("NAME", "Kwame Asante") in found(named, text)


HOSTILE = (
    "1 ",
    "A. ",
    "dot at ",
    "\n",
    "sort code ",
    "nhs ",
    "x.y.",
    "Aa Bb, ",
    "a@",
    "1/1/",
    "dob ",
    "nhs nine four ",
    "o ",
    "born in march ",
)


@pytest.mark.parametrize("piece", HOSTILE)
def test_long_repeated_pieces_are_read_without_getting_lost(forms, piece):
    text = piece * (30_000 // len(piece))
    assert NHS not in forms.redact(f"{text} NHS number {NHS}").text


def test_a_note_all_in_capitals_is_read(named):
    result = named.redact("SPOKE TO KWAME ASANTE ABOUT THE RENT. MRS PATEL WAS OUT.")
    for part in ("KWAME", "ASANTE", "PATEL"):
        assert part not in result.text


def test_odd_texts_are_read(named):
    for text in ("", " ", "\x00", "\ud800", "\u200b", "🙂" * 50, "a" * 5000, "\n" * 500):
        assert named.redact(text).text is not None


PIECES = st.sampled_from(
    [
        "NHS ",
        NHS,
        "9434765919",
        " ",
        "dob ",
        "3/4/81",
        ",",
        "QA4 7XB",
        "jo@example.org",
        "Mr ",
        "Ncube",
        "07700 900123",
        "AB123456C",
        "\n",
        "é",
        "\u200b",
        "sort code 12-34-56",
        " 12345678",
        "text ",
        "-",
    ]
)


@settings(deadline=None, max_examples=150)
@given(st.lists(PIECES, max_size=12).map("".join))
def test_findings_are_in_order_apart_and_of_a_known_kind(forms, text):
    findings = forms.find(text)
    assert all(0 <= each.start < each.end <= len(text) for each in findings)
    assert all(a.end <= b.start for a, b in pairwise(findings))
    assert {each.kind for each in findings} <= set(KINDS)


@settings(deadline=None, max_examples=150)
@given(st.text(max_size=30), st.text(max_size=30))
def test_a_number_that_is_said_to_be_an_nhs_number_goes_whatever_stands_around(forms, left, right):
    result = forms.redact(f"{left} NHS number {NHS} {right}")
    assert not any(is_nhs_number(part) for part in (result.text, result.text.strip()))
    assert NHS not in result.text


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=60))
def test_a_plain_text_leads_back_to_the_text_as_given(text):
    searched = plain(text)
    for place in range(len(searched.text)):
        start, end = searched.span(place, place + 1)
        assert 0 <= start < end <= len(text)


def test_a_redacted_text_is_left_as_it_is(named):
    first = named.redact(f"Tendai Ncube, dob 3/4/81, NHS {NHS}, tel 07700 900123, QA4 7XB").text
    assert named.redact(first).text == first


def test_of_overlapping_findings_the_surer_stands_and_nothing_is_uncovered():
    sure, wide = Finding(2, 5, "NINO", 0.9, "a"), Finding(0, 9, "PHONE", 0.5, "b")
    settled = without_overlaps([wide, sure])
    assert settled == [
        Finding(0, 2, "PHONE", 0.5, "b"),
        sure,
        Finding(5, 9, "PHONE", 0.5, "b"),
    ]
    assert redacted("012345678", [sure]).text == "01[National Insurance number]5678"


def test_no_text_reaches_a_log(named, caplog):
    with caplog.at_level(logging.DEBUG):
        named.redact(f"Spoke to Zebedee Quillfeather, NHS {NHS}, jo@example.org")
        Redactor(names=False).redact("Zebedee Quillfeather jo@example.org")
    for planted in ("Quillfeather", NHS, "jo@example.org"):
        assert planted not in caplog.text
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


def test_only_our_recognisers_are_in_the_analyzer():
    from governance.redaction.presidio import analyzer

    engine = analyzer(None, names=True)
    assert set(engine.get_supported_entities("en")) == set(KINDS)
    assert not engine.log_decision_process


def test_nothing_goes_to_the_network(monkeypatch):
    import socket

    def refuse(*_args, **_kwargs):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert Redactor(names=False).redact("jo@example.co.uk").text == "[e-mail address]"
