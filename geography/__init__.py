"""Where things are: from an agency's own location to a 2021 LSOA.

Belongs here: codes and their vintages, the changes between 2011 and 2021, postcodes, points,
boundaries, exact apportionment, and the placing of every row of a table in an area. Pure functions
and SQL text; DuckDB connections are passed in.

Does not belong here: where files lie (`warehouse`), who may see them (`governance`), what is
counted (`indicators`), when it runs (`pipelines`).
"""
