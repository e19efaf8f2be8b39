"""Pages and files for officers, made from declarations and from what lies on the disk.

Belongs here: the register of agreements with its calendar, the records (``records/``), and the page
they are all shown on. Does not belong here: the checks behind them (``controls/``), an agreement in
words (``agreement_text/``), or writing the files (``pipelines/``).
"""
