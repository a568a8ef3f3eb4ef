"""Rule table_page: a table as a page that can be sorted and searched, and as TSV."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.report.tables import write_table_page

    write_table_page(table=rule.input[0], out=rule.output.page, unseen=rule.params.unseen)
    write_table_page(table=rule.input[0], out=rule.output.tsv)
