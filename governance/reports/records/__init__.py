"""Records made from the declarations and the state on the disk, a module each.

Belongs here: record of processing, register of risks, transparency record, privacy notice and
disclosure log, each as pages and CSV by file name. They carry names of columns, counts and reasons,
never a person's data. Does not belong here: writing files (``pipelines/exports.py``).
"""
