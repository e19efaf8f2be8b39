"""Redaction of free text: what identifies a person is found, measured, and taken out.

Belongs here: kinds of finding (`findings`), recognisers of identifiers and of names (`recognisers`,
`names`), the engine over them (`engine`), its measured recall (`measurement`, on `sample_texts`),
and free-text columns of a table (`columns`). Does not belong here: what one whole value is
(`governance.identifiers`), or the decision that a column is free text (``declarations``).
"""
