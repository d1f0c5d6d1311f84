"""Checks of the tap in the hands of those who use it; `run` starts them."""
