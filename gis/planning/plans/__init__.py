"""Plans: where a facility should stand, on what demand and which travel times, how good that is, and what it buys.

Exact sums of people live inside a plan's making only (rights.md, 8): what is kept and shown has gone through
``publishing``, which rounds every sum to ten and shows none under ten.
"""
