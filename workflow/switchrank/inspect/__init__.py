"""Says what a file or folder is, by its content: format, rows, languages, samples, what is wrong, the config entry."""
