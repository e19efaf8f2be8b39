"""Code lists used in the council extracts, with the share of records that take each value.

Belongs here: labels as published and rough shares. Does not belong here: who gets which, which is
each topic's. H-CLIC labels: MHCLG detailed local authority tables of October to December 2025
(A2 to A4, P1, R1, MD1, MD3, TA1). Client Level Data: Release 2 values in DHSC's published code.
The shares are invented round numbers near the national pattern; they are not statistics.
"""

from __future__ import annotations

Shares = dict[str, float]

DUTIES = ("prevention", "relief", "none", "withdrew", "ineligible")

REASONS_LOSS: Shares = {
    "End of AST: Rent arrears": 5,
    "End of AST: Breach of tenancy": 1,
    "End of AST: Landlord wishing to sell": 11,
    "End of AST: Landlord wishing to re-let": 6,
    "End of AST: Tenant complained about disrepair": 1,
    "End of AST: Illegal eviction": 1,
    "End of AST: Tenant abandoned property": 1,
    "End of AST: Other": 4,
    "End of private rented tenancy - not AST": 4,
    "Family or friends no longer willing or able to accommodate": 26,
    "Non-violent relationship breakdown with partner": 7,
    "Domestic abuse: Victim": 12,
    "Domestic abuse: Alleged perpetrator": 1,
    "Other violence or harassment": 3,
    "End of social rented tenancy: Rent arrears": 2,
    "End of social rented tenancy: Breach of tenancy": 1,
    "End of social rented tenancy: Other": 1,
    "Eviction from supported housing: Rent arrears": 1,
    "Eviction from supported housing: Breach of licence": 2,
    "Eviction from supported housing: Other": 2,
    "Departure from institution: Custody": 3,
    "Departure from institution: Psychiatric hospital": 0.4,
    "Departure from institution: General hospital": 0.4,
    "Departure from institution: Looked after child placement": 0.5,
    "Required to leave Home Office asylum accommodation": 5,
    "Home no longer suitable - disability or ill health": 1,
    "Loss of resettlement placement or sponsorship": 0.3,
    "Other or not known": 4,
}
SUPPORT_NEEDS: Shares = {
    "Young person aged 16-17 years": 1,
    "Young person aged 18-25 years requiring support to manage independently": 5,
    "Young parent requiring support to manage independently": 2,
    "Care leaver aged 18-20 years": 2,
    "Care leaver aged 21-24 years": 2,
    "Care leaver aged 25+ years": 1,
    "Physical ill health and disability": 19,
    "History of mental health problems": 27,
    "Learning disability": 6,
    "At risk of / has experienced sexual abuse / exploitation": 3,
    "At risk of / has experienced domestic abuse": 14,
    "At risk of / has experienced abuse (non-domestic abuse)": 3,
    "Drug dependency needs": 8,
    "Alcohol dependency needs": 6,
    "Offending history": 10,
    "History of repeat homelessness": 8,
    "History of rough sleeping": 6,
    "Former asylum seeker": 4,
    "Old age": 2,
    "Served in HM Forces": 1,
    "Access to education, employment or training": 5,
    "Victim of modern slavery": 1,
    "Difficulties budgeting": 5,
}
ACCOMMODATION: Shares = {
    "Private rented sector: Self-contained": 24,
    "Private rented sector: House in multiple occupation (HMO)": 4,
    "Private rented sector: Lodging (not with family or friends)": 2,
    "Social rented sector: Council tenant": 6,
    "Social rented sector: Registered provider tenant": 5,
    "Social rented sector: Supported housing / hostel": 4,
    "Owner-occupier / shared ownership": 2,
    "Living with family": 23,
    "Living with friends": 7,
    "Temporary accommodation": 2,
    "No fixed abode: Slept rough in the last year": 2,
    "No fixed abode: Previously slept rough": 1,
    "No fixed abode: Never slept rough": 6,
    "Rough sleeping": 2,
    "Refuge": 1,
    "National Asylum Seeker Support (NASS) accommodation": 4,
    "Homeless on departure from institution: Custody": 3,
    "Homeless on departure from institution: General hospital": 0.5,
    "Homeless on departure from institution: Psychiatric hospital": 0.4,
    "Other / not known": 3,
}
UNSETTLED = tuple(
    label for label in ACCOMMODATION if label.startswith(("No fixed abode", "Rough sleeping"))
)
PREVENTION_ENDS: Shares = {
    "Secured accommodation for 6+ months: Stayed in existing accommodation": 16,
    "Secured accommodation for 6+ months: Moved to alternative accommodation": 36,
    "Homeless (including intentionally homeless)": 27,
    "Refused suitable accommodation offer": 1,
    "Refused to cooperate": 1,
    "Contact lost": 9,
    "Withdrew application / applicant deceased": 5,
    "56 days elapsed and no further action": 4,
    "No longer eligible": 0.5,
    "Not known": 0.5,
}
RELIEF_ENDS: Shares = {
    "Secured accommodation for 6+ months": 33,
    "56 days elapsed": 47,
    "Local connection referral accepted by other LA": 1,
    "Intentionally homeless from accommodation provided": 1,
    "Refused final accommodation or final Part 6 offer": 1,
    "Notice served due to refusal to cooperate": 1,
    "Contact lost": 9,
    "Withdrew application / applicant deceased": 5,
    "No longer eligible": 1,
    "Not known": 1,
}
BECAME_HOMELESS = "Homeless (including intentionally homeless)"
RELIEF_RAN_OUT = "56 days elapsed"
MAIN_DECISIONS: Shares = {
    "Homeless + priority need + unintentionally homeless (acceptance)": 66,
    "Homeless + priority need + intentionally homeless": 4,
    "Homeless + no priority need": 26,
    "Not homeless": 4,
}
ACCEPTANCE = "Homeless + priority need + unintentionally homeless (acceptance)"
WITH_CHILDREN = "Household includes dependent children"
PRIORITY_NEEDS: Shares = {
    WITH_CHILDREN: 10,
    "Vulnerable with children": 4,
    "Household includes a pregnant woman": 6,
    "Old age": 3,
    "Physical disability / ill health": 22,
    "Mental health problems": 24,
    "Young applicant": 4,
    "Domestic abuse": 16,
    "Other": 9,
    "Homeless because of emergency": 2,
}
TA_TYPES: Shares = {
    "Bed and breakfast hotels (including shared annexes)": 15,
    "Nightly paid, privately managed accommodation, self-contained": 30,
    "Hostels (including reception centres, emergency units and refuges)": 8,
    "Private sector accommodation leased by authority or by a registered provider": 22,
    "Local authority or Housing association (LA/HA) stock": 22,
    "Any other type of temporary accommodation": 3,
}
REFERRAL_AGENCIES: Shares = {
    "Adult secure estate (prison)": 15,
    "Adult social services": 9,
    "Children's social services": 12,
    "Hospital A&E, urgent treatment centres or in-patient care": 12,
    "Jobcentre Plus": 20,
    "Mental health in-patient care": 6,
    "Probation services": 20,
    "Other / not known": 6,
}
ETHNIC_GROUPS: Shares = {
    "White: English, Welsh, Scottish, Northern Irish or British": 62,
    "White: Irish": 1,
    "White: Gypsy or Irish Traveller": 0.2,
    "White: Roma": 0.3,
    "White: Any other White background": 5,
    "Mixed or multiple ethnic groups: White and Black Caribbean": 2,
    "Mixed or multiple ethnic groups: White and Asian": 1,
    "Asian or Asian British: Indian": 6,
    "Asian or Asian British: Pakistani": 6,
    "Asian or Asian British: Bangladeshi": 2,
    "Asian or Asian British: Any other Asian background": 2,
    "Black, Black British, Caribbean or African: African": 4,
    "Black, Black British, Caribbean or African: Caribbean": 3,
    "Other ethnic group: Arab": 1,
    "Other ethnic group: Any other ethnic group": 2,
    "No data: Refused": 1,
    "No data: Undeclared or not known": 1.5,
}
SUPPORT_REASONS: Shares = {
    "Physical Support: Access & mobility only": 8,
    "Physical Support: Personal care support": 46,
    "Sensory Support: Support for visual impairment": 1,
    "Sensory Support: Support for hearing impairment": 1,
    "Sensory Support: Support for dual impairment": 0.5,
    "Support with Memory & Cognition": 11,
    "Learning Disability Support": 19,
    "Mental Health Support": 11,
    "Social Support: Substance misuse support": 0.7,
    "Social Support: Support for Social Isolation/Other": 2,
    "Unknown": 0.5,
}
LEARNING_DISABILITY = "Learning Disability Support"
SERVICE_TYPES: Shares = {
    "Long term support: Nursing care": 8,
    "Long term support: Residential care": 18,
    "Long term support: Community": 74,
}
CARE_ACCOMMODATION: Shares = {
    "Owner occupier or shared ownership scheme": 34,
    "Tenant: Local authority or other social housing provider": 32,
    "Tenant: Private landlord": 7,
    "Settled mainstream housing with family or friends": 16,
    "Supported accommodation, supported lodgings or supported group home": 5,
    "Shared Lives scheme": 1,
    "Sheltered housing, extra care housing or other sheltered housing": 4,
    "Rough sleeper or squatting": 0.1,
    "Night shelter, emergency hostel or direct access hostel": 0.2,
    "Placed in temporary accommodation by the council (inc. homelessness resettlement)": 0.4,
    "Staying with family or friends as a short term guest": 0.3,
    "Unknown: Presumed at home": 2,
}
EMPLOYMENT: Shares = {
    "Paid: 16 or more hours a week": 2,
    "Paid: Less than 16 hours a week": 4,
    "Not in paid employment: Seeking work": 6,
    "Not in paid employment: Not actively seeking work or retired": 74,
    "Not in paid employment: Voluntary work only": 4,
    "Unknown": 10,
}
REQUEST_OUTCOMES: Shares = {
    "Progress to reablement/ST-Max": 14,
    "Progress to assessment, review or reassessment": 27,
    "Progress to support planning or services": 9,
    "Admitted to hospital": 2,
    "NFA: Referral to NHS services or NHS funded social care": 4,
    "NFA: Self-funded client or under 12wk disregard": 3,
    "NFA: Information and advice or signposting": 27,
    "NFA: Referral to other service within the local authority": 4,
    "NFA: Support declined": 5,
    "NFA: Deceased": 1,
    "NFA: No services offered for other reason": 3,
    "NFA: Other": 1,
}
ASSESSMENT_OUTCOMES: Shares = {
    "Progress to reablement/ST-Max": 6,
    "Progress to support planning or services": 58,
    "Continuation of support or services": 14,
    "NFA: Self-funded client or under 12wk disregard": 5,
    "NFA: Information and advice or signposting": 9,
    "NFA: Support declined": 5,
    "NFA: No services offered for other reason": 3,
}
SERVICE_OUTCOMES: Shares = {
    "Progress to assessment, review or reassessment": 14,
    "Continuation of support or services": 22,
    "Admitted to hospital": 12,
    "NFA: Responsibility moved to another local authority": 2,
    "NFA: Self-funded client or under 12wk disregard": 3,
    "NFA: Deceased": 24,
    "NFA: Support ended as planned": 20,
    "NFA: Support ended for other reason": 6,
}
REVIEW_OUTCOMES: Shares = {
    "Continuation of support or services": 80,
    "Progress to assessment, review or reassessment": 8,
    "Progress to support planning or services": 6,
    "NFA: Support ended as planned": 5,
    "NFA: Support declined": 1,
}
ROUTES: Shares = {
    "Community / other route": 62,
    "Discharge from hospital": 22,
    "Diversion from hospital services": 3,
    "Planned entry (transition)": 2,
    "Self-funder with depleted funds": 2,
    "Prison": 0.3,
}
CRIMES: Shares = {
    "Anti-social behaviour": 14,
    "Bicycle theft": 0.8,
    "Burglary": 5,
    "Criminal damage and arson": 9,
    "Drugs": 3,
    "Other crime": 2,
    "Other theft": 7,
    "Possession of weapons": 1.2,
    "Public order": 8,
    "Robbery": 1.8,
    "Shoplifting": 8,
    "Theft from the person": 1.4,
    "Vehicle crime": 8,
    "Violence and sexual offences": 35,
}
ANTI_SOCIAL = "Anti-social behaviour"
CRIME_OUTCOMES: Shares = {
    "Investigation complete; no suspect identified": 38,
    "Unable to prosecute suspect": 30,
    "Under investigation": 22,
    "Awaiting court outcome": 4,
    "Local resolution": 3,
    "Status update unavailable": 3,
}
