"""Addresses: how they are written, read and compared; pure words that take their gazetteer as an argument.

``normalise`` undoes differences of writing for exact comparison; ``parse`` takes an address apart by the
grammar of GB/T 23705-2009 (地名/地址编码规则) and of how people write, and ``write`` puts the parts together.
"""

from gis.addresses.normalising import DwellingPlace, normalise, normalise_many, split_dwelling, split_dwellings
from gis.addresses.parsing import Address, parse, write

__all__ = [
    "Address",
    "DwellingPlace",
    "normalise",
    "normalise_many",
    "parse",
    "split_dwelling",
    "split_dwellings",
    "write",
]
