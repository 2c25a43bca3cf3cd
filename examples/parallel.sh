#!/bin/sh
# parallel.sh RUN FOLDER FILE…: issues many batch files at once with GNU parallel, each item once.
#
# RUN is the idempotency key, the name of the whole batch. For each FILE there are NAME.results.ndjson and, with the items
# that failed, NAME.failed in FOLDER. A file whose run ended with another code than 0 is tried three times in all; call
# the script again to go on. Items are known by their correlation_id, so files may be cut differently then.
#
# The key and the ledger are named by BELTIC_KEY and BELTIC_LEDGER, or in the settings. On one machine the ledger may be a
# file. With PARALLEL='--sshlogin …', parallel runs the files on other machines: then it must be a PostgreSQL database.
#
# It ends with 0, with the number of files that were not finished, or with 101 if there are more than 100 of these.
set -eu
umask 077

run=$1
folder=$2
shift 2
mkdir -p "$folder"

parallel --quote --jobs "${JOBS:-100%}" --retries 3 --joblog "$folder/$run.joblog" \
    beltic batch-issue {} --idempotency-key "$run" --idempotent-by correlation-id --accept-failures --allow-empty \
    --jobs 1 --no-progress --out "$folder/{/}.results.ndjson" --failed "$folder/{/}.failed" --force \
    ::: "$@"
