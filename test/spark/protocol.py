"""What runs in a task, in plain Python without Spark: run by test/spark/protocol.test.ts, with a store behind it."""

import json
import os
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.environ["HEADRACE_PYTHON"])
import headrace  # noqa: E402

ENDPOINT = os.environ["HEADRACE_ENDPOINT"]
TABLE = os.environ["HEADRACE_TABLE"]
WORKER = [os.environ["HEADRACE_NODE"], os.environ["HEADRACE_WORKER"]]
SCHEMA = {"type": "struct", "fields": [{"name": "id", "type": "string"}, {"name": "n", "type": "long"}]}


def begin(**more):
    connection = {"region": "eu-west-1", "endpoint": ENDPOINT}
    return {
        "version": headrace.PROTOCOL,
        "table": TABLE,
        "operation": "put",
        "connection": connection,
        "share": 1,
        "schema": SCHEMA,
        "place": "partition 0",
        **more,
    }


def rows(count, prefix):
    for index in range(count):
        yield json.dumps({"id": f"{prefix}{index}", "n": index}).encode()


def run(source, **more):
    rejects, done = [], None
    for kind, value in headrace.run_worker(source, begin(**more), WORKER):
        if kind == "done":
            done = value
        else:
            rejects.append(json.loads(value))
    return rejects, done


def children():
    listed = subprocess.run(["ps", "--ppid", str(os.getpid()), "-o", "args="], capture_output=True, text=True).stdout
    return [line for line in listed.splitlines() if "sparkWorker" in line]


class Protocol(unittest.TestCase):
    def tearDown(self):
        self.assertEqual(children(), [])

    def test_all_rows_are_written_before_done(self):
        rejects, done = run(rows(20_000, "all"))
        self.assertEqual(rejects, [])
        self.assertEqual((done["read"], done["written"], done["rejected"]), (20_000, 20_000, 0))
        self.assertGreaterEqual(done["writeUnits"], 20_000)

    def test_no_rows(self):
        self.assertEqual(run(iter(()))[1]["read"], 0)

    def test_a_worker_that_crashes_is_told_with_what_it_said(self):
        with self.assertRaisesRegex(headrace.WorkerFailed, "status 1: .*no_such_table"):
            run(rows(100_000, "lost"), table="no_such_table")

    def test_a_worker_that_is_killed(self):
        def killing():
            for index, row in enumerate(rows(200_000, "killed")):
                if index == 20_000:
                    subprocess.run(["pkill", "-KILL", "-P", str(os.getpid()), "-f", "sparkWorker"], check=True)
                yield row

        with self.assertRaisesRegex(headrace.WorkerFailed, "ended by SIGKILL"):
            run(killing())

    def test_a_worker_that_is_not_there(self):
        with self.assertRaisesRegex(headrace.WorkerFailed, "cannot start the worker.*no-node"):
            list(headrace.run_worker(rows(1, "none"), begin(), ["no-node"]))

    def test_what_fails_upstream_is_raised_as_it_is(self):
        def failing():
            yield from rows(5_000, "upstream")
            raise KeyError("upstream")

        with self.assertRaises(KeyError):
            run(failing())

    def test_rows_that_are_cut_are_never_done(self):
        text = [headrace._frame("begin", begin()), *(row + b"\n" for row in rows(3_000, "cut"))]
        for end, why in (
            (b"", "no end frame after 3,000 rows"),
            (b'{"id":"half', "no end frame after 3,000 rows"),
            (headrace._frame("end", {"rows": 3_001}), "received 3,000 rows, but the end frame reports 3001"),
        ):
            ended = subprocess.run(WORKER, input=b"".join(text) + end, capture_output=True, timeout=30)
            self.assertEqual((ended.returncode, ended.stdout), (65, b""))
            self.assertIn(why, ended.stderr.decode())

    def test_a_row_of_five_megabytes_is_a_reject_and_the_others_are_written(self):
        large = json.dumps({"id": "large", "n": 1, "text": "x" * 5_000_000}).encode()
        rejects, done = run(iter([*rows(10, "beside"), large, *rows(10, "behind")]), rejectsMax=10)
        self.assertEqual((done["read"], done["written"], done["rejected"]), (21, 20, 1))
        self.assertEqual((rejects[0]["code"], rejects[0]["place"]), ("InvalidItem", "partition 0, row 11"))

    def test_many_rejects_while_rows_are_fed(self):
        bad = (b'{"n":%d}' % index for index in range(20_000))
        rejects, done = run(bad)
        self.assertEqual((len(rejects), done["rejected"], done["written"]), (20_000, 20_000, 0))
        self.assertEqual(sorted({one["code"] for one in rejects}), ["InvalidItem"])
        few, done = run((b'{"n":%d}' % index for index in range(20_000)), rejectsMax=3)
        self.assertEqual((len(few), done["rejected"]), (3, 20_000))

    def test_a_reader_that_is_slow_holds_the_worker_back(self):
        bad = (b'{"n":%d,"text":"%s"}' % (index, b"x" * 2_000) for index in range(5_000))
        seen = 0
        for kind, _ in headrace.run_worker(bad, begin(), WORKER):
            seen += kind == "reject"
            if seen == 10:
                time.sleep(0.5)
        self.assertEqual(seen, 5_000)

    def test_a_reader_that_leaves_ends_the_worker(self):
        results = headrace.run_worker((b'{"n":%d}' % index for index in range(10_000_000)), begin(), WORKER)
        self.assertEqual(next(results)[0], "reject")
        results.close()

    def test_a_protocol_of_another_version_is_refused(self):
        with self.assertRaisesRegex(headrace.WorkerFailed, "headrace.py has version 99, but its worker has"):
            run(rows(1, "version"), version=99)

    def test_no_worker_outlives_a_python_that_is_killed(self):
        code = (
            "import json, sys, time\n"
            "sys.path.insert(0, sys.argv[1])\n"
            "import headrace\n"
            "begin, worker = json.loads(sys.argv[2])\n"
            "def rows():\n"
            "    for index in range(10**9):\n"
            "        yield json.dumps({'id': f'orphan{index}', 'n': index}).encode()\n"
            "list(headrace.run_worker(rows(), begin, worker))\n"
        )
        order = json.dumps([begin(), WORKER])
        python = subprocess.Popen([sys.executable, "-c", code, os.environ["HEADRACE_PYTHON"], order])
        worker = wait_for(lambda: pids_below(python.pid))
        time.sleep(0.5)
        os.kill(python.pid, signal.SIGKILL)
        python.wait()
        wait_for(lambda: not os.path.exists(f"/proc/{worker[0]}") or is_zombie(worker[0]))

    def test_strict_reading_tells_an_end_from_a_socket_that_closes(self):
        import io
        import struct

        read = lambda data: list(headrace.StrictDeserializer().load_stream(io.BytesIO(data)))  # noqa: E731
        row = struct.pack("!i", 2) + b"{}"
        self.assertEqual(read(row + row + struct.pack("!i", -1)), [b"{}", b"{}"])
        for cut in (b"", row, row + b"\0", row + row[:-1]):
            with self.assertRaises(headrace.UpstreamFailed):
                read(cut)


def pids_below(parent):
    listed = subprocess.run(["ps", "--ppid", str(parent), "-o", "pid="], capture_output=True, text=True).stdout
    return [int(pid) for pid in listed.split()]


def is_zombie(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0] == "Z"


def wait_for(ask, seconds=10):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = ask()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s")


if __name__ == "__main__":
    unittest.main(verbosity=2)
