#!/usr/bin/env bash
# A signer program for `beltic --signer-command`, with OpenSSL alone:
#
#   beltic batch-issue items.csv --signer-command 'bash sign.sh key.pem' --public-key key.pub.pem
#
# It starts OpenSSL for every signature, which gives some hundred a second: a pattern for tools that sign one digest at a
# time. KEY is whatever `openssl pkeyutl -inkey` reads; with a provider, that can be a URI.
#
# A line in, a line out:
#
#   {"v":1,"id":7,"alg":"ES256","digests":["base64url of a SHA-256 digest",…]}
#   {"id":7,"signatures":["base64url of r and s, 64 bytes",…]}
#   {"id":7,"error":"what went wrong","retry":true}
set -euo pipefail

# beltic finishes its batch after Ctrl-C, and then ends the input.
trap '' INT
key=${1:?usage: sign.sh KEY}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Signs a digest in base64url; prints r and s in base64url.
sign() {
    local digest=${1//-/+} hex
    printf '%s=' "${digest//_//}" | openssl base64 -d -A >"$work/digest"
    openssl pkeyutl -sign -inkey "$key" -pkeyopt digest:sha256 -in "$work/digest" -out "$work/der"
    # A DER signature is a sequence of two integers, which may be shorter than 32 bytes.
    hex=$(openssl asn1parse -inform DER -in "$work/der" |
        awk -F: '/INTEGER/ { value = $NF; while (length(value) < 64) value = "0" value; printf "%s", value }')
    # shellcheck disable=SC2059 # the format is bytes in hexadecimal
    printf "$(sed 's/../\\x&/g' <<<"$hex")" | openssl base64 -A | tr '+/' '-_' | tr -d '='
}

while IFS= read -r line; do
    id=${line#*\"id\":}
    id=${id%%,*}
    digests=${line#*\"digests\":[\"}
    digests=${digests%\"]\}}
    signatures=
    failed=
    for digest in ${digests//\",\"/ }; do
        if ! signature=$(sign "$digest"); then
            failed=yes
            break
        fi
        signatures+=,\"$signature\"
    done
    if [[ $failed ]]; then
        printf '{"id":%s,"error":"openssl made no signature"}\n' "$id"
    else
        printf '{"id":%s,"signatures":[%s]}\n' "$id" "${signatures#,}"
    fi
done
