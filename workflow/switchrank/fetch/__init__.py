"""Input files from web addresses: fetched once per machine, checked and whole, or one line that says why not."""
