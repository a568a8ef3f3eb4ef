"""Run: what a run costs, how it goes, what it was made with."""
