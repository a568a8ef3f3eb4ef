"""The largest whole number that a user may write."""

LARGEST = 2**31 - 1
"""Every library behind a key or a table can handle it."""
