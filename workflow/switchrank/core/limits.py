"""How large a whole number may be that a user writes."""

from __future__ import annotations

LARGEST = 2**31 - 1
"""What every library behind a key or a table takes."""
