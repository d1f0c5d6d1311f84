"""What a check ends with when a consumer did not get what it should."""


class Difference(Exception):
    """A consumer failed, or has something else than the simulator's truth."""
