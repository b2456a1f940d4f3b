"""`python3 .setup run|test|check|bench|lock`: install what is missing on this machine, then hand over to the program.

Runs with a bare system python3. This file keeps to the syntax of Python 3.6, so that an old Python can still say so.
"""

import os
import shutil
import sys

OLDEST, NEWEST = (3, 11), (3, 13)


def use_a_fitting_python() -> None:
    """Go on under a Python that the locked dependencies support, or say which to install."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        other = shutil.which(f"python3.{minor}")
        if other:
            os.execv(other, [other, *sys.argv])  # noqa: S606 - no shell is wanted
    mine = f"{sys.version_info[0]}.{sys.version_info[1]}"
    sys.exit(f"menpai: Python 3.11, 3.12 or 3.13 is needed, and this is {mine}; on Debian: sudo apt install python3")


if __name__ == "__main__":
    use_a_fitting_python()
    from errands import main

    main(sys.argv[1:])
