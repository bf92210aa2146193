"""Reads a merged table (Parquet and CSV) back in polars, pandas and DuckDB, and compares all values.

usage: pip install polars==2.1.0 pandas==2.3.3 pyarrow==22.0.0 duckdb==1.4.2
       python tests/sweep/read_back.py RESULTS.parquet RESULTS.csv
"""

import sys

import duckdb
import pandas
import polars

parquet, csv = sys.argv[1:3]
order = ["row", "figure", "step"]


def of_polars(table):
    """The rows of a polars table as tuples, texts for the varied keys."""
    keys = [name for name in table.columns if name not in (*order, "value")]
    table = table.with_columns([polars.col(key).cast(polars.String) for key in keys])
    return table.select(["row", *keys, "figure", "step", "value"]).rows()


text = {"row": polars.Int64, "step": polars.Int64, "value": polars.Float64, "figure": polars.String}
names = polars.read_csv(csv, n_rows=0).columns
schema = {name: text.get(name, polars.String) for name in names}
first = of_polars(polars.read_parquet(parquet))
as_text = of_polars(polars.read_csv(csv, schema=schema))


def of_pandas(table):
    keys = [name for name in table.columns if name not in (*order, "value")]
    rows = table[["row", *keys, "figure", "step", "value"]].itertuples(index=False, name=None)
    return [tuple(None if value is pandas.NA or value != value else value for value in row) for row in rows]


kinds = {name: {"row": "int64", "step": "Int64", "value": "float64"}.get(name, "string") for name in names}
second = of_pandas(pandas.read_parquet(parquet))
second_text = of_pandas(pandas.read_csv(csv, dtype=kinds, float_precision="round_trip", keep_default_na=False, na_values={"step": ""}))
third = duckdb.sql(f"SELECT * FROM '{parquet}'").fetchall()
named = {name: {"row": "BIGINT", "step": "BIGINT", "value": "DOUBLE"}.get(name, "VARCHAR") for name in names}
third_text = duckdb.sql(f"SELECT * FROM read_csv('{csv}', header = true, nullstr = '', columns = {named})").fetchall()

assert names == polars.read_parquet(parquet).columns, "columns of both files"
for reader, rows in [
    ("polars, CSV", as_text),
    ("pandas, Parquet", second),
    ("pandas, CSV", second_text),
    ("DuckDB, Parquet", third),
    ("DuckDB, CSV", third_text),
]:
    assert len(rows) == len(first), f"{reader}: {len(rows)} lines, {len(first)} in polars"
    for ours, theirs in zip(first, rows):
        assert tuple(ours) == tuple(theirs), f"{reader}: {theirs} is {ours} in polars"
print(f"{len(first)} lines and {len(names)} columns are the same in polars, pandas and DuckDB, from Parquet and CSV")
