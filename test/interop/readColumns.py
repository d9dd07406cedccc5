"""Reads what Headrace wrote with pyarrow, DuckDB and Python's csv, and prints it as JSON for columns.test.ts."""
import csv
import json
import sys

import duckdb
import pyarrow.parquet as pq

directory = sys.argv[1]


def plain(value):
    if isinstance(value, bytes):
        return value.hex()
    return value if value is None or isinstance(value, (str, bool)) else str(value)


table = pq.read_table(f"{directory}/items.parquet")
metadata = pq.ParquetFile(f"{directory}/items.parquet").metadata
duck = duckdb.connect()
cursor = duck.execute("SELECT * FROM read_parquet(?) ORDER BY id", [f"{directory}/items.parquet"])
names = [column[0] for column in cursor.description]
types = [str(column[1]) for column in cursor.description]
with open(f"{directory}/items.csv", newline="", encoding="utf-8") as file:
    cells = list(csv.DictReader(file))
print(
    json.dumps(
        {
            "groups": metadata.num_row_groups,
            "pyarrow": sorted(
                ({name: plain(value) for name, value in row.items()} for row in table.to_pylist()),
                key=lambda row: row["id"],
            ),
            "pyarrowTypes": {field.name: str(field.type) for field in table.schema},
            "duckdb": [dict(zip(names, map(plain, row))) for row in cursor.fetchall()],
            "duckdbTypes": dict(zip(names, types)),
            "sum": str(duck.execute("SELECT sum(price) FROM read_parquet(?)", [f"{directory}/items.parquet"]).fetchone()[0]),
            "csv": sorted(cells, key=lambda row: row["id"]),
        }
    )
)
