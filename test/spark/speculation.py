"""A straggler that Spark runs twice: on a stand-alone cluster, whose two workers have addresses of their own."""

import json
import os
import sys
import time

import headrace
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

ORDER = json.loads(sys.argv[1])


def slow_at_first(index, rows):
    """The first attempt at one partition is slow; the other finds that it is not the first."""
    flag = f"{ORDER['folder']}/straggler"
    slow = False
    if index == 3:
        try:
            os.mkdir(flag)
            slow = True
        except FileExistsError:
            pass
    for at, row in enumerate(rows):
        if slow and at % 500 == 0:
            time.sleep(1)
        yield row


def main():
    spark = SparkSession.builder.appName("headrace-speculation").getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    df = spark.range(0, 40_000, 1, 8).select(
        F.concat(F.lit("row"), "id").alias("id"), F.col("id").alias("n"), F.lit("x" * 1_000).alias("text")
    )
    made = spark.createDataFrame(df.rdd.mapPartitionsWithIndex(slow_at_first), df.schema)
    done = headrace.publish(made, ORDER["table"], endpoint=ORDER["endpoint"], region="eu-west-1", single_pass=True)
    print(json.dumps({"rows": done.rows, "written": done.written, "attempts": [one["attempt"] for one in done.partitions]}))
    spark.stop()


main()
