"""The report room: pictures, tables and example sentences, made from the tables of the other rooms, for one report."""
