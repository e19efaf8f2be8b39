"""Postcodes and UPRNs: what a text means, what the directories say, and counting by them.

Belongs here: postcodes as people type them (`postcodes`), the layouts of ONS and Ordnance Survey
directories (`directories`), counting very many records (`counting`). Does not belong here: the
choice between several keys of a record (`geography.placement`).
"""
