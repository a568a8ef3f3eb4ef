"""CLIRMatrix (Sun and Duh 2020): queries in one language with graded documents in another."""
