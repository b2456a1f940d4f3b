"""Fiction: believable buildings and impossible people on real divisions, from a seed.

``plan`` says how many people each county gets, ``structures`` draws their buildings, ``roster`` lets people move in.
Nobody in it can exist: identity numbers are of people born 1880 to 1899, other documents have a form nobody issues.
"""

from data.fiction.plans import CountyPlan, plan
from data.fiction.rosters import roster
from data.fiction.structures import structures

__all__ = ["CountyPlan", "plan", "roster", "structures"]
