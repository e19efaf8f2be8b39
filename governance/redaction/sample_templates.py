"""Synthetic notes, letters and messages with gaps for identifiers, to measure a redactor with.

Belongs here: the wording, the names and the values that are no identifiers. Does not belong here:
how identifiers are made up and written (`sample_texts`). Everything is made up for this purpose;
all people are synthetic. The names are facts about common names of many languages, put together for
this project. ``TUNING`` was read while rules were made. Of ``HELD_OUT`` only recall and precision
by kind were seen, not the errors; but one author wrote both and the rules, and two rules (property
numbers, National Insurance numbers without a suffix) were added because a figure was low, so the
figures flatter.
"""

from __future__ import annotations

_GIVENS = """
Oliver Amelia Muhammad Fatima Aisha Jack Olivia Siobhan Aoife Niamh Cerys Rhys Iestyn Angus
Morag Priya Amit Gurpreet Harjit Simran Rajesh Lakshmi Anjali Tariq Zainab Bilal Sadia Imran
Nasreen Shazia Rukhsana Abdi Hodan Ifrah Yusuf Khadija Kwame Ama Kofi Ngozi Chidi Adaeze
Oluwaseun Folake Temitope Tendai Rudo Thabo Blessing Precious Agnieszka Piotr Katarzyna Zbigniew
Ioana Bogdan Mihaela Svetlana Dmitri Oksana Viktor Giulia Matteo Joao Beatriz Carlos Ximena Xiu
Wei Ying Mei Jing Minh Thuy Linh Yuki Haruto Soo-jin Mehmet Ayse Elif Dilan Rojda Shirin Darius
Ahmad Noor Layla Hassan Mariam Tesfaye Selam Winston Delroy Shanice Tyrone Gloria Doreen Norman
Edith Stanley Maureen Derek Sheila Kayleigh Jayden Chantelle Connor Lauren Darren Tracey Gary
Sharon Kevin Wayne Grace Faith Rose Will Mark Jean-Luc Renée José Zoë Chloé Björn Łukasz
Małgorzata
"""
GIVEN = tuple(_GIVENS.split())
_SURNAMES = """
Smith Jones Taylor Williams Patel Khan Hussain Begum Ahmed Ali Singh Kaur Gill Sandhu O'Rourke
O'Neill McAllister MacDonald Llewellyn Pritchard Whitlock Braithwaite Ogden Okafor Asante Mensah
Adeyemi Okonkwo Nwosu Ncube Moyo Dlamini Mohamed Warsame Abdullahi Hersi Kowalczyk Nowak
Wiśniewski Popescu Ionescu Petrov Shevchenko Rossi Ferreira Silva Gonçalves García Fernández
Nguyen Tran Pham Chen Wang Zhang Liu Tanaka Kim Yılmaz Demir Kaya Hosseini Rahimi Haddad
Al-Masri Bekele Tekle Campbell Brown Francis Blackwood Young Day Green Hill Wood Marsh Bishop
Cook Fowler-Jenkins D'Souza Fernandes Chowdhury Miah Rahman Uddin Mukherjee Iyer Reddy Sharma
Gupta Perera Rajapaksa
"""  # noqa: RUF001
SURNAME = tuple(_SURNAMES.split())
ORGANISATIONS = (
    "the Salvation Army", "Shelter", "Coventry City Council", "Citizens Advice", "St Mungo's",
    "Queen Elizabeth Hospital", "St Mary's Surgery", "West Midlands Police", "Barnardo's",
    "Midland Heart", "King's Heath Medical Centre", "the Trussell Trust", "Age UK", "British Gas",
    "Severn Trent Water", "Crisis Skylight", "John Lewis", "Marks and Spencer", "Virgin Media",
)  # fmt: skip
ROADS = (
    "Victoria Road", "Albert Street", "the High Street", "Queensway", "the A38", "St James's Park",
    "Churchill Gardens", "Stratford Road", "the M6", "Station Approach", "Wellington Place",
)  # fmt: skip
PLACES = ("Coventry", "Solihull", "Walsall", "Dudley", "Stockport", "Wolverhampton", "Nottingham")
DISTRICTS = ("B15", "CV1", "WV10", "SW1A", "M25", "DY5", "B15 2", "CV3 5")

TUNING = (
    "T/C from {name} re arrears of {money}. Says wife {given} will pay on Friday. Tel {phone}.",
    "visited {lower} at home today, son {given} present. damp in both bedrooms. ref {ref}",
    "Client ({name}, dob {dob}) presented as homeless on {date}. NHS no {nhs}. LSOA {lsoa}.",
    "Dear {given},\n\nThank you for your e-mail of {date}. Please ring me on "
    "{phone}.\n\nKind regards,\n{name}\n{org}",
    "NINO {nino} checked with DWP. UC award {money} pcm from {date}.",
    "{upper} - {dob} - {postcode} - no fixed abode since {date}",
    "Vehicle {plate} seen outside on {date}, reported by a resident of {road}.",
    "Bank details taken for the refund: {bank}. Amount {money}. Case {ref}.",
    "Please email {email} about the UPRN {uprn}, which is in {lsoa}.",
    "Pt seen by Dr {surname} at {org}. NHS {nhs}. BP 140/90, HR 72. Review in 6 weeks.",
    "she said her ex {given} has been outside the house in a red corsa {plate}, lives "
    "{address} {postcode}",
    "No contact since {date}. Letter sent to the last address in {district}. Closed {ref}.",
    "{org} referred on {date}. {count} people in the household, 3 bed need, band B, {money} rent.",
    "Hi {given}, can you text {phone} or write to {email}? Ta, {given}",
    "my name is {lower} and i was born on {dob}, i live at {address}",
    "Landlord Mr {surname} served s21 on {date}; deposit {money} not protected.",
    "Spoke with {given} {surname}'s support worker, {name}, who confirmed NI number is {nino}.",
    "MARAC: victim {name}, perpetrator {name}, children {given} and {given} ({dob}).",
    "Allocated to {place} hub. Road closure on {road} until {date}. Quote {ref} in replies.",
    "Voicemail left. Number given was {phone} but also try {phone}.",
    "{surname}, {given} | {nhs} | {postcode} | GP: {org}",
    "Repairs: boiler out at {address}, {place}. Tenant {surname} ({phone}) available after 2pm.",
    "Attended {org} with {typo}, who was distressed about the eviction on {date}.",
    "Housing benefit reference {ref}, weekly award {money}, effective {date}, area {lsoa}.",
    "Gas check at property {uprn} due {date}; meter {count}. Ref {ref}.",
    "{given} phoned. {given}'s mum {name} is in {org}. DOB: {dob}. hosp no unknown.",
)  # fmt: skip
"""Read while the rules were made."""

HELD_OUT = (
    "Home visit to {name}. Flat cold and mould on the north wall. {given} asked about {org}.",
    "Tel call in from Mrs {titled}. Moved out of {address} in spring. New number {phone}.",
    "{lower} rang, very upset, landlord {surname} changed locks on {date}. adv to call police",
    "From: {name} <{email}>\nTo: {email}\nSubject: rent\n\nHi, I paid {money} on "
    "{date}.\n\nThanks\n{given}",
    "Assessment: {name}, born {dob}, currently sofa surfing in {district}. Ref {ref}.",
    "NHS number: {nhs}\nSurname: {surname}\nForename: {given}\nDate of birth: "
    "{dob}\nPostcode: {postcode}",
    "pt {nhs} dna appt {date} x2, gp letter to {given} {surname}",
    "Discharge summary. {upper}. Lives alone at {address}, {place} {postcode}. NOK {name} "
    "(daughter) {phone}.",
    "ASB complaint: neighbours of {road} report noise on {date} between 22:00 and 02:30.",
    "Abandoned car, reg {plate}, untaxed since {date}. Owner thought to be {name}.",
    "car was a blue {make}, {plate}, parked across the drop kerb by a man called {given}",
    "Refund to {bank} - authorised by {name}. Cheque for {money} cancelled.",
    "NI: {nino}. UC claim made {date}. Work coach {given} at {place} jobcentre.",
    "Safeguarding: {given} ({dob}) told her teacher that her uncle {given} hit her. School: {org}.",
    "I can be reached at {email} or on {phone} after 6.\nYours sincerely\n{name}",
    "Property {uprn} void since {date}; rent {money} a week; EPC band D; {district}.",
    "UPRN: {uprn}; tenant {surname}; arrears {money}; LSOA {lsoa}; ward {place} North.",
    "Interpreter booked for {name} (Tigrinya). Bring passport and proof of address: {address}.",
    "{name} and {name} both present. {given} said that {given} pays the bills. No concerns.",
    "Warm home discount: {count} households in {lsoa} and {lsoa}, {money} in total, by {date}.",
    "Ms {surname} was advised of review rights under s202. Decision letter {date}, ref {ref}.",
    "email from {lower} {email} asking when the repair at {postcode} will be done",
    "Contact details updated: mob {phone}, e-mail {email}, addr {address}, {postcode}.",
    "Cllr {surname} asked on {date} why {road} floods. {org} has been told. Cost {money}.",
    "Baby {given}, {dob}, weight 3.2 kg, red book seen. Mother {name}. HV {given}.",
    "Referral from PC {surname} {count} (West Midlands). Suspect {typo}, known as {given}.",
    "Meeting of {date}: present {name}, {name}, Dr {titled}; apologies {given}. Next meeting "
    "{date}.",
    "Re: {name} v {org}, claim {ref}, hearing {date} at {place} County Court.",
    "CP conference. Child: {name} DOB {dob}. Father: {name} DOB {dob}. School nurse {given}.",
    "Prescription collected by {given}, NHS no. {nhs}, from the pharmacy on {road}.",
    "Client disclosed that he's {given}'s carer. {given} has dementia and lives in {place}.",
    "{phone} - no answer. {phone} - spoke to partner, {given}. Call back Monday.",
    "Please pay my wages into {bank}, my national insurance number is {nino}, thanks {given}",
    "{surname} family, {count} children, overcrowded 2 bed in {district}, on list since {date}.",
    "Taxi plate {ref}, driver {name}, vehicle {plate}, licence expires {date}.",
    "Consent given by {name}. Copy to GP, Dr {name}, {org}. Do not share with {given}.",
    "Temperature {count} degrees, CO2 at 900 ppm, meter reading 0045217, job {ref}, {date}.",
    "hi its {lower}, my postcode is {postcode} and my birthday is {dob} can u help",
    "Fwd: please see below from mr {titled} about {address}. - {given}",
    "Street population count on {date}: {count} people on {road}, {count} near {org}.",
    "Resident at {address} says {given} next door has been taking parcels. Tel. {phone}",
    "Budget of {money} moved from {place} to {place} on {date}; approved under {ref}.",
    "Spoke to {given}. {given} confirmed d.o.b. as {dob} and NHS as {nhs}.",
    "Whistleblower wrote from {email} that {name} claims for a flat at {postcode}.",
    "GP surgery rang re {surname}. Needs ground floor, {org} OT report of {date} attached.",
    "Universal Credit: Mr {titled}, {nino}, {postcode}, tenancy start {date}, rent {money}.",
)  # fmt: skip
"""Not looked at while the rules were made."""
