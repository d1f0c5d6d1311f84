"""The error of a failed consumer test."""


class Difference(Exception):
    """A consumer failed, or its data differs from the simulated tenant."""
