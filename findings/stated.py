"""Compares what a package does with what a script states."""

import atexit
import os

_changed = []


def stated(what, found, expected):
    """Prints what was found; if it is not what was expected, the process ends with 1."""
    print(f"{what}: {found!r}")
    if found != expected:
        print(f"  CHANGED, stated was: {expected!r}")
        _changed.append(what)


@atexit.register
def _end():
    if _changed:
        print("No longer as stated: " + "; ".join(_changed), flush=True)
        os._exit(1)
