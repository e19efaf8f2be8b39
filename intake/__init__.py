"""Files as agencies send them: found, proved safe, kept as sent, read and typed.

Belongs here: what lies in a landing folder, whether a file is safe to open, the store of originals,
and the way from a delivered file to a typed table of the columns its contract declares.
Does not belong here: whether a delivery may be used (``governance``), whether its content is good
(``expectations``), where its rows are (``geography``).
"""
