"""Many logs: found, read and advised on by many processes, and kept as tables.

Nothing here is imported before a fleet is asked for: the engine and the tables come with the extra ``fleet``.
"""
