"""Writes Parquet as pyarrow does it, and what its rows are, for parquet.test.ts."""
import datetime
import decimal
import json
import sys

import pyarrow as pa
import pyarrow.parquet as pq

out = sys.argv[1]
D = decimal.Decimal
ROWS = 1000


def rows():
    for i in range(ROWS):
        yield {
            "id": f"item{i}",
            "int64": [2**63 - 1, -(2**63), 2**53 + 1, i][i % 4],
            "uint64": 2**64 - 1 - i,
            "int32": -i,
            "uint32": 2**32 - 1 - i,
            "double": i / 8,
            "flag": i % 2 == 0,
            "decimal": None if i % 5 == 0 else D(f"{'-' if i % 2 else ''}{i}234567890123456789012.0123456789"),
            "short": D(i) / 100,
            "us": datetime.datetime(1969, 12, 31, 23, 59, 59, 999999) + datetime.timedelta(microseconds=i),
            "ns": 1_500_000_000_000_000_000 + i,
            "utc": 1_500_000_000_000 + i,
            "date": datetime.date(1969, 12, 31) + datetime.timedelta(days=i),
            "time": datetime.time(1, 2, 3, i),
            "bytes": bytes([i & 255, 0, 255]),
            "word": ["red", "green", None][i % 3],
            "text": "é€😀" * (i % 4),
            "list": None if i % 7 == 0 else [None if k == 1 else k for k in range(i % 4)],
            "struct": None if i % 6 == 0 else {"a": i, "b": None if i % 2 else {"c": f"x{i}"}},
            "map": None if i % 8 == 0 else [(f"k{k}", k) for k in range(i % 3)],
            "deep": [{"tags": ["x"] * (i % 3), "n": D(i) / 10}],
            "odd": {"__proto__": i, "a.b": "x"},
            "oddMap": [("__proto__", i), ("constructor", None)],
            "nothing": None,
        }


schema = pa.schema(
    [
        ("id", pa.string()),
        ("int64", pa.int64()),
        ("uint64", pa.uint64()),
        ("int32", pa.int32()),
        ("uint32", pa.uint32()),
        ("double", pa.float64()),
        ("flag", pa.bool_()),
        ("decimal", pa.decimal128(38, 10)),
        ("short", pa.decimal128(9, 2)),
        ("us", pa.timestamp("us")),
        ("ns", pa.timestamp("ns")),
        ("utc", pa.timestamp("ms", tz="UTC")),
        ("date", pa.date32()),
        ("time", pa.time64("us")),
        ("bytes", pa.binary()),
        ("word", pa.dictionary(pa.int32(), pa.string())),
        ("text", pa.large_string()),
        ("list", pa.list_(pa.int64())),
        ("struct", pa.struct([("a", pa.int64()), ("b", pa.struct([("c", pa.string())]))])),
        ("map", pa.map_(pa.string(), pa.int64())),
        ("deep", pa.list_(pa.struct([("tags", pa.list_(pa.string())), ("n", pa.decimal128(10, 1))]))),
        ("odd", pa.struct([("__proto__", pa.int64()), ("a.b", pa.string())])),
        ("oddMap", pa.map_(pa.string(), pa.int64())),
        ("nothing", pa.null()),
    ]
)


def number(value):
    text = format(D(value).normalize(), "f")
    return {"N": "0" if D(value) == 0 else text}


def wanted(row):
    """In DynamoDB JSON, as docs/reference/formats.md says."""
    ns = row["ns"]
    whole = datetime.datetime.fromtimestamp(ns // 10**9, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    utc = datetime.datetime.fromtimestamp(row["utc"] // 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    import base64

    item = {
        "id": {"S": row["id"]},
        **{name: number(row[name]) for name in ("int64", "uint64", "int32", "uint32", "double", "short")},
        "flag": {"BOOL": row["flag"]},
        "us": {"S": row["us"].strftime("%Y-%m-%dT%H:%M:%S.%f")},
        "ns": {"S": f"{whole}.{ns % 10**9:09d}"},
        "utc": {"S": f"{utc}.{row['utc'] % 1000:03d}Z"},
        "date": {"S": row["date"].isoformat()},
        "time": {"S": row["time"].strftime("%H:%M:%S.%f")},
        "bytes": {"B": base64.b64encode(row["bytes"]).decode()},
        "text": {"S": row["text"]},
        "odd": {"M": {"__proto__": number(row["odd"]["__proto__"]), "a.b": {"S": "x"}}},
        "oddMap": {"M": {"__proto__": number(row["oddMap"][0][1]), "constructor": {"NULL": True}}},
        "deep": {
            "L": [{"M": {"tags": {"L": [{"S": t} for t in d["tags"]]}, "n": number(d["n"])}} for d in row["deep"]]
        },
    }
    if row["decimal"] is not None:
        item["decimal"] = number(row["decimal"])
    if row["word"] is not None:
        item["word"] = {"S": row["word"]}
    if row["list"] is not None:
        item["list"] = {"L": [{"NULL": True} if v is None else number(v) for v in row["list"]]}
    if row["struct"] is not None:
        inner = {"a": number(row["struct"]["a"])}
        if row["struct"]["b"] is not None:
            inner["b"] = {"M": {"c": {"S": row["struct"]["b"]["c"]}}}
        item["struct"] = {"M": inner}
    if row["map"] is not None:
        item["map"] = {"M": {k: number(v) for k, v in row["map"]}}
    return item


decimal.getcontext().prec = 60
table = pa.Table.from_pylist(list(rows()), schema=schema)
for codec in ("none", "snappy", "gzip", "zstd", "brotli", "lz4"):
    pq.write_table(table, f"{out}/{codec}.parquet", compression=codec, row_group_size=300)
pq.write_table(table, f"{out}/v1.parquet", data_page_version="1.0", use_dictionary=False, data_page_size=1000)
pq.write_table(table, f"{out}/v2.parquet", data_page_version="2.0", write_page_index=True, data_page_size=1000)
pq.write_table(
    table.select(["id", "us"]), f"{out}/int96.parquet", use_deprecated_int96_timestamps=True, coerce_timestamps=None
)
with open(f"{out}/wanted.jsonl", "w") as file:
    for row in rows():
        file.write(json.dumps(wanted(row)) + "\n")
