"""Need against service: what use would be expected of an area, and whether its use falls short.

Belongs here: expected use from published rates and open counts, its adjustment for need, and the
words for the outcome. Everything is worked out for areas (LSOA, MSOA, district) from figures that
are published or open; nothing here sees a record, and no person is ever scored.
Does not belong here: the layout of the published tables (``derived/``).
"""
