"""Statistics of counts, rates and shares: pure functions of whole columns.

Belongs here: standardisation, comparison with a benchmark, inequality, shrinkage, trends, and what
a hidden count can be expected to be. Each takes DuckDB, Arrow, pandas and NumPy columns
(``indicators/columns.py``) and gives NaN where an input is missing.
Does not belong here: the basic intervals (``indicators/intervals.py``), which indicator takes which
statistic, or rows of a table (``indicators/derived/``).
"""
