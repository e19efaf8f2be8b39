"""Adult social care events by the published rules of DHSC and NHS England.

Belongs here: what becomes of the rows of Client Level Data returns before they are counted. Does
not belong here: the values of the rules, which a contract states (``declarations/events.py``), or
the counts (``indicators/counting.py``).

Sources: DHSC, Client Level Data: method of the joined submissions (release 2); NHS England, ASCOF
and SALT transformations of Client Level Data 2024-25 (STS001, 2A, 2B/2C, 2E, 3D); DHSC, waiting
times, provisional method 1.1. Where these leave a choice, it is said at the function.

The steps, each a few statements over the whole of a council's events:

joining     the deliveries under each other; one row an event; open services that the next delivery
            no longer has end with the last that had them; the dead receive nothing
requests    requests close in time are one; whether it is new; what it led to; how long it took
known       what is recorded late is counted once, when it becomes known
support     long-term support in the year and at its end, admissions, what followed ST-Max
people      what is so of a person: accommodation, direct payment, known in the year
quality     values that are none of the specification's

Columns of an event beside those of the return:

=======================  ===========================================================================
delivery                 month of the latest delivery that has the event
derived_end_date         the earlier of the event's end and the person's death; open if NULL
cropped                  an open service that a later delivery no longer has
new_request              first row of a request by somebody without long-term support at its start
request_completed_on     the day by which a new request is counted: when the first of its cluster
                         was dealt with, or became known
request_sequel           weightiest service that followed a new request, or 'No service'
sequel_known_on          the day by which its sequel is counted: nothing more can become it, as far
                         as was known then
response_on, service_on  the day by which the first assessment or service, and the first service,
                         after a new request that was to lead to something are counted
response_wait, service_wait   band of days from the request's start to these answers
long_term_in_year        long-term support on any day of the twelve months to the period's end
long_term_at_year_end    long-term support on the last day
community_at_year_end    the same at home, of people not in residential or nursing care on that day
self_directed            how a person's community support is arranged: direct payment, managed
                         personal budget, other
new_admission            first row of a new admission to residential or nursing care that the months
                         of this delivery count
short_term_known_on      the day by which a new client's ST-Max is counted: its outcome is known
short_term_sequel        ongoing support, no ongoing support, left out
learning_disability      the event's primary support reason is a learning disability
working_age              the person's age band lies within 18 to 64
settled                  settled, not settled, not known: by the latest known accommodation
accommodation_now        latest known accommodation of the person
known_in_year            an event on any day of the twelve months
values_checked           how many of the cleaned columns have a value
values_invalid           how many of these are invalid and not mapped
<column>_clean           the cleaned value: as it came, or 'Invalid and not mapped'
=======================  ===========================================================================
"""

from indicators.care.events import EVENTS, make_events

__all__ = ["EVENTS", "make_events"]
