"""People: sealed identities, residencies, rosters."""
