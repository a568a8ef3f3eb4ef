"""Tables of text whose columns the config names: between tabs, commas, semicolons or other separators."""
