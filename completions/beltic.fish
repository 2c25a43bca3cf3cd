# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_beltic_global_optspecs
    string join \n config= types= color= log-format= q/quiet h/help V/version
end

function __fish_beltic_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_beltic_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_beltic_using_subcommand
    set -l cmd (__fish_beltic_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c beltic -n "__fish_beltic_needs_command" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_needs_command" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_needs_command" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_needs_command" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_needs_command" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_needs_command" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_needs_command" -s V -l version -d 'Print version'
complete -c beltic -n "__fish_beltic_needs_command" -f -a "batch-issue" -d 'Issue a signed credential for each item of the batch files'
complete -c beltic -n "__fish_beltic_needs_command" -f -a "issue" -d 'Issue a signed credential for each item of the batch files'
complete -c beltic -n "__fish_beltic_needs_command" -f -a "sync" -d 'Bring the credentials of a register up to date'
complete -c beltic -n "__fish_beltic_needs_command" -f -a "init" -d 'Set up a project: issuer, key, settings, columns'
complete -c beltic -n "__fish_beltic_needs_command" -f -a "keygen" -d 'Make a P-256 issuer key'
complete -c beltic -n "__fish_beltic_needs_command" -f -a "verify" -d 'Verify credentials, offline and in bulk'
complete -c beltic -n "__fish_beltic_needs_command" -f -a "inspect" -d 'Decode a credential, status list or key, without verifying it'
complete -c beltic -n "__fish_beltic_needs_command" -f -a "present" -d 'Present an SD-JWT, disclosing only selected claims'
complete -c beltic -n "__fish_beltic_needs_command" -f -a "revoke" -d 'Permanently revoke credentials'
complete -c beltic -n "__fish_beltic_needs_command" -f -a "suspend" -d 'Suspend credentials until they are reinstated'
complete -c beltic -n "__fish_beltic_needs_command" -f -a "reinstate" -d 'End the suspension of credentials'
complete -c beltic -n "__fish_beltic_needs_command" -f -a "publish" -d 'Write the static site that verifiers use'
complete -c beltic -n "__fish_beltic_needs_command" -f -a "deliver" -d 'Write a folder for each credential, to hand over'
complete -c beltic -n "__fish_beltic_needs_command" -f -a "list" -d 'List issued credentials, or the audit log'
complete -c beltic -n "__fish_beltic_needs_command" -f -a "show" -d 'Show one credential and its history'
complete -c beltic -n "__fish_beltic_needs_command" -f -a "ledger" -d 'Check, back up or close the ledger'
complete -c beltic -n "__fish_beltic_needs_command" -f -a "schema" -d 'Print the JSON Schema of an item, or a credential type\'s metadata'
complete -c beltic -n "__fish_beltic_needs_command" -f -a "template" -d 'Print an example batch file to fill in'
complete -c beltic -n "__fish_beltic_needs_command" -f -a "types" -d 'List credential types, or describe one'
complete -c beltic -n "__fish_beltic_needs_command" -f -a "doctor" -d 'Show the settings in force, and what is wrong with them'
complete -c beltic -n "__fish_beltic_needs_command" -f -a "bench" -d 'Measure how fast this machine issues'
complete -c beltic -n "__fish_beltic_needs_command" -f -a "completions" -d 'Print completions for a shell, or write man pages'
complete -c beltic -n "__fish_beltic_needs_command" -f -a "help" -d 'Explain a command or a topic, such as columns or exit-codes'
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l key -d 'The issuer\'s private key; a file or, in builds with the feature pkcs11, a pkcs11: URI [default: .beltic/issuer.pem]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l passphrase-file -d 'File whose first line is the key\'s passphrase [default: BELTIC_KEY_PASSPHRASE, or a prompt]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l signer-command -d 'A program that signs, in place of --key: its words as for a shell, but without one' -r -f -a "(__fish_complete_command)"
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l public-key -d 'The public half of the key that --signer-command or a token signs with, a JWK or PEM' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l issuer -d 'did:web:…, did:key:…, did:jwk:… or https://…; or a name under `issuers` in the settings [default: the key\'s own did:key]' -r
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l x5c -d 'PEM certificates for the header of sd_jwt_vc and of token status lists, the key\'s own first; a trust anchor is omitted' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l vct -d 'URI of the credential type [default: derived from the issuer]' -r
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l developer-id -d 'Your id at the API, echoed in results' -r
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l input-format -d 'Format of the batch files [default: detected from the extension or content]' -r -f -a "json\t'{"items": […]} or an array of items'
ndjson\t'One item per line'
csv\t'A header row, then one item per row'"
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l delimiter -d 'CSV delimiter: one character, or `tab` [default: detected from the header]' -r
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l encoding -d 'Encoding of the files, such as windows-1252 [default: UTF-8, or UTF-16 with a BOM]' -r
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l set -d 'Add this CSV column to every row, overriding csv.constants; repeatable' -r
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l max-item-bytes -d 'Maximum size of an item, in bytes' -r
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l type -d 'Default credential type [default: business]' -r -f -a "business\t''
user\t''
agent_authorization\t''
outcome_attestation\t''"
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l proof-format -d 'Format of the credentials [default: jwt_vc]' -r -f -a "jwt_vc\t''
sd_jwt_vc\t''"
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l ttl -d 'Default validity period, an ISO 8601 duration; the ttl of an item overrides it [default: P1Y]' -r
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l issued-at -d 'Issue as of this time (RFC 3339), for tests and backdated runs [default: now]' -r
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l output-format -d 'Format of the results [default: from the file\'s extension, else text on a terminal, ndjson in a pipe]' -r -f -a "ndjson\t'One result per line, as JSON'
text\t'One short line per item, for people'
json\t'{"results": […], "success_count": n, "failure_count": n}'
csv\t'A header row, then one result per row'
jwt\t'One token per line; failed items go to standard error'"
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -s o -l out -d 'Write the results to this file; it appears when they are complete [default: standard output]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l failed -d 'Write failed items to this file; they keep their original format, so they can be fixed and re-submitted' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l summary -d 'Write a JSON summary of the run to this file' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l report -d 'Write a page about the run to this file; it shows counts, reasons and failed items' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l out-dir -d 'Write each credential to a file in this folder; the results are written as well' -r -f -a "(__fish_complete_directories)"
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l name-by -d 'What names the files of --out-dir' -r -f -a "correlation-id\t'The item\'s correlation_id'
subject-id\t'The id of its subject'
credential-id\t'The credential\'s id, without urn:uuid:'"
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l annotations -d 'Write failed items to standard error as annotations of this service' -r -f -a "github\t'GitHub Actions'"
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -s j -l jobs -d 'Number of worker threads, at most 1,024 [default: all cores]' -r
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l idempotency-key -d 'Issue each item only once per key; repeat a run with the same key, such as the name of the batch' -r
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l idempotent-by -d 'What items are known by under the key [default: the correlation_id, else the place in the run]' -r -f -a "correlation-id\t''
subject-id\t''
position\t''"
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l duplicates -d 'What to do when a run without a key begins with items that were issued before' -r -f -a "warn\t'Warn, and issue them again'
refuse\t'Issue nothing, and exit with 6'
allow\t'Issue them again'"
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l shard -d 'Issue only shard I of N, such as 0/16; N processes with the same files and key issue all items' -r
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l max-failures -d 'Stop when more than N items, or N%, have failed; N% is of the items so far' -r
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l ledger -d 'Where ids and status-list indices are recorded; `none` keeps no state [default: .beltic/ledger.db]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l allow-unknown -d 'Keep unknown fields of subject and claims instead of failing the item'
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l verify -d 'Verify each credential with a second implementation before writing its result'
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l force -d 'Overwrite the files that --out, --failed, --summary and --report name, and write to an --out-dir that is not empty'
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l no-progress -d 'Show no progress bar and no progress lines'
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l accept-failures -d 'Exit with 0 instead of 3 if only items failed; for schedulers that retry on any other code'
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l allow-empty -d 'Accept an input without items: write empty results and exit with 0 instead of 4'
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l api-limits -d 'Reject more than 1,000 items, as the API does'
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -l dry-run -d 'Validate everything; issue and write nothing'
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand batch-issue" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l key -d 'The issuer\'s private key; a file or, in builds with the feature pkcs11, a pkcs11: URI [default: .beltic/issuer.pem]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l passphrase-file -d 'File whose first line is the key\'s passphrase [default: BELTIC_KEY_PASSPHRASE, or a prompt]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l signer-command -d 'A program that signs, in place of --key: its words as for a shell, but without one' -r -f -a "(__fish_complete_command)"
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l public-key -d 'The public half of the key that --signer-command or a token signs with, a JWK or PEM' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l issuer -d 'did:web:…, did:key:…, did:jwk:… or https://…; or a name under `issuers` in the settings [default: the key\'s own did:key]' -r
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l x5c -d 'PEM certificates for the header of sd_jwt_vc and of token status lists, the key\'s own first; a trust anchor is omitted' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l vct -d 'URI of the credential type [default: derived from the issuer]' -r
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l developer-id -d 'Your id at the API, echoed in results' -r
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l input-format -d 'Format of the batch files [default: detected from the extension or content]' -r -f -a "json\t'{"items": […]} or an array of items'
ndjson\t'One item per line'
csv\t'A header row, then one item per row'"
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l delimiter -d 'CSV delimiter: one character, or `tab` [default: detected from the header]' -r
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l encoding -d 'Encoding of the files, such as windows-1252 [default: UTF-8, or UTF-16 with a BOM]' -r
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l set -d 'Add this CSV column to every row, overriding csv.constants; repeatable' -r
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l max-item-bytes -d 'Maximum size of an item, in bytes' -r
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l type -d 'Default credential type [default: business]' -r -f -a "business\t''
user\t''
agent_authorization\t''
outcome_attestation\t''"
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l proof-format -d 'Format of the credentials [default: jwt_vc]' -r -f -a "jwt_vc\t''
sd_jwt_vc\t''"
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l ttl -d 'Default validity period, an ISO 8601 duration; the ttl of an item overrides it [default: P1Y]' -r
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l issued-at -d 'Issue as of this time (RFC 3339), for tests and backdated runs [default: now]' -r
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l output-format -d 'Format of the results [default: from the file\'s extension, else text on a terminal, ndjson in a pipe]' -r -f -a "ndjson\t'One result per line, as JSON'
text\t'One short line per item, for people'
json\t'{"results": […], "success_count": n, "failure_count": n}'
csv\t'A header row, then one result per row'
jwt\t'One token per line; failed items go to standard error'"
complete -c beltic -n "__fish_beltic_using_subcommand issue" -s o -l out -d 'Write the results to this file; it appears when they are complete [default: standard output]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l failed -d 'Write failed items to this file; they keep their original format, so they can be fixed and re-submitted' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l summary -d 'Write a JSON summary of the run to this file' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l report -d 'Write a page about the run to this file; it shows counts, reasons and failed items' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l out-dir -d 'Write each credential to a file in this folder; the results are written as well' -r -f -a "(__fish_complete_directories)"
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l name-by -d 'What names the files of --out-dir' -r -f -a "correlation-id\t'The item\'s correlation_id'
subject-id\t'The id of its subject'
credential-id\t'The credential\'s id, without urn:uuid:'"
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l annotations -d 'Write failed items to standard error as annotations of this service' -r -f -a "github\t'GitHub Actions'"
complete -c beltic -n "__fish_beltic_using_subcommand issue" -s j -l jobs -d 'Number of worker threads, at most 1,024 [default: all cores]' -r
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l idempotency-key -d 'Issue each item only once per key; repeat a run with the same key, such as the name of the batch' -r
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l idempotent-by -d 'What items are known by under the key [default: the correlation_id, else the place in the run]' -r -f -a "correlation-id\t''
subject-id\t''
position\t''"
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l duplicates -d 'What to do when a run without a key begins with items that were issued before' -r -f -a "warn\t'Warn, and issue them again'
refuse\t'Issue nothing, and exit with 6'
allow\t'Issue them again'"
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l shard -d 'Issue only shard I of N, such as 0/16; N processes with the same files and key issue all items' -r
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l max-failures -d 'Stop when more than N items, or N%, have failed; N% is of the items so far' -r
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l ledger -d 'Where ids and status-list indices are recorded; `none` keeps no state [default: .beltic/ledger.db]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l allow-unknown -d 'Keep unknown fields of subject and claims instead of failing the item'
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l verify -d 'Verify each credential with a second implementation before writing its result'
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l force -d 'Overwrite the files that --out, --failed, --summary and --report name, and write to an --out-dir that is not empty'
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l no-progress -d 'Show no progress bar and no progress lines'
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l accept-failures -d 'Exit with 0 instead of 3 if only items failed; for schedulers that retry on any other code'
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l allow-empty -d 'Accept an input without items: write empty results and exit with 0 instead of 4'
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l api-limits -d 'Reject more than 1,000 items, as the API does'
complete -c beltic -n "__fish_beltic_using_subcommand issue" -l dry-run -d 'Validate everything; issue and write nothing'
complete -c beltic -n "__fish_beltic_using_subcommand issue" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand issue" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l scope -d 'Name of the scope; each register has its own' -r
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l by -d 'What items are known by' -r -f -a "correlation-id\t''
subject-id\t''"
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l renew-within -d 'Renew credentials that expire within this time; such as P30D, and never in the first half of their life' -r
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l max-removals -d 'Stop if more than N, or N%, would be revoked; N% is of the active credentials [default: 10%, at least 5]' -r
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l key -d 'The issuer\'s private key; a file or, in builds with the feature pkcs11, a pkcs11: URI [default: .beltic/issuer.pem]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l passphrase-file -d 'File whose first line is the key\'s passphrase [default: BELTIC_KEY_PASSPHRASE, or a prompt]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l signer-command -d 'A program that signs, in place of --key: its words as for a shell, but without one' -r -f -a "(__fish_complete_command)"
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l public-key -d 'The public half of the key that --signer-command or a token signs with, a JWK or PEM' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l issuer -d 'did:web:…, did:key:…, did:jwk:… or https://…; or a name under `issuers` in the settings [default: the key\'s own did:key]' -r
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l x5c -d 'PEM certificates for the header of sd_jwt_vc and of token status lists, the key\'s own first; a trust anchor is omitted' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l vct -d 'URI of the credential type [default: derived from the issuer]' -r
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l developer-id -d 'Your id at the API, echoed in results' -r
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l input-format -d 'Format of the batch files [default: detected from the extension or content]' -r -f -a "json\t'{"items": […]} or an array of items'
ndjson\t'One item per line'
csv\t'A header row, then one item per row'"
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l delimiter -d 'CSV delimiter: one character, or `tab` [default: detected from the header]' -r
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l encoding -d 'Encoding of the files, such as windows-1252 [default: UTF-8, or UTF-16 with a BOM]' -r
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l set -d 'Add this CSV column to every row, overriding csv.constants; repeatable' -r
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l max-item-bytes -d 'Maximum size of an item, in bytes' -r
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l type -d 'Default credential type [default: business]' -r -f -a "business\t''
user\t''
agent_authorization\t''
outcome_attestation\t''"
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l proof-format -d 'Format of the credentials [default: jwt_vc]' -r -f -a "jwt_vc\t''
sd_jwt_vc\t''"
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l ttl -d 'Default validity period, an ISO 8601 duration; the ttl of an item overrides it [default: P1Y]' -r
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l issued-at -d 'Issue as of this time (RFC 3339), for tests and backdated runs [default: now]' -r
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l output-format -d 'Format of the results [default: from the file\'s extension, else text on a terminal, ndjson in a pipe]' -r -f -a "ndjson\t'One result per line, as JSON'
text\t'One short line per item, for people'
json\t'{"results": […], "success_count": n, "failure_count": n}'
csv\t'A header row, then one result per row'
jwt\t'One token per line; failed items go to standard error'"
complete -c beltic -n "__fish_beltic_using_subcommand sync" -s o -l out -d 'Write the results to this file; it appears when they are complete [default: standard output]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l failed -d 'Write failed items to this file; they keep their original format, so they can be fixed and re-submitted' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l summary -d 'Write a JSON summary of the run to this file' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l report -d 'Write a page about the run to this file; it shows counts, reasons and failed items' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l out-dir -d 'Write each credential to a file in this folder; the results are written as well' -r -f -a "(__fish_complete_directories)"
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l name-by -d 'What names the files of --out-dir' -r -f -a "correlation-id\t'The item\'s correlation_id'
subject-id\t'The id of its subject'
credential-id\t'The credential\'s id, without urn:uuid:'"
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l annotations -d 'Write failed items to standard error as annotations of this service' -r -f -a "github\t'GitHub Actions'"
complete -c beltic -n "__fish_beltic_using_subcommand sync" -s j -l jobs -d 'Number of worker threads, at most 1,024 [default: all cores]' -r
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l ledger -d 'Where credentials and the scope are recorded [default: .beltic/ledger.db]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l prune -d 'Revoke credentials of items that are gone'
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l plan -d 'Print what would be done; change nothing, and exit with 3 if there is work'
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l all -d 'Print results of unchanged items as well'
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l revoke-renewed -d 'Revoke the former credential when one is renewed'
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l replace-suspended -d 'Replace suspended credentials of items that have changed'
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l reissue-revoked -d 'Issue a new credential where someone revoked the former one'
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l adopt -d 'Take active credentials that were issued outside of the scope into it'
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l allow-unknown -d 'Keep unknown fields of subject and claims instead of failing the item'
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l verify -d 'Verify each credential with a second implementation before writing its result'
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l force -d 'Overwrite the files that --out, --failed, --summary and --report name, and write to an --out-dir that is not empty'
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l no-progress -d 'Show no progress bar and no progress lines'
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l accept-failures -d 'Exit with 0 instead of 3 if only items failed; for schedulers that retry on any other code'
complete -c beltic -n "__fish_beltic_using_subcommand sync" -l allow-empty -d 'Accept an input without items: write empty results and exit with 0 instead of 4'
complete -c beltic -n "__fish_beltic_using_subcommand sync" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand sync" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand init" -l issuer -d 'Who issues: a host, did:web:HOST, https://HOST, or did:key for the key\'s own' -r
complete -c beltic -n "__fish_beltic_using_subcommand init" -l status-base-url -d 'Where you will publish status lists [default: the place of a did:web or https issuer]' -r
complete -c beltic -n "__fish_beltic_using_subcommand init" -l type -d 'Default credential type [default: business]' -r -f -a "business\t''
user\t''
agent_authorization\t''
outcome_attestation\t''"
complete -c beltic -n "__fish_beltic_using_subcommand init" -l map -d 'Map the header of this CSV file, with the best guess for each column' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand init" -l delimiter -d 'With --map: what separates CSV cells, one character or `tab` [default: found in the header]' -r
complete -c beltic -n "__fish_beltic_using_subcommand init" -l encoding -d 'With --map: the encoding of the file, such as windows-1252 [default: UTF-8, or UTF-16 by its BOM]' -r
complete -c beltic -n "__fish_beltic_using_subcommand init" -l passphrase-file -d 'A file whose first line is the passphrase of the key [else BELTIC_KEY_PASSPHRASE, or a prompt]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand init" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand init" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand init" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand init" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand init" -l encrypt -d 'Encrypt the private key; the passphrase is that of --passphrase-file or BELTIC_KEY_PASSPHRASE, or is asked for'
complete -c beltic -n "__fish_beltic_using_subcommand init" -s y -l yes -d 'Do not ask: take the default for whatever no flag says'
complete -c beltic -n "__fish_beltic_using_subcommand init" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand init" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand keygen" -l out -d 'Write the private key to this file, and the public JWK to one beside it that ends in .pub.jwk [default: .beltic/issuer.pem]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand keygen" -l key -d 'Make the key in a PKCS#11 token instead, and print the public JWK; it is also written beside the file of --out if it does not exist there' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand keygen" -l issuer -d 'The issuer; determines the key\'s kid [default: the key\'s own did:key]' -r
complete -c beltic -n "__fish_beltic_using_subcommand keygen" -l passphrase-file -d 'A file whose first line is the passphrase, of a new key or of the existing one [else BELTIC_KEY_PASSPHRASE, or a prompt]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand keygen" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand keygen" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand keygen" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand keygen" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand keygen" -l encrypt -d 'Encrypt the private key; the passphrase is that of --passphrase-file or BELTIC_KEY_PASSPHRASE, or is asked for'
complete -c beltic -n "__fish_beltic_using_subcommand keygen" -l if-missing -d 'Keep an existing key, and succeed'
complete -c beltic -n "__fish_beltic_using_subcommand keygen" -s y -l yes -d 'Make a key of its own inside another project without asking'
complete -c beltic -n "__fish_beltic_using_subcommand keygen" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand keygen" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l jwks -d 'Trust the keys of this JWK Set; repeatable' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l did -d 'Trust the assertion methods of this DID document; repeatable' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l key -d 'Trust this public key, PEM or JWK; repeatable' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l trust-anchor -d 'Trust the keys that the authorities in this PEM file certify, in the `x5c` of tokens; repeatable' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l site -d 'Use the keys and status lists in a folder written by `publish`' -r -f -a "(__fish_complete_directories)"
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l issuer -d 'Accept only credentials of this issuer; a did:key or did:jwk contains its own key' -r
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l status-list -d 'Use this signed status list; or every *.jwt file of this folder; repeatable' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l vct -d 'Accept only credentials of the type with this URI' -r
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l type -d 'Accept only credentials of this credential type; with --vct, treat that URI as this type' -r -f -a "business\t''
user\t''
agent_authorization\t''
outcome_attestation\t''"
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l audience -d 'Required audience; credentials with an `aud` are rejected if this is not given' -r
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l key-binding -d 'Whether presentations must prove that the holder has the key in `cnf` [default: ignore]' -r -f -a "ignore\t'Ignore key binding JWTs'
required\t'Reject presentations without a valid key binding JWT; needs --audience, and --nonce or a nonce with each presentation'"
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l nonce -d 'Nonce issued for the presentation; implies --key-binding required' -r
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l kb-max-age -d 'Maximum age of a key binding JWT, at most P7D' -r
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l at -d 'Verify as of this time (RFC 3339) [default: now]' -r
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l leeway -d 'Clock skew to tolerate, in seconds' -r
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l max-ttl -d 'Reject credentials valid for longer than this ISO 8601 duration' -r
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l context -d 'Accept only authorizations that allow this: a JSON file, or pairs such as resource_type=wallet,action=checkout,amount=5000' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l chain -d 'Accept delegated authorizations if this file has a valid credential of the delegator; repeatable' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l output-format -d 'Format of the verdicts [default: from the file\'s extension, else text on a terminal, ndjson in a pipe]' -r -f -a "ndjson\t'One verdict a line, as JSON'
text\t'One short line a token, for people'"
complete -c beltic -n "__fish_beltic_using_subcommand verify" -s o -l out -d 'Write the output to this file; it appears when it is complete [default: standard output]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand verify" -s j -l jobs -d 'Number of worker threads, at most 1,024 [default: all cores]' -r
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l engine -d 'What checks signatures; the verdicts are the same' -r -f -a "aws-lc\t'AWS-LC, one signature after the other'
batch\t'Many signatures at once; AWS-LC checks again all that do not match'"
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l no-status -d 'Do not check revocation and suspension'
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l legacy-vc -d 'Also accept JWTs with a `vc` claim (VC Data Model 1.1)'
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l legacy-typ -d 'Also accept SD-JWT VCs with the `typ` of older drafts, `vc+sd-jwt`'
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l explain -d 'Explain what is missing: which keys and status lists to fetch from where, and with which commands'
complete -c beltic -n "__fish_beltic_using_subcommand verify" -l force -d 'Overwrite the file that --out names, if it exists'
complete -c beltic -n "__fish_beltic_using_subcommand verify" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand verify" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand inspect" -l output-format -d 'Format of the output [default: from the file\'s extension, else text on a terminal, json in a pipe]' -r -f -a "text\t'For people'
json\t'One JSON object per token'"
complete -c beltic -n "__fish_beltic_using_subcommand inspect" -s o -l out -d 'Write the output to this file; it appears when it is complete [default: standard output]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand inspect" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand inspect" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand inspect" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand inspect" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand inspect" -l force -d 'Overwrite the file that --out names, if it exists'
complete -c beltic -n "__fish_beltic_using_subcommand inspect" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand inspect" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand present" -l disclose -d 'Disclose this claim and the objects that contain it: a path, where `[]` means every element, or a JSON Pointer; repeatable' -r
complete -c beltic -n "__fish_beltic_using_subcommand present" -l holder-key -d 'Add a key binding JWT signed with this key, to which the credential was issued' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand present" -l passphrase-file -d 'File whose first line is the key\'s passphrase [default: BELTIC_KEY_PASSPHRASE, or a prompt]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand present" -l nonce -d 'The nonce given by the verifier' -r
complete -c beltic -n "__fish_beltic_using_subcommand present" -l audience -d 'The verifier\'s identifier, such as its URL' -r
complete -c beltic -n "__fish_beltic_using_subcommand present" -s o -l out -d 'Write the output to this file; it appears when it is complete [default: standard output]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand present" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand present" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand present" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand present" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand present" -l force -d 'Overwrite the file that --out names, if it exists'
complete -c beltic -n "__fish_beltic_using_subcommand present" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand present" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand revoke" -l from -d 'Read results, ids or tokens from this file; `-` is standard input, and a CSV needs a column credential_id, id, signed_payload, correlation_id or subject_id' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand revoke" -l run -d 'All credentials of this run; its id or idempotency key' -r
complete -c beltic -n "__fish_beltic_using_subcommand revoke" -l subject -d 'All credentials of this subject id; repeatable' -r
complete -c beltic -n "__fish_beltic_using_subcommand revoke" -l correlation-id -d 'All credentials of this correlation id; repeatable' -r
complete -c beltic -n "__fish_beltic_using_subcommand revoke" -l issuer -d 'All credentials of this issuer' -r
complete -c beltic -n "__fish_beltic_using_subcommand revoke" -l kid -d 'All credentials signed with the key that has this id' -r
complete -c beltic -n "__fish_beltic_using_subcommand revoke" -l vct -d 'All credentials of the type with this URI' -r
complete -c beltic -n "__fish_beltic_using_subcommand revoke" -l type -d 'All credentials of this credential type' -r -f -a "business\t''
user\t''
agent_authorization\t''
outcome_attestation\t''"
complete -c beltic -n "__fish_beltic_using_subcommand revoke" -l output-format -d 'Format of the results [default: from the file\'s extension, else text on a terminal, ndjson in a pipe]' -r -f -a "ndjson\t'One row per line, as JSON'
text\t'One short line per row, for people'
csv\t'A header row, then the rows'"
complete -c beltic -n "__fish_beltic_using_subcommand revoke" -s o -l out -d 'Write the output to this file; it appears when it is complete [default: standard output]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand revoke" -l ledger -d 'The ledger [default: .beltic/ledger.db]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand revoke" -l reason -d 'The reason; key_rotation, compromised, policy_change, user_request, error, or your own text (no personal data)' -r
complete -c beltic -n "__fish_beltic_using_subcommand revoke" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand revoke" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand revoke" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand revoke" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand revoke" -l delegated -d 'With --subject: also what they delegated; these are agent authorizations'
complete -c beltic -n "__fish_beltic_using_subcommand revoke" -s y -l yes -d 'Do not ask; otherwise changing more than 10 credentials needs confirmation'
complete -c beltic -n "__fish_beltic_using_subcommand revoke" -l dry-run -d 'Show what would change; change nothing'
complete -c beltic -n "__fish_beltic_using_subcommand revoke" -l force -d 'Overwrite the file that --out names, if it exists'
complete -c beltic -n "__fish_beltic_using_subcommand revoke" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand revoke" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand suspend" -l from -d 'Read results, ids or tokens from this file; `-` is standard input, and a CSV needs a column credential_id, id, signed_payload, correlation_id or subject_id' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand suspend" -l run -d 'All credentials of this run; its id or idempotency key' -r
complete -c beltic -n "__fish_beltic_using_subcommand suspend" -l subject -d 'All credentials of this subject id; repeatable' -r
complete -c beltic -n "__fish_beltic_using_subcommand suspend" -l correlation-id -d 'All credentials of this correlation id; repeatable' -r
complete -c beltic -n "__fish_beltic_using_subcommand suspend" -l issuer -d 'All credentials of this issuer' -r
complete -c beltic -n "__fish_beltic_using_subcommand suspend" -l kid -d 'All credentials signed with the key that has this id' -r
complete -c beltic -n "__fish_beltic_using_subcommand suspend" -l vct -d 'All credentials of the type with this URI' -r
complete -c beltic -n "__fish_beltic_using_subcommand suspend" -l type -d 'All credentials of this credential type' -r -f -a "business\t''
user\t''
agent_authorization\t''
outcome_attestation\t''"
complete -c beltic -n "__fish_beltic_using_subcommand suspend" -l output-format -d 'Format of the results [default: from the file\'s extension, else text on a terminal, ndjson in a pipe]' -r -f -a "ndjson\t'One row per line, as JSON'
text\t'One short line per row, for people'
csv\t'A header row, then the rows'"
complete -c beltic -n "__fish_beltic_using_subcommand suspend" -s o -l out -d 'Write the output to this file; it appears when it is complete [default: standard output]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand suspend" -l ledger -d 'The ledger [default: .beltic/ledger.db]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand suspend" -l reason -d 'The reason; key_rotation, compromised, policy_change, user_request, error, or your own text (no personal data)' -r
complete -c beltic -n "__fish_beltic_using_subcommand suspend" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand suspend" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand suspend" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand suspend" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand suspend" -l delegated -d 'With --subject: also what they delegated; these are agent authorizations'
complete -c beltic -n "__fish_beltic_using_subcommand suspend" -s y -l yes -d 'Do not ask; otherwise changing more than 10 credentials needs confirmation'
complete -c beltic -n "__fish_beltic_using_subcommand suspend" -l dry-run -d 'Show what would change; change nothing'
complete -c beltic -n "__fish_beltic_using_subcommand suspend" -l force -d 'Overwrite the file that --out names, if it exists'
complete -c beltic -n "__fish_beltic_using_subcommand suspend" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand suspend" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand reinstate" -l from -d 'Read results, ids or tokens from this file; `-` is standard input, and a CSV needs a column credential_id, id, signed_payload, correlation_id or subject_id' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand reinstate" -l run -d 'All credentials of this run; its id or idempotency key' -r
complete -c beltic -n "__fish_beltic_using_subcommand reinstate" -l subject -d 'All credentials of this subject id; repeatable' -r
complete -c beltic -n "__fish_beltic_using_subcommand reinstate" -l correlation-id -d 'All credentials of this correlation id; repeatable' -r
complete -c beltic -n "__fish_beltic_using_subcommand reinstate" -l issuer -d 'All credentials of this issuer' -r
complete -c beltic -n "__fish_beltic_using_subcommand reinstate" -l kid -d 'All credentials signed with the key that has this id' -r
complete -c beltic -n "__fish_beltic_using_subcommand reinstate" -l vct -d 'All credentials of the type with this URI' -r
complete -c beltic -n "__fish_beltic_using_subcommand reinstate" -l type -d 'All credentials of this credential type' -r -f -a "business\t''
user\t''
agent_authorization\t''
outcome_attestation\t''"
complete -c beltic -n "__fish_beltic_using_subcommand reinstate" -l output-format -d 'Format of the results [default: from the file\'s extension, else text on a terminal, ndjson in a pipe]' -r -f -a "ndjson\t'One row per line, as JSON'
text\t'One short line per row, for people'
csv\t'A header row, then the rows'"
complete -c beltic -n "__fish_beltic_using_subcommand reinstate" -s o -l out -d 'Write the output to this file; it appears when it is complete [default: standard output]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand reinstate" -l ledger -d 'The ledger [default: .beltic/ledger.db]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand reinstate" -l reason -d 'The reason; key_rotation, compromised, policy_change, user_request, error, or your own text (no personal data)' -r
complete -c beltic -n "__fish_beltic_using_subcommand reinstate" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand reinstate" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand reinstate" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand reinstate" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand reinstate" -l delegated -d 'With --subject: also what they delegated; these are agent authorizations'
complete -c beltic -n "__fish_beltic_using_subcommand reinstate" -s y -l yes -d 'Do not ask; otherwise changing more than 10 credentials needs confirmation'
complete -c beltic -n "__fish_beltic_using_subcommand reinstate" -l dry-run -d 'Show what would change; change nothing'
complete -c beltic -n "__fish_beltic_using_subcommand reinstate" -l force -d 'Overwrite the file that --out names, if it exists'
complete -c beltic -n "__fish_beltic_using_subcommand reinstate" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand reinstate" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand publish" -l out -d 'Directory of the site, the root of the issuer\'s host; only changed files are written' -r -f -a "(__fish_complete_directories)"
complete -c beltic -n "__fish_beltic_using_subcommand publish" -l previous -d 'Also compare revocations with this earlier site' -r -f -a "(__fish_complete_directories)"
complete -c beltic -n "__fish_beltic_using_subcommand publish" -l new-type-version -d 'Publish this version\'s schema of a built-in type as a new version, for new credentials' -r -f -a "business\t''
user\t''
agent_authorization\t''
outcome_attestation\t''"
complete -c beltic -n "__fish_beltic_using_subcommand publish" -l key -d 'The issuer\'s private key; a file or, in builds with the feature pkcs11, a pkcs11: URI [default: .beltic/issuer.pem]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand publish" -l passphrase-file -d 'File whose first line is the key\'s passphrase [default: BELTIC_KEY_PASSPHRASE, or a prompt]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand publish" -l signer-command -d 'A program that signs, in place of --key: its words as for a shell, but without one' -r -f -a "(__fish_complete_command)"
complete -c beltic -n "__fish_beltic_using_subcommand publish" -l public-key -d 'The public half of the key that --signer-command or a token signs with, a JWK or PEM' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand publish" -l issuer -d 'did:web:…, did:key:…, did:jwk:… or https://…; or a name under `issuers` in the settings [default: the key\'s own did:key]' -r
complete -c beltic -n "__fish_beltic_using_subcommand publish" -l x5c -d 'PEM certificates for the header of sd_jwt_vc and of token status lists, the key\'s own first; a trust anchor is omitted' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand publish" -l vct -d 'URI of the credential type [default: derived from the issuer]' -r
complete -c beltic -n "__fish_beltic_using_subcommand publish" -l ledger -d 'The ledger [default: .beltic/ledger.db]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand publish" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand publish" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand publish" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand publish" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand publish" -l all -d 'Publish every issuer of `issuers` in the settings, each to a folder of its name in --out'
complete -c beltic -n "__fish_beltic_using_subcommand publish" -l check -d 'Write nothing; report what is missing, outdated or about to expire'
complete -c beltic -n "__fish_beltic_using_subcommand publish" -l accept-lost-revocations -d 'Publish even if a restored ledger lost revocations; published revocations stay in effect'
complete -c beltic -n "__fish_beltic_using_subcommand publish" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand publish" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand deliver" -l out -d 'Write a folder for each credential, and index.csv, into this folder' -r -f -a "(__fish_complete_directories)"
complete -c beltic -n "__fish_beltic_using_subcommand deliver" -l name-by -d 'What names the folders of credentials' -r -f -a "correlation-id\t'The item\'s correlation_id'
subject-id\t'The id of its subject'
credential-id\t'The credential\'s id, without urn:uuid:'"
complete -c beltic -n "__fish_beltic_using_subcommand deliver" -l column -d 'Also put this into index.csv: correlation_id, link, or a claim such as subject.name; repeatable' -r
complete -c beltic -n "__fish_beltic_using_subcommand deliver" -l page -d 'Address of the verification page [default: status.base_url, then /verify/]' -r -f
complete -c beltic -n "__fish_beltic_using_subcommand deliver" -l locale -d 'Language of the certificates, such as de or fr-CH [default: the first of the type\'s display, else en]' -r
complete -c beltic -n "__fish_beltic_using_subcommand deliver" -l logo -d 'Put this image on the certificates, in place of the type\'s own logo: PNG, JPEG, GIF, WebP or SVG, at most 64 kB' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand deliver" -l disclose -d 'Show this claim of an SD-JWT on the certificate and in the link, although its holder may hide it: a path as for `present`, or `*` for all; repeatable' -r
complete -c beltic -n "__fish_beltic_using_subcommand deliver" -s j -l jobs -d 'Number of worker threads, at most 1,024 [default: all cores]' -r
complete -c beltic -n "__fish_beltic_using_subcommand deliver" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand deliver" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand deliver" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand deliver" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand deliver" -l force -d 'Write to a folder that is not empty; replace index.csv and the folders of the same names'
complete -c beltic -n "__fish_beltic_using_subcommand deliver" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand deliver" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand list" -l ledger -d 'The ledger [default: .beltic/ledger.db]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand list" -l status -d 'With this status; expired credentials keep theirs' -r -f -a "active\t''
suspended\t''
revoked\t''"
complete -c beltic -n "__fish_beltic_using_subcommand list" -l run -d 'Issued by this run, given by its idempotency key or `run_id`' -r
complete -c beltic -n "__fish_beltic_using_subcommand list" -l subject -d 'With this subject id; repeatable' -r
complete -c beltic -n "__fish_beltic_using_subcommand list" -l correlation-id -d 'With this correlation id; repeatable' -r
complete -c beltic -n "__fish_beltic_using_subcommand list" -l issuer -d 'Issued by this issuer' -r
complete -c beltic -n "__fish_beltic_using_subcommand list" -l kid -d 'Signed with the key that has this id' -r
complete -c beltic -n "__fish_beltic_using_subcommand list" -l vct -d 'Of the type with this URI' -r
complete -c beltic -n "__fish_beltic_using_subcommand list" -l type -d 'Of this credential type' -r -f -a "business\t''
user\t''
agent_authorization\t''
outcome_attestation\t''"
complete -c beltic -n "__fish_beltic_using_subcommand list" -l issued-after -d 'Issued at or after this time; RFC 3339, or a date (midnight UTC)' -r
complete -c beltic -n "__fish_beltic_using_subcommand list" -l issued-before -d 'Issued before this time' -r
complete -c beltic -n "__fish_beltic_using_subcommand list" -l expires-after -d 'Expiring at or after this time' -r
complete -c beltic -n "__fish_beltic_using_subcommand list" -l expires-before -d 'Expiring before this time' -r
complete -c beltic -n "__fish_beltic_using_subcommand list" -l expiring-within -d 'Expiring within this time, such as P30D; revoked ones are not listed; exits with 3 if any are found' -r
complete -c beltic -n "__fish_beltic_using_subcommand list" -l limit -d 'Maximum number of rows' -r
complete -c beltic -n "__fish_beltic_using_subcommand list" -l after -d 'Continue after this row, given by its `cursor`, or with --events by its `event`' -r
complete -c beltic -n "__fish_beltic_using_subcommand list" -l output-format -d 'Format of the rows [default: from the file\'s extension, else text on a terminal, ndjson in a pipe]' -r -f -a "ndjson\t'One row per line, as JSON'
text\t'One short line per row, for people'
csv\t'A header row, then the rows'"
complete -c beltic -n "__fish_beltic_using_subcommand list" -s o -l out -d 'Write the output to this file; it appears when it is complete [default: standard output]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand list" -l head -d 'A head printed by an earlier --verify, which must still be in the log' -r
complete -c beltic -n "__fish_beltic_using_subcommand list" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand list" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand list" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand list" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand list" -l force -d 'Overwrite the file that --out names, if it exists'
complete -c beltic -n "__fish_beltic_using_subcommand list" -l events -d 'List events instead: the audit log'
complete -c beltic -n "__fish_beltic_using_subcommand list" -l verify -d 'Check the whole log: no event was changed or removed'
complete -c beltic -n "__fish_beltic_using_subcommand list" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand list" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand show" -l ledger -d 'The ledger [default: .beltic/ledger.db]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand show" -l output-format -d 'Format of the output [default: from the file\'s extension, else text on a terminal, json in a pipe]' -r -f -a "text\t'For people'
json\t'One JSON object on one line'"
complete -c beltic -n "__fish_beltic_using_subcommand show" -s o -l out -d 'Write the output to this file; it appears when it is complete [default: standard output]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand show" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand show" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand show" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand show" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand show" -l force -d 'Overwrite the file that --out names, if it exists'
complete -c beltic -n "__fish_beltic_using_subcommand show" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand show" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and not __fish_seen_subcommand_from init migrate copy check backup close-lists" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and not __fish_seen_subcommand_from init migrate copy check backup close-lists" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and not __fish_seen_subcommand_from init migrate copy check backup close-lists" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and not __fish_seen_subcommand_from init migrate copy check backup close-lists" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and not __fish_seen_subcommand_from init migrate copy check backup close-lists" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and not __fish_seen_subcommand_from init migrate copy check backup close-lists" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and not __fish_seen_subcommand_from init migrate copy check backup close-lists" -f -a "init" -d 'Make an empty ledger; the first run does that, too'
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and not __fish_seen_subcommand_from init migrate copy check backup close-lists" -f -a "migrate" -d 'Bring a ledger of an earlier version of beltic up to date'
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and not __fish_seen_subcommand_from init migrate copy check backup close-lists" -f -a "copy" -d 'Move the ledger to another file or database; the old one can only be read from then on'
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and not __fish_seen_subcommand_from init migrate copy check backup close-lists" -f -a "check" -d 'Check that the ledger is intact, with no duplicate index, id or item'
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and not __fish_seen_subcommand_from init migrate copy check backup close-lists" -f -a "backup" -d 'Write a consistent copy of the ledger, even during a run'
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and not __fish_seen_subcommand_from init migrate copy check backup close-lists" -f -a "close-lists" -d 'Close the open status lists, so new credentials go into new ones; run this after every restore'
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from init" -l ledger -d 'The ledger [default: .beltic/ledger.db]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from init" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from init" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from init" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from init" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from init" -l no-failover-guard -d 'Allow a PostgreSQL server that does not tell its timeline: run `close-lists` after each failover'
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from init" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from init" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from migrate" -l ledger -d 'The ledger [default: .beltic/ledger.db]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from migrate" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from migrate" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from migrate" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from migrate" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from migrate" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from migrate" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from copy" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from copy" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from copy" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from copy" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from copy" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from copy" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from check" -l ledger -d 'The ledger [default: .beltic/ledger.db]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from check" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from check" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from check" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from check" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from check" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from backup" -l ledger -d 'The ledger [default: .beltic/ledger.db]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from backup" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from backup" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from backup" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from backup" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from backup" -l force -d 'Overwrite the file if it exists'
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from backup" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from backup" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from close-lists" -l ledger -d 'The ledger [default: .beltic/ledger.db]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from close-lists" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from close-lists" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from close-lists" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from close-lists" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from close-lists" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand ledger; and __fish_seen_subcommand_from close-lists" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand schema" -l vct -d 'Instead print the SD-JWT type metadata document, for this type URI [default: the configured one]' -r
complete -c beltic -n "__fish_beltic_using_subcommand schema" -l issuer -d 'The issuer, from which the type\'s URI is derived' -r
complete -c beltic -n "__fish_beltic_using_subcommand schema" -l type -d 'Default credential type [default: business]' -r -f -a "business\t''
user\t''
agent_authorization\t''
outcome_attestation\t''"
complete -c beltic -n "__fish_beltic_using_subcommand schema" -s o -l out -d 'Write the output to this file; it appears when it is complete [default: standard output]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand schema" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand schema" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand schema" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand schema" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand schema" -l force -d 'Overwrite the file that --out names, if it exists'
complete -c beltic -n "__fish_beltic_using_subcommand schema" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand schema" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand template" -l map -d 'Instead print settings that map the header of this CSV file, with a best guess for each column' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand template" -l delimiter -d 'With --map: CSV delimiter, one character or `tab` [default: detected from the header]' -r
complete -c beltic -n "__fish_beltic_using_subcommand template" -l encoding -d 'With --map: encoding of the file, such as windows-1252 [default: UTF-8, or UTF-16 with a BOM]' -r
complete -c beltic -n "__fish_beltic_using_subcommand template" -l type -d 'Default credential type [default: business]' -r -f -a "business\t''
user\t''
agent_authorization\t''
outcome_attestation\t''"
complete -c beltic -n "__fish_beltic_using_subcommand template" -l elements -d 'Number of elements to allow for in each list' -r
complete -c beltic -n "__fish_beltic_using_subcommand template" -s o -l out -d 'Write the output to this file; it appears when it is complete [default: standard output]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand template" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand template" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand template" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand template" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand template" -l force -d 'Overwrite the file that --out names, if it exists'
complete -c beltic -n "__fish_beltic_using_subcommand template" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand template" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand types; and not __fish_seen_subcommand_from show check new" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand types; and not __fish_seen_subcommand_from show check new" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand types; and not __fish_seen_subcommand_from show check new" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand types; and not __fish_seen_subcommand_from show check new" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand types; and not __fish_seen_subcommand_from show check new" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand types; and not __fish_seen_subcommand_from show check new" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand types; and not __fish_seen_subcommand_from show check new" -f -a "show" -d 'Print the fields, CSV columns and disclosure policy of a type'
complete -c beltic -n "__fish_beltic_using_subcommand types; and not __fish_seen_subcommand_from show check new" -f -a "check" -d 'Check the definition file of your own type'
complete -c beltic -n "__fish_beltic_using_subcommand types; and not __fish_seen_subcommand_from show check new" -f -a "new" -d 'Print a definition file to fill in, for your own type'
complete -c beltic -n "__fish_beltic_using_subcommand types; and __fish_seen_subcommand_from show" -s o -l out -d 'Write the output to this file; it appears when it is complete [default: standard output]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand types; and __fish_seen_subcommand_from show" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand types; and __fish_seen_subcommand_from show" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand types; and __fish_seen_subcommand_from show" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand types; and __fish_seen_subcommand_from show" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand types; and __fish_seen_subcommand_from show" -l force -d 'Overwrite the file that --out names, if it exists'
complete -c beltic -n "__fish_beltic_using_subcommand types; and __fish_seen_subcommand_from show" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand types; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand types; and __fish_seen_subcommand_from check" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand types; and __fish_seen_subcommand_from check" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand types; and __fish_seen_subcommand_from check" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand types; and __fish_seen_subcommand_from check" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand types; and __fish_seen_subcommand_from check" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand types; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand types; and __fish_seen_subcommand_from new" -s o -l out -d 'Write the output to this file; it appears when it is complete [default: standard output]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand types; and __fish_seen_subcommand_from new" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand types; and __fish_seen_subcommand_from new" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand types; and __fish_seen_subcommand_from new" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand types; and __fish_seen_subcommand_from new" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand types; and __fish_seen_subcommand_from new" -l force -d 'Overwrite the file that --out names, if it exists'
complete -c beltic -n "__fish_beltic_using_subcommand types; and __fish_seen_subcommand_from new" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand types; and __fish_seen_subcommand_from new" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand doctor" -l site -d 'Look at the status lists of this site, which `publish` wrote' -r -f -a "(__fish_complete_directories)"
complete -c beltic -n "__fish_beltic_using_subcommand doctor" -l key -d 'The issuer\'s private key; a file or, in builds with the feature pkcs11, a pkcs11: URI [default: .beltic/issuer.pem]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand doctor" -l passphrase-file -d 'File whose first line is the key\'s passphrase [default: BELTIC_KEY_PASSPHRASE, or a prompt]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand doctor" -l signer-command -d 'A program that signs, in place of --key: its words as for a shell, but without one' -r -f -a "(__fish_complete_command)"
complete -c beltic -n "__fish_beltic_using_subcommand doctor" -l public-key -d 'The public half of the key that --signer-command or a token signs with, a JWK or PEM' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand doctor" -l issuer -d 'did:web:…, did:key:…, did:jwk:… or https://…; or a name under `issuers` in the settings [default: the key\'s own did:key]' -r
complete -c beltic -n "__fish_beltic_using_subcommand doctor" -l x5c -d 'PEM certificates for the header of sd_jwt_vc and of token status lists, the key\'s own first; a trust anchor is omitted' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand doctor" -l vct -d 'URI of the credential type [default: derived from the issuer]' -r
complete -c beltic -n "__fish_beltic_using_subcommand doctor" -l ledger -d 'The ledger [default: .beltic/ledger.db]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand doctor" -l output-format -d 'The form of the output [default: by the file\'s extension, else text on a terminal, ndjson in a pipe]' -r -f -a "text\t'For people'
ndjson\t'One setting or finding a line, as JSON'"
complete -c beltic -n "__fish_beltic_using_subcommand doctor" -s o -l out -d 'Write the output to this file; it appears when it is complete [default: standard output]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand doctor" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand doctor" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand doctor" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand doctor" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand doctor" -l force -d 'Overwrite the file that --out names, if it exists'
complete -c beltic -n "__fish_beltic_using_subcommand doctor" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand doctor" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand bench" -l items -d 'Number of credentials per round' -r
complete -c beltic -n "__fish_beltic_using_subcommand bench" -l rounds -d 'Number of rounds; the median is reported' -r
complete -c beltic -n "__fish_beltic_using_subcommand bench" -l passphrase-file -d 'File whose first line is the key\'s passphrase [default: BELTIC_KEY_PASSPHRASE, or a prompt]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand bench" -l signer-command -d 'A program that signs, in place of --key: its words as for a shell, but without one' -r -f -a "(__fish_complete_command)"
complete -c beltic -n "__fish_beltic_using_subcommand bench" -l public-key -d 'The public half of the key that --signer-command or a token signs with, a JWK or PEM' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand bench" -s j -l jobs -d 'Number of worker threads, at most 1,024 [default: all cores]' -r
complete -c beltic -n "__fish_beltic_using_subcommand bench" -l key -d 'The signing key [default: .beltic/issuer.pem, or a new key]' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand bench" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand bench" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand bench" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand bench" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand bench" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand bench" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand completions" -l man -d 'Write man pages to the folders man1 and man5 of this directory instead, replacing existing ones' -r -f -a "(__fish_complete_directories)"
complete -c beltic -n "__fish_beltic_using_subcommand completions" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand completions" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand completions" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand completions" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand completions" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand completions" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
complete -c beltic -n "__fish_beltic_using_subcommand help" -l config -d 'Read settings from this file instead of looking for .beltic.yaml' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand help" -l types -d 'Read your own types from this file, or from the files of this folder' -r -F
complete -c beltic -n "__fish_beltic_using_subcommand help" -l color -d 'Colour messages and text results' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set or TERM is dumb'
always\t'Always'
never\t'Never'"
complete -c beltic -n "__fish_beltic_using_subcommand help" -l log-format -d 'Print messages, progress and errors on standard error as text, or as JSON lines' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'"
complete -c beltic -n "__fish_beltic_using_subcommand help" -s h -l help -d 'Print the everyday flags (-h) or everything (--help)'
complete -c beltic -n "__fish_beltic_using_subcommand help" -s q -l quiet -d 'Print errors only: no warnings, progress or closing line'
