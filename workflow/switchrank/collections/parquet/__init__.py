"""Tables in Parquet or in folders of the library datasets, whose columns the config names."""

READ_AS = "tsv"
