"""Documents a person reviews before they are given away: read, proposed, cut, written, proved.

Belongs here: one module a type of file (``docx``, ``xlsx``, ``pdf``, ``html``, ``text``,
``email``), each of which lists every text of the file as blocks and writes the same type back from
what was examined and nothing else. Does not belong here: what is an identifier
(``governance.redaction``'s engine, which is always handed in), the page a person reviews on
(``governance/redaction/review_page.py``) or where files are put (``pipelines/redacting.py``).
"""
