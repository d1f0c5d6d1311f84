"""Compares the behaviour of a package with the description in a script."""

import atexit
import os

_changed = []


def stated(what, found, expected):
    """Prints the result; if it differs from the expected one, the process exits with 1."""
    print(f"{what}: {found!r}")
    if found != expected:
        print(f"  CHANGED, expected: {expected!r}")
        _changed.append(what)


@atexit.register
def _end():
    if _changed:
        print("No longer as described: " + "; ".join(_changed), flush=True)
        os._exit(1)
