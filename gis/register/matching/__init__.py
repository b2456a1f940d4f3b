"""Matching: the building and room that an address means, or the reason why a person must say.

``naming`` makes the gazetteer, ``index`` holds the register's addresses by their elements, ``exact`` finds what
agrees in everything stated, ``typos`` what agrees but for a slip in a name, ``deciding`` links or queues.
"""
