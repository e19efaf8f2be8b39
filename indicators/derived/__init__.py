"""Tables made from published figures: what they add up to, not what they were made from.

Belongs here: functions from the table of published, protected figures (and open data) to the rows
of one further table each: smoothed figures, trends, comparisons, inequality, standardised rates,
medians, indices, hotspots, expected use and need. Each module's docstring names its columns.
Does not belong here: the statistics (``indicators/statistics/``, ``composite/``, ``place/``,
``service/``), anything that reads exact counts.

Whoever has the release can make every one of these tables again, so they tell nothing more than
it does.
"""
