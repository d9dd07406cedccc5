"""Publishes the rows of a Spark DataFrame to a table of DynamoDB.

    import headrace
    done = headrace.publish(df, "orders", files="s3://bucket/orders/run-7/", region="eu-west-1")
    print(done.written)

A row is an item, and a column an attribute of its name. Each task hands its rows to a Node process of its own, which
writes them at the speed the table allows and says that it is done when the service has acknowledged every one. A task
counts when Spark itself hands its result to the driver, and not before. docs/guides/spark.md says what is guaranteed.

This one file is all that is needed of Python: it takes pyspark (3.5 or 4) and nothing else.
"""

from __future__ import annotations

import base64
import ctypes
import datetime
import decimal
import json
import math
import os
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple, Union

try:
    from pyspark.serializers import UTF8Deserializer
except ImportError:  # What runs in a task can be tried without Spark.
    UTF8Deserializer = object

__all__ = ["Published", "PublishError", "WorkerFailed", "publish", "register"]

PROTOCOL = 1
# The name that --archives gives to what `headrace pack-spark` makes. No module can have it, so it hides none.
ARCHIVE = "headrace-spark"
STDERR_LINES = 50
# After its last word the worker has nothing left to do.
FAREWELL_SECONDS = 10
# Rejects that come to the driver by themselves, where no place is given for all of them.
EXAMPLES_PER_PARTITION = 10
EXAMPLE_CHARACTERS = 2_000
EXAMPLES_IN_MESSAGE = 3


class WorkerFailed(RuntimeError):
    """The Node process of a task has failed, and says why. Spark runs the task again, some times, before `publish` raises it."""


class UpstreamFailed(RuntimeError):
    """What makes the rows has stopped in the middle. Spark knows why, and says so in place of this."""


class PublishError(RuntimeError):
    """Items were rejected and there was no place for them. All others are written; `published` says how many."""

    def __init__(self, message: str, published: "Published"):
        super().__init__(message)
        self.published = published


@dataclass(frozen=True)
class Published:
    """What a publish did: the sums of what Spark handed the driver, each partition once."""

    rows: int
    written: int
    rejected: int
    write_units: float
    requests: int
    #: Times that an item went again: throttled, unprocessed, or failed on the way.
    retried: int
    seconds: float
    #: A dictionary for each partition: partition, attempt, read, written, rejected, writeUnits, requests, retried, seconds.
    partitions: List[Dict[str, Any]] = field(repr=False)
    #: A DataFrame of one column, `value`: a line of JSON for each reject, as `headrace load --from-rejects` takes it. None
    #: where no place was given for rejects.
    rejects: Any = field(default=None, repr=False)


def publish(
    df: Any,
    table: str,
    *,
    files: Optional[str] = None,
    existing: str = "error",
    items: Optional[Callable[[Any], Any]] = None,
    single_pass: bool = False,
    operation: str = "put",
    region: Optional[str] = None,
    endpoint: Optional[str] = None,
    rate: Union[int, float, str, None] = None,
    slots: Optional[int] = None,
    control_table: Optional[str] = None,
    rejects: Optional[str] = None,
    max_in_flight: Optional[int] = None,
    patience_seconds: Optional[int] = None,
    command: Optional[Sequence[str]] = None,
    environment: Optional[Dict[str, str]] = None,
) -> Published:
    """Writes every row of a DataFrame to a table, and returns when all of them are acknowledged.

    Two stages: the DataFrame is written to `files`, as Parquet, and committed; then items are made of what was committed,
    and published. So the table never holds a record that the files do not, whatever fails.

    files          a folder or s3:// prefix, for the first stage
    existing       what if there is something: "error"; "publish" what an earlier run has committed there, and write anew
                   what none has; "overwrite"
    items          makes of the DataFrame of the committed files the one whose rows are items; default: its own rows
    single_pass    no first stage: rows are published as they are made. For rows that are read from what stays as it is, or
                   of which it does not matter that a task that is run again may make other ones
    operation      "put", or "delete", of which rows are keys
    rate           write units a second of all tasks together, or a part of what the table has, as "50%". Default: 80 %
    control_table  a table with the partition key pk, text, through which all tasks spend from one rate, in units: the last
                   ones get what the others leave
    slots          tasks that may run at once, of which each has its share of the rate. Default: what Spark says
    rejects        a folder or s3:// prefix for items that can never be stored. Without one they are counted, and raise
                   PublishError at the end
    max_in_flight  of one task, items at the service at once; default 1,000
    patience_seconds  how long nothing at all may succeed before a task fails; default 600
    command        starts the worker; default: from the archive that `headrace pack-spark` makes, or this package
    environment    variables for the worker, besides those of the task
    """
    began = time.monotonic()
    _check(table, files, existing, single_pass, operation, rate)
    if control_table is not None and not isinstance(rate, (int, float)):
        raise ValueError("control_table requires a rate in WCU/s for all tasks together")
    spark = df.sparkSession
    source = df if single_pass else _commit(spark, df, files, existing)
    made = source if items is None else items(source)
    rows = _json_rows(made)
    partitions = rows.getNumPartitions()
    at_once = min(slots or _slots(spark, partitions), max(partitions, 1))
    begin = {
        "version": PROTOCOL,
        "table": table,
        "operation": operation,
        "connection": _given(region=region, endpoint=endpoint),
        "share": 1 / at_once,
        "schema": made.schema.jsonValue(),
        **_given(
            rate=rate,
            control=control_table and {"table": control_table, "name": f"spark#{uuid.uuid4()}", "workersMax": at_once},
            rejectsMax=EXAMPLES_PER_PARTITION if rejects is None else None,
            maxInFlight=max_in_flight,
            patienceSeconds=patience_seconds,
        ),
    }
    fallback = list(command) if command is not None else _own_worker()
    results = rows.mapPartitionsWithIndex(_task(begin, fallback, command is not None, environment or {}, rejects is None))
    try:
        if rejects is None:
            outcome, rejected = results.collect(), None
        else:
            outcome, rejected = _commit_results(spark, results, rejects, partitions, existing)
    except Exception as error:
        reason = _reason(error)
        if reason is None:
            raise
        raise WorkerFailed(f"publishing to {table} failed: {reason}") from error
    published = _sum(outcome, partitions, time.monotonic() - began, rejected)
    if not single_pass and items is None:
        committed = source.count()
        if published.rows != committed:
            raise RuntimeError(f"{files} has {committed} rows, but {published.rows} were published: publish them again")
    if rejects is None and published.rejected > 0:
        examples = [value for kind, value in outcome if kind == "reject"][:EXAMPLES_IN_MESSAGE]
        raise PublishError(
            f"{published.rejected} of {published.rows} items were rejected by {table}; the others are written. "
            "Set rejects= to keep all of them and continue. Examples:\n  " + "\n  ".join(examples),
            published,
        )
    return published


def register(spark: Any, slots: Optional[int] = None) -> None:
    """Makes `df.write.format("headrace").mode("append").option("table", …).save()` known to a session of Spark 4.

    Options: table, region, endpoint, rate, operation, max_in_flight, patience_seconds, as of `publish`; there is one stage, and
    what is rejected fails the write at its end, when all else is written. Each task has the part of the rate that one of `slots`
    is (default: what Spark says). Takes pyarrow, in the driver and in executors.
    """
    from pyspark import cloudpickle

    if __name__ != "__main__":
        cloudpickle.register_pickle_by_value(sys.modules[__name__])
    at_once = slots or _slots(spark, 0)
    if at_once == 0:
        raise ValueError("set slots=, the number of tasks that run at once: spark.dynamicAllocation.maxExecutors does not limit it")
    spark.dataSource.register(_data_source(_own_worker(), at_once))


# ---------------------------------------------------------------------------------------------------- on the driver


def _check(table: str, files: Any, existing: str, single_pass: bool, operation: str, rate: Any) -> None:
    if not isinstance(table, str):
        raise TypeError(f"table must be a table name, not {table!r}")
    if files is None and not single_pass:
        raise ValueError(
            "set files=, where Spark commits the rows before they are published; "
            "or set single_pass=True to publish rows as Spark computes them"
        )
    if files is not None and single_pass:
        raise ValueError("set either files= or single_pass=True, not both")
    if existing not in ("error", "publish", "overwrite"):
        raise ValueError(f'existing must be "error", "publish" or "overwrite", not {existing!r}')
    if operation not in ("put", "delete"):
        raise ValueError(f'operation must be "put" or "delete", not {operation!r}')
    if isinstance(rate, bool) or (isinstance(rate, (int, float)) and not 0 < rate < float("inf")):
        raise ValueError(f'rate must be a number of WCU/s above 0 or a share such as "50%", not {rate!r}')


def _given(**options: Any) -> Dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _commit(spark: Any, df: Any, files: str, existing: str) -> Any:
    """The first stage. What it returns reads what was committed, and no other rows ever."""
    if not (existing == "publish" and _is_committed(spark, files)):
        df.write.mode("error" if existing == "error" else "overwrite").parquet(files)
    return spark.read.schema(df.schema).parquet(files)


def _is_committed(spark: Any, files: str) -> bool:
    context = spark.sparkContext
    path = context._jvm.org.apache.hadoop.fs.Path(files, "_SUCCESS")
    return path.getFileSystem(context._jsc.hadoopConfiguration()).exists(path)


# What to_json has no exact form for unless it is told. The worker puts bytes right, by the schema.
_JSON = {
    "timeZone": "UTC",
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
    "dateFormat": "yyyy-MM-dd",
    # Of a column and of a struct: a null is no attribute. Those of arrays and maps stay.
    "ignoreNullFields": "true",
}
_MAP_KEYS = ("string", "varchar", "char", "boolean", "byte", "short", "integer", "long")


def _json_rows(df: Any) -> Any:
    """An RDD of the rows as JSON, in bytes, made by the JVM, that fails where the JVM fails."""
    from pyspark import cloudpickle
    from pyspark.rdd import RDD
    from pyspark.sql.functions import struct as struct_of
    from pyspark.sql.functions import to_json

    if not hasattr(df, "_jdf"):
        raise TypeError("Headrace cannot run in the tasks of a Spark Connect DataFrame: use a classic session")
    # So that tasks have this file, however it came to the driver.
    if __name__ != "__main__":
        cloudpickle.register_pickle_by_value(sys.modules[__name__])
    _check_schema(df)
    context = df.sparkSession.sparkContext
    names = [df["`" + name.replace("`", "``") + "`"] for name in df.columns]
    text = df.select(to_json(struct_of(*names), _JSON).alias("value"))
    encoder = context._jvm.org.apache.spark.sql.Encoders.STRING()
    return RDD(getattr(text._jdf, "as")(encoder).toJavaRDD(), context, StrictDeserializer())


def _check_schema(df: Any) -> None:
    if not df.columns:
        raise TypeError("a row without columns is not an item")
    doubles = sorted({name for name in df.columns if df.columns.count(name) > 1})
    if doubles:
        raise TypeError(f"there are two columns {doubles[0]}: rename one")
    for column in df.schema.jsonValue()["fields"]:
        _check_type(column["type"], column["name"])


def _check_type(kind: Any, path: str) -> None:
    if not isinstance(kind, dict):
        if kind == "void":
            raise TypeError(f"column {path} has no type: cast or drop it")
    elif kind["type"] == "struct":
        for inner in kind["fields"]:
            _check_type(inner["type"], f"{path}.{inner['name']}")
    elif kind["type"] == "array":
        _check_type(kind["elementType"], f"{path}[]")
    elif kind["type"] == "map":
        if not (isinstance(kind["keyType"], str) and kind["keyType"].split("(")[0] in _MAP_KEYS):
            raise TypeError(f"column {path} is a map whose keys are not strings: cast the keys to string")
        _check_type(kind["valueType"], f"{path}.*")
    else:
        raise TypeError(f"column {path} has a user-defined type: select its fields")


def _slots(spark: Any, partitions: int) -> int:
    """Tasks that may run at once, and rather too many: then each has too small a share, and no limit is passed."""
    context = spark.sparkContext
    conf = context.getConf()
    each = int(conf.get("spark.task.cpus", "1"))
    now = context.defaultParallelism
    if conf.get("spark.dynamicAllocation.enabled", "false").lower() == "true":
        most = conf.get("spark.dynamicAllocation.maxExecutors", "infinity")
        if not most.isdigit():
            return partitions
        now = max(now, int(most) * int(conf.get("spark.executor.cores", "1")))
    return max(1, now // each)


def _own_worker() -> List[str]:
    """The worker beside this file, for executors that see the files that the driver sees."""
    here = os.path.dirname(os.path.abspath(__file__))
    worker = os.path.join(os.path.dirname(here), "dist", "engines", "sparkWorker.js")
    return _packed(here) or ([shutil.which("node") or "node", worker] if os.path.exists(worker) else [])


def _packed(root: str) -> List[str]:
    """How the worker of an archive is started that is unpacked here, if one is."""
    command = [os.path.join(root, "node"), os.path.join(root, "worker.mjs")]
    return command if all(map(os.path.exists, command)) else []


def _commit_results(
    spark: Any, results: Any, path: str, partitions: int, existing: str
) -> Tuple[List[Tuple[str, str]], Any]:
    """Results become files that Spark commits: of each partition those of the one attempt that counts."""
    from pyspark.sql.functions import col

    frame = spark.createDataFrame(results, "kind string, value string", verifySchema=False)
    frame.write.mode("error" if existing == "error" else "overwrite").partitionBy("kind").text(path)
    if partitions == 0:
        return [], spark.createDataFrame([], "value string")
    written = spark.read.text(path)
    done = [("done", row.value) for row in written.where(col("kind") == "done").select("value").collect()]
    return done, written.where(col("kind") == "reject").select("value")


def _sum(outcome: Iterable[Tuple[str, str]], partitions: int, seconds: float, rejects: Any) -> Published:
    done = sorted((json.loads(value) for kind, value in outcome if kind == "done"), key=lambda one: one["partition"])
    if [one["partition"] for one in done] != list(range(partitions)):
        raise RuntimeError(f"Spark delivered {len(done)} results for {partitions} partitions: publish them again")

    def total(name: str) -> Any:
        return sum(one[name] for one in done)

    return Published(
        rows=total("read"),
        written=total("written"),
        rejected=total("rejected"),
        write_units=total("writeUnits"),
        requests=total("requests"),
        retried=total("retried"),
        seconds=seconds,
        partitions=done,
        rejects=rejects,
    )


def _reason(error: Exception) -> Optional[str]:
    """Why a worker has failed, out of a page of Java; None where it was something else."""
    text = str(error)
    marker = "headrace.WorkerFailed: "
    at = text.find(marker)
    return None if at == -1 else text[at + len(marker) :].split("\n\n")[0].strip()


_OPTIONS = ("table", "region", "endpoint", "rate", "operation", "max_in_flight", "patience_seconds")


def _data_source(fallback: List[str], slots: int) -> Any:
    """What Spark 4 calls a data source; of its classes, which Spark 3 does not have."""
    from pyspark.sql.datasource import DataSource, DataSourceWriter, WriterCommitMessage

    class Outcome(WriterCommitMessage):
        def __init__(self, done: Dict[str, Any], examples: List[str]):
            self.done = done
            self.examples = examples

    class Writer(DataSourceWriter):
        def __init__(self, begin: Dict[str, Any], kind: Any):
            self.begin = begin
            self.kind = kind

        def write(self, iterator: Iterator[Any]) -> Any:
            write_row = _row_writer(self.kind)
            examples: List[str] = []
            rows = (write_row(row).encode("utf-8") for row in iterator)
            for kind, value in run_worker(rows, self.begin, find_worker(fallback)):
                if kind == "done":
                    return Outcome(value, examples)
                examples.append(value[:EXAMPLE_CHARACTERS])

        def commit(self, messages: List[Any]) -> None:
            rejected = sum(message.done["rejected"] for message in messages)
            if rejected > 0:
                rows = sum(message.done["read"] for message in messages)
                examples = [example for message in messages for example in message.examples][:EXAMPLES_IN_MESSAGE]
                table = self.begin["table"]
                raise RuntimeError(f"{rejected} of {rows} items were rejected by {table}; the others are written. {examples}")

    class Source(DataSource):
        @classmethod
        def name(cls) -> str:
            return "headrace"

        def writer(self, schema: Any, overwrite: bool) -> Any:
            given = {name: self.options[name] for name in _OPTIONS if name in self.options}
            unknown = sorted(name for name in self.options if name not in _OPTIONS)
            if unknown:
                raise ValueError(f"there is no option {unknown[0]}: use {', '.join(_OPTIONS)}")
            if "table" not in given:
                raise ValueError('option("table", …) is missing')
            if overwrite:
                raise ValueError('mode("overwrite") would have to empty the table: use mode("append"), which only puts or deletes items')
            rate = given.get("rate")
            if rate is not None and not rate.endswith("%"):
                rate = float(rate)
            operation = given.get("operation", "put")
            _check(given["table"], None, "error", True, operation, rate)
            kind = schema.jsonValue()
            begin = {
                "version": PROTOCOL,
                "table": given["table"],
                "operation": operation,
                "connection": _given(region=given.get("region"), endpoint=given.get("endpoint")),
                "share": 1 / slots,
                "schema": kind,
                "place": "a task",
                "rejectsMax": EXAMPLES_PER_PARTITION,
                **_given(rate=rate),
                **{
                    to: int(given[name])
                    for name, to in (("max_in_flight", "maxInFlight"), ("patience_seconds", "patienceSeconds"))
                    if name in given
                },
            }
            return Writer(begin, kind)

    return Source


def _row_writer(kind: Any) -> Callable[[Any], str]:
    """Writes values of Python as Spark's to_json writes those of the JVM. The kind is of `DataType.jsonValue()`."""
    if isinstance(kind, str):
        write = _VALUES.get(kind.split("(")[0])
        if write is None:
            raise TypeError(f"a column of type {kind} cannot be written: cast it to string")
        return write
    if kind["type"] == "struct":
        members = [(json.dumps(one["name"]), _row_writer(one["type"])) for one in kind["fields"]]

        def write_struct(row: Any) -> str:
            values = zip(members, row)
            return "{" + ",".join(f"{name}:{of(value)}" for (name, of), value in values if value is not None) + "}"

        return write_struct
    if kind["type"] == "array":
        of_element = _row_writer(kind["elementType"])
        return lambda value: "[" + ",".join("null" if one is None else of_element(one) for one in value) + "]"
    _check_type(kind, "of this type")
    of_key, of_value = _row_writer(kind["keyType"]), _row_writer(kind["valueType"])

    def write_map(value: Any) -> str:
        def key(one: Any) -> str:
            return json.dumps(one) if isinstance(one, str) else f'"{of_key(one)}"'

        members = (f"{key(name)}:{'null' if one is None else of_value(one)}" for name, one in value.items())
        return "{" + ",".join(members) + "}"

    return write_map


def _double(value: float) -> str:
    if math.isnan(value):
        return '"NaN"'
    return repr(value) if math.isfinite(value) else f'"{"-" if value < 0 else ""}Infinity"'


def _float(value: float) -> str:
    """The shortest text for what Python has made a double of."""
    if not math.isfinite(value):
        return _double(value)
    texts = (f"{value:.{digits}g}" for digits in range(6, 10))
    return next(text for text in texts if struct.unpack("f", struct.pack("f", float(text)))[0] == value)


def _instant(value: datetime.datetime) -> str:
    # Of the zone of this process, as PySpark hands it over.
    utc = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    return f'"{utc.isoformat(timespec="microseconds")}Z"'


_VALUES: Dict[str, Callable[[Any], str]] = {
    "string": json.dumps,
    "char": json.dumps,
    "varchar": json.dumps,
    "boolean": json.dumps,
    "byte": str,
    "short": str,
    "integer": str,
    "long": str,
    "decimal": lambda value: format(decimal.Decimal(value), "f"),
    "float": _float,
    "double": _double,
    "binary": lambda value: f'"{base64.b64encode(value).decode()}"',
    "date": lambda value: f'"{value.isoformat()}"',
    "timestamp": _instant,
    "timestamp_ntz": lambda value: f'"{value.isoformat(timespec="microseconds")}"',
}


# -------------------------------------------------------------------------------------------------------- in a task


class StrictDeserializer(UTF8Deserializer):
    """Rows as bytes. PySpark's own takes a socket that closes for the end of the rows; but that is how a failure of the
    JVM looks from here. The end is where the JVM says so."""

    END_OF_DATA = -1
    NULL = -5

    def load_stream(self, stream: Any) -> Iterator[bytes]:
        while True:
            head = stream.read(4)
            if len(head) < 4:
                raise UpstreamFailed("the rows of this task ended early")
            size = struct.unpack("!i", head)[0]
            if size == self.END_OF_DATA:
                return
            if size == self.NULL:
                raise UpstreamFailed("a row is null")
            row = stream.read(size)
            if len(row) < size:
                raise UpstreamFailed("the rows of this task ended within a row")
            yield row

    def __repr__(self) -> str:
        return "StrictDeserializer()"


def _task(
    begin: Dict[str, Any], fallback: List[str], is_given: bool, environment: Dict[str, str], clip: bool
) -> Callable[[int, Iterator[bytes]], Iterator[Tuple[str, str]]]:
    def run(index: int, rows: Iterator[bytes]) -> Iterator[Tuple[str, str]]:
        from pyspark import TaskContext

        context = TaskContext.get()
        began = time.monotonic()
        command = fallback if is_given else find_worker(fallback)
        for kind, value in run_worker(rows, {**begin, "place": f"partition {index}"}, command, environment):
            if kind == "reject":
                yield kind, (value[:EXAMPLE_CHARACTERS] if clip else value)
            else:
                attempt = context.attemptNumber() if context is not None else 0
                where = {"partition": index, "attempt": attempt, "seconds": time.monotonic() - began}
                yield kind, json.dumps({**where, **value})

    return run


def find_worker(fallback: Sequence[str]) -> List[str]:
    """How a task starts its worker: from the archive where there is one, else as the driver would."""
    from pyspark import SparkFiles

    for place in (os.getcwd(), SparkFiles.getRootDirectory()):
        packed = _packed(os.path.join(place, ARCHIVE))
        if packed:
            return packed
    if fallback and os.path.exists(fallback[-1]):
        return list(fallback)
    raise WorkerFailed(
        f"there is no worker on this executor. Create the archive with `headrace pack-spark OUT.tgz`, "
        f"and pass it with --archives OUT.tgz#{ARCHIVE}"
    )


def run_worker(
    rows: Iterable[bytes],
    begin: Dict[str, Any],
    command: Sequence[str],
    environment: Optional[Dict[str, str]] = None,
) -> Iterator[Tuple[str, Any]]:
    """Hands rows to a Node process of their own. Yields ("reject", line) as they come, and at last ("done", counters).

    Raises what `rows` raises, and WorkerFailed. However it ends, the process has ended too.
    """
    try:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED": "true", **(environment or {})},
            preexec_fn=_dying_with_parent(),
        )
    except OSError as error:
        raise WorkerFailed(f"cannot start the worker: {error}. Command: {' '.join(command)}") from error
    fed = _Feed(rows, begin, process.stdin)
    words: deque = deque(maxlen=STDERR_LINES)
    listening = threading.Thread(target=_listen, args=(process.stderr, words), daemon=True)
    listening.start()
    fed.start()
    done = None
    try:
        for line in process.stdout:
            if not line.startswith(b"["):
                yield "reject", line.decode("utf-8").rstrip("\n")
                continue
            kind, value = json.loads(line)
            if kind == "done":
                done = value
        status = _wait(process)
        listening.join(FAREWELL_SECONDS)
        if fed.failure is not None:
            raise fed.failure
        if done is None or status != 0:
            raise WorkerFailed(f"{_ending(status)}: {_sentence(words)}")
        if done["read"] != fed.rows:
            raise WorkerFailed(f"the worker read {done['read']} of {fed.rows} rows")
        yield "done", done
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        # What it is still to be given makes it find that nobody is there.
        fed.join(1)
        process.stdout.close()


class _Feed(threading.Thread):
    """Writes the rows to the worker. An end frame goes out only where the rows ended by themselves."""

    def __init__(self, rows: Iterable[bytes], begin: Dict[str, Any], stdin: Any):
        super().__init__(daemon=True)
        self.rows = 0
        self.failure: Optional[BaseException] = None
        self._source = rows
        self._begin = begin
        self._stdin = stdin

    def run(self) -> None:
        try:
            if self._write(_frame("begin", self._begin)):
                for row in self._source:
                    if not self._write(row + b"\n"):
                        return
                    self.rows += 1
                self._write(_frame("end", {"rows": self.rows}))
        except BaseException as error:
            self.failure = error
        finally:
            try:
                self._stdin.close()
            except OSError:
                pass  # It has ended before it has read everything, and its status says why.

    def _write(self, line: bytes) -> bool:
        try:
            self._stdin.write(line)
            return True
        except OSError:
            return False


def _frame(kind: str, value: Dict[str, Any]) -> bytes:
    return json.dumps([kind, value]).encode("ascii") + b"\n"


def _listen(stderr: Any, words: deque) -> None:
    with stderr:
        for line in stderr:
            words.append(line.decode("utf-8", "replace").rstrip("\n"))


def _wait(process: Any) -> int:
    try:
        return process.wait(FAREWELL_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return 0  # Its last word counts.


def _ending(status: int) -> str:
    if status >= 0:
        return f"the worker has ended with status {status}"
    name = signal.Signals(-status).name
    hint = ", as it is when memory runs out; see spark.executor.memoryOverhead" if name == "SIGKILL" else ""
    return f"the worker was ended by {name}{hint}"


def _sentence(words: Iterable[str]) -> str:
    return "\n".join(words) or "it has said nothing"


def _dying_with_parent() -> Optional[Callable[[], None]]:
    """PySpark ends the Python process of a task with SIGKILL, and nothing in it can end a child then. Linux can."""
    if sys.platform != "linux":
        return None  # There the worker finds that its input ends, and that nothing says that it is all.
    set_death_signal = 1
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def prepare() -> None:
        prctl(set_death_signal, signal.SIGKILL)
        # It may have gone before that was said.
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    return prepare
