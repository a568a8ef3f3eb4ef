"""File formats between the stages: column names, dtypes and order, each written down once."""
