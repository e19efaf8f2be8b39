"""Where data lives: the Parquet lake, its provenance, its keys, and the one DuckDB connection.

Belongs here: paths, atomic writes, fingerprints, encryption of record-level tables, connections,
and the workspace that brings a region's declarations together with its data folder.
Does not belong here: what any table means. Nothing here knows a source, a rule or an indicator.
"""
