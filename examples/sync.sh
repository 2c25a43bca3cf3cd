#!/bin/sh
# sync.sh REGISTER.csv [FLAG…]: brings the credentials of a scope into line with today's export of the register, and
# publishes the status lists. To be run every day; further flags go to `beltic sync`.
#
# The key and its passphrase are files in $SECRETS; the ledger, the credentials and the site are in $STATE.
# What else it needs: docs/register.md
set -eu
umask 077

register=$1
shift
scope=$(basename "$register" .csv)
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
beltic sync "$register" --passphrase-file "$secrets/passphrase" --scope "$scope" --prune --renew-within P30D --all \
    --out "$scratch/credentials.ndjson" --failed "$scratch/failed.csv" "$@" || code=$?
case $code in
    0 | 3)
        # Yesterday's files stay until today's are complete.
        for file in credentials.ndjson failed.csv; do
            rm -f "$state/$file.new"
            if [ -e "$scratch/$file" ]; then
                cp "$scratch/$file" "$state/$file.new"
                mv "$state/$file.new" "$state/$file"
            else
                rm -f "$state/$file"
            fi
        done
        [ "$code" = 0 ] || echo "$register was not followed in all: see the messages above, and $state/failed.csv" >&2
        ;;
    4) echo "$register is empty or broken, or was written to meanwhile; nothing was removed" >&2 ;;
    7) echo "$register changes too much; look at it, then allow it once: $0 $register --max-removals N" >&2 ;;
    # A run that ended early has done a part; the next one does the rest.
    *) echo "beltic sync ended with exit code $code" >&2 ;;
esac

# The web server reads these files. Status lists expire, so they are published on bad days, too.
[ -e "$BELTIC_LEDGER" ] || exit "$code"
(umask 022 && beltic publish --out "$state/site" --passphrase-file "$secrets/passphrase")
exit "$code"
