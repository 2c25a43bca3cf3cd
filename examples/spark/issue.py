#!/usr/bin/env python3
"""Issues credentials from Spark: files, with Spark as the scheduler, or the rows of a Parquet table.

    spark-submit issue.py files --run november --out /mnt/results /mnt/batch/*.ndjson
    spark-submit issue.py rows  --run november --out s3a://lake/issued --partitions 32 s3a://lake/items

Each task starts `beltic`, and all of them share the ledger that BELTIC_LEDGER names: a PostgreSQL database, or a file
where all executors are on one machine. Tasks may be killed, retried and run twice at once: under the name of the run
each item is issued once, and an item is known by its correlation_id, whichever partition it is in.

`files` is much faster, since no row passes through Python or the JVM. Executors must see the same folders.
`rows` reads Parquet and writes Parquet, with the columns correlation_id, id, status_list_uri, status_list_index,
signed_payload and error. The table has a column `item` with an item in JSON; --item is a Spark SQL expression that
makes one of other columns. Executors need PyArrow and pandas.

The program's settings come from BELTIC_ variables and from the settings file that BELTIC_CONFIG names. The variables
of this process are handed to the tasks, except for secrets: put a password into a file that PGPASSFILE names.

It ends with 0; with 3 if items failed, whose reasons are in the results; or with Spark's own failure.
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import threading

# Items that failed are results, too: 3 is no reason to do a task again. All other codes are.
FINISHED = (0, 3)
# What doing it again does not help: a mistake in the flags, in the input, or with the key.
IN_VAIN = (2, 4, 5)
SECRETS = ("BELTIC_KEY_PASSPHRASE", "BELTIC_PIN", "PGPASSWORD")
COLUMNS = {
    "correlation_id": "string",
    "id": "string",
    "status_list_uri": "string",
    "status_list_index": "bigint",
    "signed_payload": "string",
    "error": "string",
}
ROWS_AT_ONCE = 1000


def main():
    from pyspark.sql import SparkSession

    args = arguments()
    spark = SparkSession.builder.appName(f"beltic {args.run}").getOrCreate()
    how = issue_files if args.mode == "files" else issue_rows
    issued, failed = how(spark, args)
    spark.stop()
    print(f"issued {issued}, failed {failed}")
    return 3 if failed else 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = parser.add_subparsers(dest="mode", required=True)
    files = modes.add_parser("files", help="one task for each file")
    rows = modes.add_parser("rows", help="a Parquet table in, a Parquet table out")
    for mode in (files, rows):
        mode.add_argument("--run", required=True, help="the idempotency key: the name of the whole batch")
        mode.add_argument("--out", required=True, help="where the results go")
        mode.add_argument("--beltic", default="beltic", help="the program, on every executor [default: beltic]")
        mode.add_argument("--flag", action="append", default=[], help="one more flag for the program, as --flag=--ttl=P6M")
    files.add_argument("inputs", nargs="+", metavar="FILE")
    rows.add_argument("--item", default="item", help="a Spark SQL expression: an item in JSON [default: item]")
    rows.add_argument("--partitions", type=int, help="how many tasks [default: as the table is read]")
    rows.add_argument("inputs", nargs="+", metavar="TABLE")
    return parser.parse_args()


def environment():
    """What is said to the program by variables, without secrets, which Spark would keep in its logs and files."""
    wanted = {name: value for name, value in os.environ.items() if name.startswith(("BELTIC_", "PG"))}
    for name in SECRETS:
        if wanted.pop(name, None) is not None:
            print(f"{name} is not handed to the tasks: use a file, or set it on the executors", file=sys.stderr)
    return wanted


def command(args, *more):
    # A task has one core, and so has the program.
    return [
        args.beltic, "batch-issue", "--idempotency-key", args.run, "--idempotent-by", "correlation-id",
        "--allow-empty", "--jobs", "1", "--no-progress", *args.flag, *more,
    ]  # fmt: skip


def failure(code, stderr):
    what = "a retry does not help" if code in IN_VAIN else "a retry may help"
    return RuntimeError(f"beltic ended with {code} ({what}): {stderr[-2000:]}")


# ---- Files


def issue_files(spark, args):
    variables, out = environment(), os.path.abspath(args.out)
    os.makedirs(out, exist_ok=True)
    files = [os.path.abspath(name) for name in args.inputs]
    if len({os.path.basename(name) for name in files}) < len(files):
        sys.exit("two files have the same name, and so would their results")

    def issue(file):
        name = os.path.join(out, os.path.basename(file))
        with tempfile.TemporaryDirectory() as folder:
            summary = os.path.join(folder, "summary.json")
            flags = ["--out", f"{name}.results.ndjson", "--failed", f"{name}.failed", "--force", "--summary", summary]
            # Files have no limit as pipes have: nothing has to be read while the program runs.
            with tempfile.TemporaryFile(dir=folder) as stderr:
                code = subprocess.call(
                    command(args, *flags, file), env={**os.environ, **variables}, stdin=subprocess.DEVNULL, stderr=stderr
                )
                stderr.seek(0)
                said = stderr.read().decode(errors="replace")
            sys.stderr.write(said)
            if code not in FINISHED:
                raise failure(code, said)
            with open(summary) as counts:
                counts = json.load(counts)
        return counts["success_count"], counts["failure_count"]

    counts = spark.sparkContext.parallelize(files, len(files)).map(issue).collect()
    return sum(count[0] for count in counts), sum(count[1] for count in counts)


# ---- Rows


def issue_rows(spark, args):
    variables = environment()
    table = spark.read.parquet(*args.inputs).selectExpr(f"{args.item} AS item")
    if args.partitions:
        table = table.repartition(args.partitions)

    def issue(batches):
        process = Process(command(args, "--input-format", "ndjson", "--output-format", "ndjson", "-"), variables)
        return process.results_of(batches)

    schema = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    table.mapInArrow(issue, schema).write.mode("overwrite").parquet(args.out)
    issued = spark.read.parquet(args.out)
    failed = issued.where("error IS NOT NULL").count()
    return issued.count() - failed, failed


class Process:
    """The program for one task. Its input and its standard error have a thread each: if either pipe were full, the
    program would wait for ever."""

    def __init__(self, words, variables):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(words, env={**os.environ, **variables}, stdin=pipe, stdout=pipe, stderr=pipe)
        self.said = collections.deque(maxlen=50)
        self.asked = 0
        self.fault = None

    def results_of(self, batches):
        threads = [threading.Thread(target=self.feed, args=(batches,)), threading.Thread(target=self.listen)]
        for thread in threads:
            thread.start()
        try:
            delivered = 0
            for batch in as_batches(self.process.stdout):
                delivered += batch.num_rows
                yield batch
            code = self.process.wait()
            for thread in threads:
                thread.join()
            self.check(code, delivered)
        finally:
            # Where the task is cancelled: what was recorded comes out again in the next attempt.
            self.process.kill()
            self.process.wait()

    def feed(self, batches):
        """Writes items, one a line. JSON that is cut off where this process is killed is no item: a CSV row might
        still be one, with other content."""
        try:
            with self.process.stdin as stdin:
                for batch in batches:
                    items = batch.column(0).to_pylist()
                    stdin.write("".join(map(as_line, items)).encode())
                    self.asked += len(items)
        except BrokenPipeError:
            pass  # the program has ended, and its exit code says why
        except Exception as fault:  # noqa: BLE001 - whatever it is, what was read so far is not all there is
            self.fault = fault
            self.process.kill()

    def listen(self):
        for line in self.process.stderr:
            text = line.decode(errors="replace")
            self.said.append(text)
            sys.stderr.write(text)

    def check(self, code, delivered):
        if self.fault:
            raise self.fault
        if code not in FINISHED:
            raise failure(code, "".join(self.said))
        if delivered != self.asked:
            raise RuntimeError(f"{self.asked} items, and {delivered} results")


def as_line(item):
    """An item as a line. Line breaks in JSON are white space; what is not there is an item that fails."""
    line = (item or "").replace("\r", " ").replace("\n", " ").strip()
    return (line or "null") + "\n"


def as_batches(lines):
    """Results as Arrow batches."""
    import pyarrow as pa

    kinds = {"string": pa.string(), "bigint": pa.int64()}
    schema = pa.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])
    rows = []
    for line in lines:
        rows.append(as_row(json.loads(line)))
        if len(rows) == ROWS_AT_ONCE:
            yield pa.RecordBatch.from_pylist(rows, schema)
            rows = []
    if rows:
        yield pa.RecordBatch.from_pylist(rows, schema)


def as_row(result):
    row = {name: result.get("credential", {}).get(name) for name in COLUMNS}
    row["correlation_id"] = result.get("correlation_id")
    row["error"] = json.dumps(result["error"]) if "error" in result else None
    return row


if __name__ == "__main__":
    sys.exit(main())
