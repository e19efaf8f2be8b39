"""Where things are: from an agency's own location to a 2021 LSOA, and from there to any other area.

Belongs here: codes (`codes`), the changes between 2011 and 2021 (`changes`), postcodes and UPRNs
(`postal`), points (`points`, `coordinates`), boundaries and neighbours (`boundaries`), larger areas
(`hierarchies`, `custom_areas`), and the placing of every row of a table (`placement`). Pure
functions and SQL text; DuckDB connections are passed in.

Does not belong here: where files lie (`warehouse`), who may see them (`governance`), what is
counted (`indicators`), when it runs (`pipelines`).
"""
