"""What leaves the platform: the release bundle, its formats, its pages and its manifest.

Belongs here: the data dictionary of a release, the files made from already protected tables
(DuckDB, Parquet, CSV, GeoPackage), the map and quality pages, and the check that a bundle is whole.
Does not belong here: protecting counts and approving releases (``governance/``), computing
indicators (``indicators/``), or deciding where a bundle is put and when (``assets/``).
"""
