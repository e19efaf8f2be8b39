"""What became of the areas of 2011 in 2021, and of the counts made for them.

Belongs here: the lookup of changes and its weights (`vintages`), whether it is whole
(`completeness`), converting tables of values either way (`conversion`), and the exact arithmetic of
splitting (`apportionment`). Does not belong here: the placing of single records (`placement`).
"""
