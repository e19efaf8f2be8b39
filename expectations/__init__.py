"""What a delivery is checked for, how the checks run, and what they say.

Belongs here: Great Expectations suites derived from contracts, the one DuckDB pass that runs them,
GX's own engine as the proof of that pass, the three outcomes and the report a supplying agency
reads. Results carry counts, columns and reasons; never a value of a record.

Does not belong here: reading files (`intake`), the decision that follows from the outcomes
(`governance`, `assets`), when checks run (`pipelines`).
"""
