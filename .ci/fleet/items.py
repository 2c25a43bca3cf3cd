"""Writes batches of invented companies, one item a line: items.py COUNT FOLDER FILES

Every hundredth item has a mistake and has to fail. FOLDER gets the same items as NDJSON files and as Parquet tables
with a column `item`.
"""

import json
import os
import sys

import pyarrow as pa
import pyarrow.parquet as pq

FORMS = ["Ltd", "GmbH", "SARL", "Oy", "AB"]


def item(number):
    subject = {"id": f"urn:example:fleet:{number}", "legal_form": FORMS[number % len(FORMS)]}
    request = {
        "self_attestation_complete": number % 100 != 99,
        "subject": subject,
        "claims": {"jurisdiction": "GB"},
    }
    return json.dumps({"request": request, "correlation_id": f"row-{number}"})


def main():
    count, folder, files = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    for name in ("parts", "table"):
        os.makedirs(os.path.join(folder, name))
    for part in range(files):
        items = [item(number) for number in range(part, count, files)]
        with open(os.path.join(folder, "parts", f"part-{part:03}.ndjson"), "w") as file:
            file.writelines(f"{line}\n" for line in items)
        pq.write_table(pa.table({"item": items}), os.path.join(folder, "table", f"part-{part:03}.parquet"))


main()
