"""Predicates of single values: published examples pass, near misses do not."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance import identifiers as ids


def mod_11(first_nine: str) -> int:
    """The rule in words of the NHS Data Dictionary, written apart from the code under test."""
    remainder = sum(int(first_nine[i]) * (10 - i) for i in range(9)) % 11
    return 0 if remainder == 0 else 11 - remainder


@pytest.mark.parametrize(
    "text", ["943 476 5919", "9434765919", "943-476-5919", " 943 476 5919 ", "9 4 3 4 7 6 5 9 1 9"]
)
def test_the_published_nhs_number_passes_in_every_layout(text):
    assert ids.is_nhs_number(text)


@pytest.mark.parametrize(
    "text", ["943 476 5918", "9434765909", "943476591", "94347659190", "", "943/476/5919", "NHS"]
)
def test_other_numbers_are_no_nhs_numbers(text):
    assert not ids.is_nhs_number(text)


@given(st.text(alphabet="0123456789", min_size=9, max_size=9))
def test_of_ten_endings_at_most_one_passes_and_it_is_the_check_digit(first):
    passing = [digit for digit in range(10) if ids.is_nhs_number(f"{first}{digit}")]
    expected = mod_11(first)
    assert passing == ([expected] if expected < 10 else [])


@pytest.mark.parametrize("text", ["AB123456C", "ab 12 34 56 c", "JG-10-37-59-A", " CE123456D "])
def test_national_insurance_numbers(text):
    assert ids.is_nino(text)


@pytest.mark.parametrize(
    "text",
    [
        "QQ123456C",
        "GB123456A",
        "AO123456A",
        "AB123456E",
        "AB12345C",
        "AB123456",
        "DA123456A",
        "TN123456A",
    ],
)
def test_letters_and_prefixes_never_issued_are_no_national_insurance_numbers(text):
    assert not ids.is_nino(text)


@pytest.mark.parametrize("text", ["AB123456", "ab 12 34 56", "JG-10-37-59", " CE123456 "])
def test_national_insurance_numbers_as_systems_keep_them_without_the_suffix(text):
    assert ids.is_nino_without_suffix(text)


@pytest.mark.parametrize(
    "text",
    [
        "AB123456C", "QQ123456", "GB123456", "AO123456", "DA123456", "AB12345", "AB1234567",
        "A1123456", "E01009999", "AB 123-456", "EY123456", "SC123456", "YE202603", "AB199912",
        "AB12 3CD", "M85001", "Y02615", "0A123456",
    ],
)  # fmt: skip
def test_codes_of_other_kinds_are_none_without_the_suffix(text):
    assert not ids.is_nino_without_suffix(text)


@pytest.mark.parametrize("text", ["100070012345", "10090123456", "000012345678", "100070012345.0"])
def test_uprns_of_the_usual_length(text):
    assert ids.is_uprn_like(text)


@pytest.mark.parametrize(
    "text", ["12345", "000000000000", "1.00012E+11", "1000700123456", "01614960000", "E01009999"]
)
def test_counts_phones_and_codes_are_no_uprns(text):
    assert not ids.is_uprn_like(text)


@pytest.mark.parametrize("text", ["QA4 7XB", "qa47xb", "M1 1AE", "EC1A 1BB", "GIR 0AA"])
def test_full_postcodes(text):
    assert ids.is_full_postcode(text)


@pytest.mark.parametrize(
    "text",
    ["QA4", "QA4 7", "E01009999", "ZZ99 3VZ", "", "12 Main St", "HC/2024/1", "q a 4 7 x b ."],
)
def test_parts_of_postcodes_pseudo_postcodes_and_codes_are_none(text):
    assert not ids.is_full_postcode(text)


@pytest.mark.parametrize(
    "text",
    [
        "jo@example.org",
        "jo.o'neill+x@mail.example.co.uk",
        "mailto:jo@example.org",
        "Zoë@example.org",
    ],
)
def test_email_addresses(text):
    assert ids.is_email(text)


@pytest.mark.parametrize(
    "text", ["jo@example", "@example.org", "jo at example.org", "jo@.org", "a b@example.org"]
)
def test_what_is_no_email_address(text):
    assert not ids.is_email(text)


@pytest.mark.parametrize(
    "text",
    [
        "07700 900123",
        "+44 7700 900123",
        "+44 (0)7700 900123",
        "0044 7700 900123",
        "(0161) 496 0000",
        "020 7946 0018",
        "01632960001",
        "0800 001066",
        "7700900123",
        "tel:07700900123",
    ],
)
def test_telephone_numbers_of_the_uk(text):
    assert ids.is_uk_phone(text)


@pytest.mark.parametrize(
    "text", ["+33 1 70 18 99 00", "04700 900123", "0770 90012", "999", "077009001234", "9434765919"]
)
def test_what_is_no_telephone_number_of_the_uk(text):
    assert not ids.is_uk_phone(text)


@pytest.mark.parametrize(
    "text",
    [
        "1981-04-03",
        "03/04/1981",
        "3/4/81",
        "3.4.1981",
        "3rd April 1981",
        "3 apr '81",
        "April 3, 1981",
        "03APR1981",
        "19810403",
        "3rd of April 1981",
        "1981-04-03 00:00:00",
        "1981-04-03T00:00:00Z",
    ],
)
def test_one_date_in_every_layout(text):
    assert ids.as_date(text) == dt.date(1981, 4, 3)
    assert ids.is_birth_date_like(text)


@pytest.mark.parametrize(
    "text", ["1981", "April 1981", "31/02/1981", "1899-12-31", "2999-01-01", "E01009999", "", "3/4"]
)
def test_what_is_no_date_somebody_alive_was_born_on(text):
    assert not ids.is_birth_date_like(text)


def test_a_delivery_may_name_the_last_day_that_counts_as_a_birth():
    assert ids.is_birth_date_like("01/03/2024", latest=dt.date(2024, 3, 1))
    assert not ids.is_birth_date_like("02/03/2024", latest=dt.date(2024, 3, 1))


@given(st.dates(min_value=dt.date(1900, 1, 1), max_value=dt.date(2020, 12, 31)))
def test_every_date_is_read_back_from_its_usual_layouts(date):
    for layout in ("%Y-%m-%d", "%d/%m/%Y", "%d %B %Y", "%d%b%Y", "%Y%m%d", "%B %d, %Y"):
        assert ids.as_date(date.strftime(layout)) == date


@pytest.mark.parametrize(
    "text", ["BD51 SMR", "bd51smr", "A123 BCD", "ABC 123D", "AEZ 1234", "RJI 55"]
)
def test_vehicle_registrations_of_each_style(text):
    assert ids.is_vehicle_plate(text)


@pytest.mark.parametrize(
    "text", ["BI51 SMR", "BD01 SMR", "I123 BCD", "ABC 123Q", "ABC 1234", "QA4 7XB"]
)
def test_what_is_no_vehicle_registration(text):
    assert not ids.is_vehicle_plate(text)


@pytest.mark.parametrize("text", ["12-34-56 12345678", "12 34 56/12345678", "12345612345678"])
def test_sort_codes_with_accounts(text):
    assert ids.is_bank_account(text)


@pytest.mark.parametrize("text", ["12-34-56", "12345678", "20240131120000", "12-3456 12345678"])
def test_what_is_no_sort_code_with_an_account(text):
    assert not ids.is_bank_account(text)


def test_the_iban_of_the_registry_passes_and_one_wrong_digit_does_not():
    # The example of the SWIFT IBAN registry for the United Kingdom.
    assert ids.is_iban_gb("GB29 NWBK 6016 1331 9268 19")
    assert ids.is_iban_gb("gb29nwbk60161331926819")
    assert not ids.is_iban_gb("GB29 NWBK 6016 1331 9268 18")
    assert not ids.is_iban_gb("DE29 NWBK 6016 1331 9268 19")
