"""What the counts say: published indicators, their intervals and composite indices.

Belongs here: the catalogue of indicators (``catalogue/*.yaml``), the windows of time they are
published for, which deliveries feed which window, numerators and denominators, rates and shares
with their confidence intervals, published statistics passed through, and composite indices.
DuckDB connections are passed in; the statistics are pure functions of arrays.

Does not belong here: how records become counts (``assets``), how counts are protected
(``governance``), what a release looks like (``publishing``).
"""
