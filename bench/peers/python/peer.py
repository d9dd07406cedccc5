"""boto3, measured: publish, conditional update and scan against the null server of this bench.

A thread for each request in flight. Publish is the table resource's batch writer, of which each thread has its own: it
gathers 25 items a request and, as it must, one request at a time.
"""

import argparse
import json
import resource
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import boto3
from botocore.config import Config

TABLE = "bench"
ENTRIES_PER_REQUEST = 25
UPDATE_STATEMENT = 'UPDATE "bench" SET "tier"=? WHERE "pk"=? AND "sk"=? AND "tier" IS MISSING'

FIRST_NAMES = ["Ada", "Grace", "Edsger", "Barbara", "Donald", "Frances", "Niklaus", "Margaret"]
TAGS = ["gold", "north", "trial", "team", "mobile"]


def make_item(index):
    """The same index always makes the same item, in every language of this bench."""
    name = FIRST_NAMES[index & 7]
    return {
        "pk": f"user-{index}",
        "sk": "profile",
        "name": f"{name} {index}",
        "email": f"{name}.{index}@example.com",
        "active": index & 3 != 0,
        "score": Decimal(index % 1_000) / 8,
        "tags": [TAGS[index % 5], TAGS[(index + 2) % 5]],
    }


class Peer:
    def __init__(self, options):
        self.options = options
        self.next = 0
        self.lock = threading.Lock()
        config = Config(max_pool_connections=options.in_flight, retries={"total_max_attempts": 1})
        self.resource = boto3.resource(
            "dynamodb",
            endpoint_url=options.endpoint,
            region_name="eu-west-1",
            aws_access_key_id="bench",
            aws_secret_access_key="bench",
            verify=options.ca,
            config=config,
        )
        # The resource's own client turns plain values to attribute values and back, and may be shared by threads.
        self.client = self.resource.meta.client

    def together(self, work):
        """Runs the work once for each request in flight, in a thread of its own, and gives what they gave."""
        with ThreadPoolExecutor(self.options.in_flight) as threads:
            return list(threads.map(work, range(self.options.in_flight)))

    def write(self, send, first, count):
        """Writes items first to first + count - 1. `send` is given an iterator over the first index of each batch."""
        self.next = first
        self.together(lambda _: send(self.batches(first + count), first + count))
        return count

    def batches(self, end):
        while True:
            with self.lock:
                start = self.next
                self.next += ENTRIES_PER_REQUEST
            if start >= end:
                return
            yield start

    def publish(self, batches, end):
        with self.table().batch_writer() as writer:
            for start in batches:
                for index in range(start, min(end, start + ENTRIES_PER_REQUEST)):
                    writer.put_item(make_item(index))

    def table(self):
        with self.lock:
            return self.resource.Table(TABLE)

    def update(self, batches, end):
        for start in batches:
            answer = self.client.batch_execute_statement(
                Statements=[
                    {"Statement": UPDATE_STATEMENT, "Parameters": ["basic", f"user-{index}", "profile"]}
                    for index in range(start, min(end, start + ENTRIES_PER_REQUEST))
                ]
            )
            for response in answer["Responses"]:
                if "Error" in response:
                    raise RuntimeError("the null server refuses no statement")

    def scan(self, pages):
        """Reads all pages of all segments at once; gives the number of items."""

        def read_segment(segment):
            request = {
                "TableName": f"{TABLE}-pages-{pages}",
                "Segment": segment,
                "TotalSegments": self.options.in_flight,
            }
            items = 0
            while True:
                page = self.client.scan(**request)
                items += len(page["Items"])
                if "LastEvaluatedKey" not in page:
                    return items
                request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

        return sum(self.together(read_segment))


def cpu_micros():
    """User and system time of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return round((usage.ru_utime + usage.ru_stime) * 1_000_000)


def max_rss_bytes():
    """Most memory that this process had; 0 where there is no /proc."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1_024
    except FileNotFoundError:
        pass
    return 0


def read_options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--path", required=True, choices=["publish", "update", "scan"])
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--ca")
    for name in ["--in-flight", "--items", "--warm-up", "--pages", "--warm-up-pages"]:
        parser.add_argument(name, type=int, required=True)
    return parser.parse_args()


def main():
    options = read_options()
    peer = Peer(options)

    def run(first, count, pages):
        if options.path == "scan":
            return peer.scan(pages)
        return peer.write(peer.publish if options.path == "publish" else peer.update, first, count)

    run(0, options.warm_up, options.warm_up_pages)
    cpu_before = cpu_micros()
    start = time.perf_counter()
    items = run(options.warm_up, options.items, options.pages)
    result = {
        "items": items,
        "cpuMicros": cpu_micros() - cpu_before,
        "wallMs": (time.perf_counter() - start) * 1_000,
        "maxRssBytes": max_rss_bytes(),
    }
    json.dump(result, sys.stdout)


main()
