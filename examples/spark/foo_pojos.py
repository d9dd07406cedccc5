"""A load test's data: many large objects in files, and for each of them a small record in DynamoDB that says where it is.

    spark-submit --py-files headrace.py --archives headrace-spark.tgz#headrace-spark \\
        foo_pojos.py --pojos 100000000 --files s3://bucket/pojos/run-7/ --table pojo-index --region eu-west-1

On one machine, with `headrace local` or `headrace simulate --port 8000` for a DynamoDB:

    npx headrace table create pojo-index --key pojoId:S --endpoint-url http://localhost:8000
    python foo_pojos.py --pojos 1000 --files /tmp/pojos --table pojo-index --endpoint-url http://localhost:8000 \\
        --check "npx headrace"
"""

import argparse
import base64
import datetime
import decimal
import hashlib
import json
import random
import shlex
import subprocess
import tempfile
import zlib

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

import headrace

POJO = T.StructType(
    [
        T.StructField("pojoId", T.StringType(), False),
        T.StructField("sequence", T.LongType()),
        T.StructField("createdAt", T.TimestampType()),
        T.StructField("total", T.DecimalType(38, 10)),
        T.StructField("digest", T.BinaryType()),
        T.StructField("body", T.StringType()),
    ]
)
CITIES = ["Oslo", "Bergen", "Trondheim", "Aarhus", "Malmö", "Turku", "Reykjavík", "Tórshavn"]
GOODS = ["lamp", "chair", "kettle", "notebook", "bicycle", "umbrella", "violin", "compass"]


def make_pojo(index: int) -> tuple:
    """Some ten thousand bytes with a meaning, and a millisecond of computing. Of one index always the same."""
    dice = random.Random(index)
    orders = [
        {
            "order": f"{index}-{number}",
            "placed": f"2026-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}",
            "lines": [{"good": dice.choice(GOODS), "quantity": dice.randint(1, 9), "price": dice.randint(99, 99999)}],
            "city": dice.choice(CITIES),
        }
        for number in range(20)
    ]
    history = json.dumps([{"at": at, "status": dice.choice(["new", "paid", "sent"])} for at in range(200)])
    picture = dice.randbytes(5_000)
    body = json.dumps(
        {
            "customer": {"name": f"Customer {index}", "city": dice.choice(CITIES), "since": 1990 + index % 36},
            "orders": orders,
            "history": base64.b64encode(zlib.compress(history.encode(), 9)).decode(),
            "picture": base64.b64encode(picture).decode(),
            "signature": hashlib.pbkdf2_hmac("sha256", picture, str(index).encode(), 500).hex(),
        },
        ensure_ascii=False,
    )
    cents = sum(line["price"] * line["quantity"] for order in orders for line in order["lines"])
    created = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(microseconds=index * 7)
    return (
        f"foo-{index:09}",
        2**53 + index,
        created,
        decimal.Decimal(cents) / 100 + decimal.Decimal(index) / 10**10,
        hashlib.sha256(body.encode()).digest(),
        body,
    )


def make_pojos(spark: SparkSession, count: int, partitions: int):
    indexes = spark.sparkContext.range(count, numSlices=partitions)
    return spark.createDataFrame(indexes.map(make_pojo), POJO, verifySchema=False)


def index_records(files):
    """One small record for each object in the files."""
    return files.select(
        "pojoId",
        "sequence",
        "createdAt",
        "total",
        "digest",
        F.length("body").alias("bodyCharacters"),
        F.col("_metadata.file_name").alias("file"),
    )


def differences(spark: SparkSession, args: argparse.Namespace) -> int:
    """Reads the table back, and counts the records that it has besides those of the files, or lacks."""
    expected = index_records(spark.read.schema(POJO).parquet(args.files))
    with tempfile.TemporaryDirectory() as folder:
        command = [*shlex.split(args.check), "export", args.table, f"{folder}/items.jsonl", "--format", "jsonl", "--quiet"]
        where = [*(["--region", args.region] if args.region else [])]
        where += ["--endpoint-url", args.endpoint_url] if args.endpoint_url else []
        subprocess.run([*command, *where], check=True, cwd=folder)
        found = spark.read.schema(expected.schema).json(f"{folder}/items.jsonl").select(expected.columns)
        return expected.exceptAll(found).count() + found.exceptAll(expected).count()


def main() -> None:
    parse = argparse.ArgumentParser()
    parse.add_argument("--pojos", type=int, required=True)
    parse.add_argument("--partitions", type=int, default=200)
    parse.add_argument("--files", help="where the pojos go; not with --single-pass")
    parse.add_argument("--existing", default="error", help='"publish" to go on with a run that was broken off')
    parse.add_argument("--single-pass", action="store_true", help="publish the records as they are made, without files")
    parse.add_argument("--table", required=True)
    parse.add_argument("--region")
    parse.add_argument("--endpoint-url")
    parse.add_argument("--rate", help='write units a second, or a part of what the table has, as "50%%"')
    parse.add_argument("--rejects", help="a place for records that can never be stored")
    parse.add_argument("--check", help="how headrace is started: reads the table back and compares")
    args = parse.parse_args()

    spark = SparkSession.builder.appName("foo-pojos").getOrCreate()
    pojos = make_pojos(spark, args.pojos, args.partitions)
    where = {"region": args.region, "endpoint": args.endpoint_url, "rejects": args.rejects}
    if args.rate:
        where["rate"] = args.rate if args.rate.endswith("%") else float(args.rate)
    if args.single_pass:
        # Without files a record can not say in which it is.
        records = pojos.drop("body")
        done = headrace.publish(records, args.table, single_pass=True, **where)
    else:
        done = headrace.publish(
            pojos, args.table, files=args.files, existing=args.existing, items=index_records, **where
        )
    result = {"rows": done.rows, "written": done.written, "rejected": done.rejected, "partitions": len(done.partitions)}
    if args.check and not args.single_pass:
        result["differences"] = differences(spark, args)
    print(json.dumps(result), flush=True)
    spark.stop()


if __name__ == "__main__":
    main()
