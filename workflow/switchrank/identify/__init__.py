"""What a file or folder is, by its content: format, rows, languages, problems, and the config entry that reads it."""
