#!/bin/sh
# issue.sh BATCH.csv: issues a batch once, however often it is called, and publishes the status lists.
#
# The key and its passphrase are files in $SECRETS, the ledger and the site are in $STATE.
# What else it needs: docs/ci.md
set -eu
umask 077

batch=$1
name=$(basename "$batch" .csv)
state=${STATE:-/var/lib/beltic}
secrets=${SECRETS:-/run/secrets}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP # or else some shells leave the key behind
trap 'exit 130' INT
trap 'exit 143' TERM
install -m 600 "$secrets/issuer.pem" "$scratch/issuer.pem"
export BELTIC_KEY="$scratch/issuer.pem" BELTIC_LEDGER="$state/ledger.db"

code=0
beltic batch-issue "$batch" --passphrase-file "$secrets/passphrase" --idempotency-key "$name" \
    --out "$name.results.ndjson" --failed "$name.failed.csv" --summary "$name.summary.json" --force || code=$?
case $code in
    0) ;;
    4 | 7) [ -e "$BELTIC_LEDGER" ] || exit "$code" ;; # what was issued before the end is published
    3) echo "some items failed: see $name.failed.csv, fix their rows in $batch, and run this again" >&2 ;;
    *) exit "$code" ;;
esac

# The web server reads these files.
(umask 022 && beltic publish --out "$state/site" --passphrase-file "$secrets/passphrase")
exit "$code"
