"""Words that tell names of people from other words, used by the rules for names.

Belongs here: lists of words in lower case, put together for this project. Does not belong here: how
they are used (`name_rules`).
"""

from __future__ import annotations

_NEVER = """
nino uprn marac mash iban lsoa ref
mr mrs ms miss mx dr sir dame cllr councillor prof rev reverend and the of re fao c/o dob nhs gp
sw ot hv pcn dwp hmrc uc pip esa jsa cpn amhp asb hmo lha dhp tenant client patient caller
applicant landlord resident monday tuesday wednesday thursday friday saturday sunday january
february april june july august september october november december
"""

_NO_NAME_AFTER = """
said says say is was has had did does will would can could should may might must not no
appointment appointments surgery practice office team teams all everyone colleague colleagues
both sir madam sirs there you us it he she they we i me my his her their our the a an and or but
if so to for from at in on of by with as that this these those today yesterday tomorrow now then
again regarding re about who what when where which how why please thanks thank just also still
only very attended called rang visited came went reports reported stated states advised asked
told unknown none n/a na tbc known unable refused given kind regards best wishes many yours
sincerely faithfully sent tenant client patient manager officer support housing council social
worker duty nhs gp hospital police school dwp universal credit court citizens advice customer
services service line number details date ref address phone email tel mobile name family
daughter son wife husband partner mother father mum dad brother sister uncle aunt baby neighbour
neighbours friend carer child children boy girl man woman lady person people landlord landlady
owner driver caller applicant claimant resident residents nurse teacher doctor solicitor witness
victim perpetrator suspect interpreter advocate staff somebody someone nobody everybody anyone
home visit letter case meeting contact citizen city county borough department trust north south
east west mon tue wed thu fri sat sun jan feb mar apr jun jul aug sep sept oct nov dec rent
voicemail call flat house block street road ward area property unit room hostel shelter crisis
age uk reference report form consent assessment referral complaint repairs arrears order adult
adults ambulance fire bailiffs contractor engineer gas electric water text
"""

_PLACES = """
street st road rd avenue ave drive crescent gardens grove terrace way square mews house hospital
infirmary school academy college university surgery clinic centre center library mosque temple
gurdwara estate hostel nursery theatre stadium station trust foundation charity ltd limited plc
llp council borough solicitors housing homes association society unit tower towers building
primary secondary infant junior medical health retail hotel inn arms care disease syndrome room
suite scale score medal award prize act
"""

NEVER_NAMES = frozenset(_NEVER.split())
"""Never part of a name, whatever a model says: titles, roles, days, those months that are no given
names, and the abbreviations of case notes."""

NO_NAME_AFTER = frozenset(_NO_NAME_AFTER.split())
"""Follow a title, a role or a phrase without being a name."""

PLACE_WORDS = tuple(_PLACES.split())
"""Make the capitalised word before them the name of a road, a building or an organisation. Words
that are common surnames too (Hill, Day, Park, Hall) are left out: rather a road taken out than a
person left in."""
