"""One Spark session, many cases: run by test/spark/session.test.ts. Prints a line of JSON for each case."""

import decimal
import datetime
import json
import os
import sys
import time
import traceback

import headrace
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

ORDER = json.loads(sys.argv[1])
FOLDER = ORDER["folder"]
WHERE = {"endpoint": ORDER["endpoint"], "region": "eu-west-1"}


def start():
    spark = SparkSession.builder.appName("headrace").getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    return spark


def publish(df, table, **more):
    return headrace.publish(df, table, **{**WHERE, "single_pass": "files" not in more, **more})


def summary(done):
    return {
        "rows": done.rows,
        "written": done.written,
        "rejected": done.rejected,
        "attempts": [one["attempt"] for one in done.partitions],
        "read": [one["read"] for one in done.partitions],
    }


def ids(spark, count, partitions, prefix):
    return spark.range(0, count, 1, partitions).select(
        F.concat(F.lit(prefix), "id").alias("id"), F.col("id").alias("n"), F.lit("x" * 100).alias("text")
    )


def normal(spark):
    return summary(publish(ids(spark, 20_000, 4, "normal"), ORDER["table"]))


def empty(spark):
    none = ids(spark, 100, 2, "none").where("n < 0")
    kept = publish(none, ORDER["table"], rejects=f"{FOLDER}/empty-rejects")
    nothing = spark.createDataFrame([], none.schema)
    no_partitions = spark.createDataFrame(spark.sparkContext.emptyRDD(), none.schema)
    return {
        "kept": {**summary(kept), "rejects": kept.rejects.count()},
        "nothing": summary(publish(nothing, ORDER["table"])),
        "no partitions": summary(publish(no_partitions, ORDER["table"])),
        "no partitions, kept": summary(publish(no_partitions, ORDER["table"], rejects=f"{FOLDER}/no-rejects")),
        "files": summary(publish(none, ORDER["table"], files=f"{FOLDER}/empty")),
    }


def forty(spark):
    """Tasks that end at once and tasks that go on, on two slots: each has a worker of its own."""

    def wait(index, rows):
        time.sleep(0.3 if index % 7 == 0 else 0)
        yield from rows if index % 3 else ()

    df = ids(spark, 8_000, 40, "forty")
    return summary(publish(spark.createDataFrame(df.rdd.mapPartitionsWithIndex(wait), df.schema), ORDER["table"]))


def crash(spark):
    """A worker that ends in the middle; the task is run again with another."""
    flag = f"{FOLDER}/crashed"
    worker = f"if [ ! -e {flag} ] && mkdir {flag}; then head -c 100000 > /dev/null; exit 3; fi; exec \"$0\" \"$1\""
    own = headrace._own_worker()
    done = publish(ids(spark, 20_000, 4, "crash"), ORDER["table"], command=["/bin/sh", "-c", worker, *own])
    return summary(done)


def upstream_python(spark):
    def fail(rows):
        for index, row in enumerate(rows):
            if index == 3_000:
                raise KeyError("a bug in python code")
            yield row

    df = ids(spark, 20_000, 2, "python")
    return watched("python", spark.createDataFrame(df.rdd.mapPartitions(fail), df.schema))


def upstream_sql(spark):
    df = ids(spark, 20_000, 2, "sql")
    # After a rest, so that the worker is at work when it happens.
    rest = F.expr("concat('', reflect('java.lang.Thread', 'sleep', 2000L))")
    text = F.when(F.col("n") == 8_999, rest).when(F.col("n") == 9_000, F.raise_error(F.lit("a bug in sql")))
    text = text.otherwise(F.col("text"))
    return watched("sql", df.withColumn("text", text))


def watched(name, df):
    """How the job failed, and what each of its workers was given."""
    log = f"{FOLDER}/{name}"
    os.mkdir(log)
    command = ["/bin/sh", "-c", 'tee "$2/$$" | "$0" "$1"', *headrace._own_worker(), log]
    message = failure(lambda: publish(df, ORDER["table"], command=command))
    given = []
    for path in os.listdir(log):
        with open(f"{log}/{path}") as file:
            lines = file.read().splitlines()
        given.append({"rows": sum(line.startswith("{") for line in lines), "ended": any(line.startswith('["end"') for line in lines)})
    return {"message": message, "given": given}


def rejects(spark):
    df = ids(spark, 10_000, 4, "reject").withColumn("n", F.when(F.col("n") % 1_000 == 7, F.lit(float("nan"))).otherwise(F.col("n")))
    kept = publish(df, ORDER["table"], rejects=f"{FOLDER}/rejects")
    lines = [json.loads(row.value) for row in kept.rejects.collect()]
    try:
        publish(df, ORDER["table"])
    except headrace.PublishError as error:
        told = {"message": str(error), **summary(error.published)}
    return {"kept": summary(kept), "lines": sorted(lines, key=lambda one: one["raw"]), "told": told}


def stages(spark):
    """Rows that are others each time they are made: what is published is what was committed."""
    df = ids(spark, 5_000, 4, "stage").withColumn("dice", F.rand())
    first = publish(df, ORDER["table"], files=f"{FOLDER}/stage")
    committed = {row.id: row.dice for row in spark.read.parquet(f"{FOLDER}/stage").collect()}
    again = failure(lambda: publish(df, ORDER["table"], files=f"{FOLDER}/stage"))
    go_on = publish(
        df,
        ORDER["other"],
        files=f"{FOLDER}/stage",
        existing="publish",
        items=lambda files: files.select("id", "dice", F.col("_metadata.file_name").alias("file")),
    )
    return {"first": summary(first), "committed": committed, "again": again, "go_on": summary(go_on)}


def missing(spark):
    return failure(lambda: publish(ids(spark, 100, 1, "missing"), "missing_table"))


def deletes(spark):
    df = ids(spark, 1_000, 2, "delete")
    publish(df, ORDER["table"])
    return summary(publish(df.where("n >= 10").select("id"), ORDER["table"], operation="delete"))


def make_exact(spark):
    schema = T.StructType(
        [
            T.StructField("id", T.StringType()),
            T.StructField("long", T.LongType()),
            T.StructField("decimal", T.DecimalType(38, 10)),
            T.StructField("binary", T.BinaryType()),
            T.StructField("timestamp", T.TimestampType()),
            T.StructField("date", T.DateType()),
            T.StructField("flag", T.BooleanType()),
            T.StructField("double", T.DoubleType()),
            T.StructField("float", T.FloatType()),
            T.StructField("text", T.StringType()),
            T.StructField("list", T.ArrayType(T.LongType())),
            T.StructField("map", T.MapType(T.StringType(), T.BinaryType())),
            T.StructField("byNumber", T.MapType(T.LongType(), T.StringType())),
            T.StructField(
                "struct",
                T.StructType(
                    [
                        T.StructField("long", T.LongType()),
                        T.StructField("at", T.TimestampType()),
                        T.StructField("none", T.StringType()),
                        T.StructField("bytes", T.ArrayType(T.BinaryType())),
                    ]
                ),
            ),
            T.StructField("a.dotted `name`", T.StringType()),
        ]
    )
    utc = datetime.timezone.utc
    at = datetime.datetime(2026, 1, 2, 3, 4, 5, 123456, utc)
    full = (
        "exact",
        9007199254740993,
        decimal.Decimal("1234567890123456789012345678.0123456789"),
        bytearray(b"\x00\x01\xff"),
        at,
        datetime.date(1969, 7, 20),
        True,
        1e20,
        0.1,
        'tab\t "quotes" \n \u2028 \U0001f600 \\',
        [-9223372036854775808, None, 9223372036854775807],
        {"a": bytearray(b"\xfe"), "b": None},
        {9007199254740993: "long key"},
        (9007199254740993, at, None, [bytearray(b""), bytearray(b"\x80")]),
        "dotted",
    )
    small = ("small", 0, decimal.Decimal("0.0000000001"), *[None] * 12)
    zero = ("zero", None, decimal.Decimal("100"), *[None] * 12)
    df = spark.createDataFrame([full, small, zero], schema, verifySchema=False)
    return df.withColumn("ntz", F.when(F.col("id") == "exact", F.expr("timestamp_ntz'2026-01-02 03:04:05.123456'")))


def exact(spark):
    df = make_exact(spark)
    wrong = [
        df.withColumn("void", F.lit(None)),
        df.select("*", "long"),
        df.select("id", F.create_map("date", "text").alias("m")),
    ]
    return {
        "done": summary(publish(df, ORDER["table"])),
        "files": summary(publish(df, ORDER["other"], files=f"{FOLDER}/exact")),
        "wrong": [failure(lambda: publish(one, ORDER["table"])) for one in wrong],
    }


def source(spark):
    """df.write.format("headrace"), whose rows come by way of Python."""
    headrace.register(spark)

    def write(df, table=ORDER["other"], mode="append", **more):
        df.write.format("headrace").mode(mode).options(table=table, **WHERE, **more).save()

    write(ids(spark, 3_000, 4, "source"))
    every = make_exact(spark)
    write(every.withColumn("id", F.concat(F.lit("source-"), "id")))
    wrong = ids(spark, 100, 2, "wrong").withColumn("n", F.when(F.col("n") == 7, F.lit(float("nan"))))
    text = F.when(F.col("n") == 9_000, F.raise_error(F.lit("a bug in sql"))).otherwise(F.col("text"))
    return {
        "rejects": failure(lambda: write(wrong)),
        "upstream": failure(lambda: write(ids(spark, 20_000, 2, "late").withColumn("text", text))),
        "overwrite": failure(lambda: write(wrong, mode="overwrite")),
        "unknown": failure(lambda: write(wrong, color="green")),
    }


def throttled(spark):
    where = {"endpoint": ORDER["throttling"]}
    done = publish(ids(spark, 3_000, 4, "throttled"), "slow", **where)
    limited = publish(ids(spark, 800, 4, "limited"), "slow", **where, rate=100)
    # All in one of four partitions: alone it has a fourth of the rate, and four times as long to go.
    one = ids(spark, 400, 1, "shared").union(ids(spark, 1, 3, "shared").where("n < 0"))
    shared = publish(one, "slow", **where, rate=100, control_table="control")
    return {
        "limited": limited.seconds,
        "shared": [shared.seconds, len(shared.partitions)],
        **summary(done),
    }


def failure(work):
    try:
        work()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def main():
    began = time.monotonic()
    spark = start()
    print(json.dumps({"case": "start", "seconds": time.monotonic() - began}), flush=True)
    for name in ORDER["cases"]:
        began = time.monotonic()
        try:
            result = {"result": globals()[name](spark)}
        except Exception:
            result = {"error": traceback.format_exc()}
        print(json.dumps({"case": name, "seconds": time.monotonic() - began, **result}), flush=True)
    spark.stop()


main()
