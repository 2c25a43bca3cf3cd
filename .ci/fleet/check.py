"""Compares what was asked for, what was delivered, and what the ledger has: check.py BELTIC COUNT RESULTS…

RESULTS are folders of Parquet tables or NDJSON files, each with an answer to every one of COUNT items of `items.py`. An
item has the same answer in all of them. Prints one line of counts.
"""

import collections
import glob
import json
import os
import subprocess
import sys

import pyarrow.parquet as pq


def fail(what):
    sys.exit(f"FAILED: {what}")


def answers(folder):
    """The answers in a folder: correlation id, id, list, index, and whether the item failed."""
    for path in glob.glob(os.path.join(folder, "*.parquet")):
        yield from pq.read_table(path).to_pylist()
    for path in glob.glob(os.path.join(folder, "*.results.ndjson")):
        with open(path) as file:
            for result in map(json.loads, file):
                credential = result.get("credential", {})
                yield {**credential, "correlation_id": result["correlation_id"], "error": result.get("error")}


def what_was_given(folder, count):
    """What each item got. Every item has one answer, and every hundredth has failed."""
    given, seen = {}, collections.Counter()
    for row in answers(folder):
        name = row["correlation_id"]
        seen[name] += 1
        if bool(row["error"]) != (int(name.split("-")[1]) % 100 == 99):
            fail(f"{folder}: {name}: {row['error']}")
        if not row["error"]:
            given[name] = (row["id"], row["status_list_uri"], row["status_list_index"])
    if len(seen) != count or set(seen.values()) != {1}:
        fail(f"{folder}: {count} items, {sum(seen.values())} answers to {len(seen)} of them")
    return given


def main():
    program, count, folders = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    given = what_was_given(folders[0], count)
    for folder in folders[1:]:
        if what_was_given(folder, count) != given:
            fail(f"{folder} and {folders[0]} have different answers")
    ids = {one[0] for one in given.values()}
    places = {one[1:] for one in given.values()}
    check = subprocess.run([program, "ledger", "check"], check=False, capture_output=True, text=True)
    if check.returncode:
        fail(check.stderr)
    listed = subprocess.run([program, "list", "--output-format", "ndjson"], capture_output=True, text=True, check=True)
    ledger = [json.loads(line) for line in listed.stdout.splitlines()]
    recorded = {row["id"]: (row["status_list_uri"], row["status_list_index"]) for row in ledger}
    if len(ledger) != len(given) or any(recorded.get(one[0]) != one[1:] for one in given.values()):
        fail(f"{len(given)} credentials were delivered, and the ledger has {len(ledger)}")
    counts = {"asked": count - count // 100, "delivered": len(given), "ids": len(ids), "places": len(places)}
    if len(set(counts.values())) != 1:
        fail(counts)
    print(", ".join(f"{name} {number}" for name, number in counts.items()), f"in the ledger {len(ledger)}", sep=", ")


main()
