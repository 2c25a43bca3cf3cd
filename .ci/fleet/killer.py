"""Kills what Spark runs, every few seconds: killer.py FOLDER LEAST MOST

One of a program, a Python worker and an executor gets SIGKILL, most often a program. Only processes that were started
from FOLDER count: the program is a copy in it, and so is Spark. Prints what was killed when it is ended with SIGTERM.
"""

import collections
import os
import random
import signal
import sys
import time

folder, least, most = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
VICTIMS = {
    "programs": lambda program, words: program == os.path.join(folder, "bin", "beltic"),
    "Python workers": lambda program, words: "pyspark.daemon" in words and folder in words[0],
    "executors": lambda program, words: "CoarseGrainedExecutorBackend" in " ".join(words) and folder in " ".join(words),
}
kills = collections.Counter()


def report(*_):
    print("killed:", ", ".join(f"{kills[kind]} {kind}" for kind in VICTIMS), flush=True)
    sys.exit(0)


def processes(wanted):
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/cmdline") as file:
                words = file.read().split("\0")
            program = os.readlink(f"/proc/{entry}/exe")
        except OSError:
            continue
        if wanted(program, words):
            yield int(entry)


signal.signal(signal.SIGTERM, report)
while True:
    time.sleep(random.uniform(least, most))
    kind = random.choices(list(VICTIMS), [70, 20, 10])[0]
    # Programs come and go in less than a second: the next one that is seen.
    while not (found := list(processes(VICTIMS[kind]))):
        time.sleep(0.01)
    try:
        os.kill(random.choice(found), signal.SIGKILL)
        kills[kind] += 1
    except ProcessLookupError:
        pass
