"""The Dagster assets: what is made from what. Each calls one function of a room and reports.

Belongs here: factories that turn a region's declarations into assets, with names, groups, owners,
column schemas, partitions and checks. Loading them reads declarations only: no data, no network,
no Great Expectations, no geopandas.
Does not belong here: how anything is computed (the rooms), or when it runs (``pipelines/``).
"""
