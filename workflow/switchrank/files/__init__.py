"""Files: opening, unpacking, streaming and downloading what a user points at."""
