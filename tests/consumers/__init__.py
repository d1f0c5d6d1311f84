"""Tests of the tap with its real consumers; `run` starts them."""
