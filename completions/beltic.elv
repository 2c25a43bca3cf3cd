
use builtin;
use str;

set edit:completion:arg-completer[beltic] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'beltic'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'beltic'= {
            cand --config 'Read settings from this file instead of looking for .beltic.yaml'
            cand --types 'Read types of your own from this file, or from the files of this folder'
            cand --color 'Colour messages and text results'
            cand -q 'Print errors only: no warnings, progress or closing line'
            cand --quiet 'Print errors only: no warnings, progress or closing line'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand batch-issue 'Issue a signed credential for each item of the batch files'
            cand keygen 'Make a P-256 issuer key'
            cand verify 'Check credentials, offline and in bulk'
            cand inspect 'Decode a credential, status list or key for reading, without judging it'
            cand present 'Keep some disclosures of an SD-JWT and drop the others'
            cand revoke 'Permanently revoke credentials'
            cand suspend 'Suspend credentials, until they are reinstated'
            cand reinstate 'End the suspension of credentials'
            cand publish 'Write the static site that verifiers fetch: keys, DID document, status lists'
            cand list 'List issued credentials, or the audit log'
            cand show 'Show one credential and its history'
            cand ledger 'Look the ledger over'
            cand schema 'Print the JSON Schema of an item, or a credential type''s metadata'
            cand template 'Print a batch file to fill in'
            cand types 'List credential types, or show what one holds'
            cand bench 'Measure how fast this machine issues'
            cand completions 'Print completions for a shell, or write man pages'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'beltic;batch-issue'= {
            cand --key 'The issuer''s private key [default: .beltic/issuer.pem]'
            cand --passphrase-file 'A file whose first line is the key''s passphrase [else BELTIC_KEY_PASSPHRASE, or a prompt]'
            cand --issuer 'did:web:…, did:key:…, did:jwk:… or an https:// URL [default: the key''s own did:key]'
            cand --x5c 'PEM certificates for the header of sd_jwt_vc and of token status lists, the key''s own first; a trust anchor is left out'
            cand --vct 'The credential type''s name [default: from the issuer]'
            cand --developer-id 'Your id at the API, echoed in results'
            cand --input-format 'The form of the batch files [default: by extension, else by content]'
            cand --delimiter 'What separates CSV cells: one character, or `tab` [default: found in the header]'
            cand --encoding 'The encoding of the batch files, such as windows-1252 [default: UTF-8, or UTF-16 by its BOM]'
            cand --set 'Give this CSV column to every row, in place of csv.constants; may be given again'
            cand --max-item-bytes 'The longest item, in bytes'
            cand --type 'The credential type of items that name none [default: business]'
            cand --proof-format 'The form of the credentials [default: jwt_vc]'
            cand --ttl 'The life of credentials whose item has no ttl, an ISO 8601 duration [default: P1Y]'
            cand --issued-at 'Issue as of this time (RFC 3339), for tests and backdated runs [default: now]'
            cand --output-format 'The form of the results [default: by the file''s extension, else text on a terminal, ndjson in a pipe]'
            cand -o 'Write the results to this file, which appears when they are complete [default: standard output]'
            cand --out 'Write the results to this file, which appears when they are complete [default: standard output]'
            cand --failed 'Write the failed items to this file, in their original format, so they can be fixed and re-submitted'
            cand --summary 'Write a JSON summary of the run to this file'
            cand --idempotency-key 'Issue each item once, however often the run is repeated under this key, such as the name of the batch'
            cand --max-failures 'Stop once more than N items, or N% of the items so far, have failed'
            cand -j 'How many workers there are, at most 1,024 [default: all cores]'
            cand --jobs 'How many workers there are, at most 1,024 [default: all cores]'
            cand --ledger 'Where ids and status-list indices are recorded; `none` keeps no state [default: .beltic/ledger.db]'
            cand --config 'Read settings from this file instead of looking for .beltic.yaml'
            cand --types 'Read types of your own from this file, or from the files of this folder'
            cand --color 'Colour messages and text results'
            cand --allow-unknown 'Carry unknown fields of subject and claims through instead of failing the item'
            cand --api-limits 'Refuse more than 1,000 items, as the API does'
            cand --verify 'Verify each credential by a second implementation before its result is written'
            cand --force 'Overwrite the files that --out, --failed and --summary name, if they exist'
            cand --no-progress 'Show no progress bar'
            cand --dry-run 'Check everything and say what would be issued; write nothing, take no index'
            cand --accept-failures 'Exit with 0, not 3, where items failed but nothing else went wrong; for engines that retry on any other code'
            cand --allow-empty 'Accept an input without items: the results are empty, and the exit code is 0, not 4'
            cand -q 'Print errors only: no warnings, progress or closing line'
            cand --quiet 'Print errors only: no warnings, progress or closing line'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'beltic;keygen'= {
            cand --out 'Where the private key goes; the public JWK goes beside it, ending in .pub.jwk [default: .beltic/issuer.pem]'
            cand --issuer 'The issuer, from which the key''s kid is made [default: the key''s own did:key]'
            cand --passphrase-file 'A file whose first line is the passphrase of the key that is there [else BELTIC_KEY_PASSPHRASE, or a prompt]'
            cand --config 'Read settings from this file instead of looking for .beltic.yaml'
            cand --types 'Read types of your own from this file, or from the files of this folder'
            cand --color 'Colour messages and text results'
            cand --if-missing 'Keep a key that is there, and succeed'
            cand -q 'Print errors only: no warnings, progress or closing line'
            cand --quiet 'Print errors only: no warnings, progress or closing line'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'beltic;verify'= {
            cand --jwks 'Trust the keys of this JWK Set; repeatable'
            cand --did 'Trust the assertion methods of this DID document; repeatable'
            cand --key 'Trust this public key, PEM or JWK; repeatable'
            cand --site 'Take keys and status lists from a folder that `publish` wrote'
            cand --issuer 'Accept credentials of this issuer only; a did:key or did:jwk brings its key along'
            cand --status-list 'Look statuses up in this signed list, or in every *.jwt of this folder; repeatable'
            cand --vct 'Accept credentials of this type only, by its URI'
            cand --type 'Accept credentials of this credential type only; with --vct, those are held to be of it'
            cand --audience 'Accept credentials for this audience; without it, those that name one are refused'
            cand --at 'Verify as of this time (RFC 3339) [default: now]'
            cand --leeway 'By how many seconds clocks may differ'
            cand --max-ttl 'Refuse credentials that live for longer than this ISO 8601 duration'
            cand --context 'Accept authorizations that allow this: a JSON file, or pairs such as resource_type=wallet,action=checkout,amount=5000'
            cand --chain 'Accept delegated authorizations if a valid credential in this file is about who delegated; repeatable'
            cand --output-format 'The form of the verdicts [default: by the file''s extension, else text on a terminal, ndjson in a pipe]'
            cand -o 'Write the output to this file, which appears when it is complete [default: standard output]'
            cand --out 'Write the output to this file, which appears when it is complete [default: standard output]'
            cand -j 'How many workers there are, at most 1,024 [default: all cores]'
            cand --jobs 'How many workers there are, at most 1,024 [default: all cores]'
            cand --config 'Read settings from this file instead of looking for .beltic.yaml'
            cand --types 'Read types of your own from this file, or from the files of this folder'
            cand --color 'Colour messages and text results'
            cand --no-status 'Do not look at statuses'
            cand --legacy-vc 'Accept JWTs with a `vc` claim (VC Data Model 1.1), too'
            cand --force 'Overwrite the file that --out names, if it exists'
            cand -q 'Print errors only: no warnings, progress or closing line'
            cand --quiet 'Print errors only: no warnings, progress or closing line'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'beltic;inspect'= {
            cand --output-format 'The form of the output [default: by the file''s extension, else text on a terminal, json in a pipe]'
            cand -o 'Write the output to this file, which appears when it is complete [default: standard output]'
            cand --out 'Write the output to this file, which appears when it is complete [default: standard output]'
            cand --config 'Read settings from this file instead of looking for .beltic.yaml'
            cand --types 'Read types of your own from this file, or from the files of this folder'
            cand --color 'Colour messages and text results'
            cand --force 'Overwrite the file that --out names, if it exists'
            cand -q 'Print errors only: no warnings, progress or closing line'
            cand --quiet 'Print errors only: no warnings, progress or closing line'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'beltic;present'= {
            cand --disclose 'Keep the disclosure of this claim, and those around it; a path, where `[]` stands for every element, or a JSON Pointer; repeatable'
            cand -o 'Write the output to this file, which appears when it is complete [default: standard output]'
            cand --out 'Write the output to this file, which appears when it is complete [default: standard output]'
            cand --config 'Read settings from this file instead of looking for .beltic.yaml'
            cand --types 'Read types of your own from this file, or from the files of this folder'
            cand --color 'Colour messages and text results'
            cand --force 'Overwrite the file that --out names, if it exists'
            cand -q 'Print errors only: no warnings, progress or closing line'
            cand --quiet 'Print errors only: no warnings, progress or closing line'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'beltic;revoke'= {
            cand --from 'Results of batch-issue (NDJSON, JSON or CSV), ids or tokens one a line, or a CSV with a column credential_id, id, signed_payload, correlation_id or subject_id; `-`: standard input'
            cand --run 'All credentials of this run: its id or its idempotency key'
            cand --subject 'All credentials of this subject id; may be given again'
            cand --correlation-id 'All credentials of this correlation id; may be given again'
            cand --issuer 'All credentials of this issuer'
            cand --kid 'All credentials signed with the key of this id'
            cand --vct 'All credentials of this type, by its URI'
            cand --type 'All credentials of this credential type'
            cand --output-format 'The form of the results [default: by the file''s extension, else text on a terminal, ndjson in a pipe]'
            cand -o 'Write the output to this file, which appears when it is complete [default: standard output]'
            cand --out 'Write the output to this file, which appears when it is complete [default: standard output]'
            cand --ledger 'The ledger [default: .beltic/ledger.db]'
            cand --reason 'Why: key_rotation, compromised, policy_change, user_request, error, or a text of your own (nothing personal)'
            cand --config 'Read settings from this file instead of looking for .beltic.yaml'
            cand --types 'Read types of your own from this file, or from the files of this folder'
            cand --color 'Colour messages and text results'
            cand --delegated 'With --subject: also the agent authorizations that these subjects delegated'
            cand -y 'Do not ask before changing more than 10 credentials'
            cand --yes 'Do not ask before changing more than 10 credentials'
            cand --dry-run 'Say what would be changed; change nothing'
            cand --force 'Overwrite the file that --out names, if it exists'
            cand -q 'Print errors only: no warnings, progress or closing line'
            cand --quiet 'Print errors only: no warnings, progress or closing line'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'beltic;suspend'= {
            cand --from 'Results of batch-issue (NDJSON, JSON or CSV), ids or tokens one a line, or a CSV with a column credential_id, id, signed_payload, correlation_id or subject_id; `-`: standard input'
            cand --run 'All credentials of this run: its id or its idempotency key'
            cand --subject 'All credentials of this subject id; may be given again'
            cand --correlation-id 'All credentials of this correlation id; may be given again'
            cand --issuer 'All credentials of this issuer'
            cand --kid 'All credentials signed with the key of this id'
            cand --vct 'All credentials of this type, by its URI'
            cand --type 'All credentials of this credential type'
            cand --output-format 'The form of the results [default: by the file''s extension, else text on a terminal, ndjson in a pipe]'
            cand -o 'Write the output to this file, which appears when it is complete [default: standard output]'
            cand --out 'Write the output to this file, which appears when it is complete [default: standard output]'
            cand --ledger 'The ledger [default: .beltic/ledger.db]'
            cand --reason 'Why: key_rotation, compromised, policy_change, user_request, error, or a text of your own (nothing personal)'
            cand --config 'Read settings from this file instead of looking for .beltic.yaml'
            cand --types 'Read types of your own from this file, or from the files of this folder'
            cand --color 'Colour messages and text results'
            cand --delegated 'With --subject: also the agent authorizations that these subjects delegated'
            cand -y 'Do not ask before changing more than 10 credentials'
            cand --yes 'Do not ask before changing more than 10 credentials'
            cand --dry-run 'Say what would be changed; change nothing'
            cand --force 'Overwrite the file that --out names, if it exists'
            cand -q 'Print errors only: no warnings, progress or closing line'
            cand --quiet 'Print errors only: no warnings, progress or closing line'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'beltic;reinstate'= {
            cand --from 'Results of batch-issue (NDJSON, JSON or CSV), ids or tokens one a line, or a CSV with a column credential_id, id, signed_payload, correlation_id or subject_id; `-`: standard input'
            cand --run 'All credentials of this run: its id or its idempotency key'
            cand --subject 'All credentials of this subject id; may be given again'
            cand --correlation-id 'All credentials of this correlation id; may be given again'
            cand --issuer 'All credentials of this issuer'
            cand --kid 'All credentials signed with the key of this id'
            cand --vct 'All credentials of this type, by its URI'
            cand --type 'All credentials of this credential type'
            cand --output-format 'The form of the results [default: by the file''s extension, else text on a terminal, ndjson in a pipe]'
            cand -o 'Write the output to this file, which appears when it is complete [default: standard output]'
            cand --out 'Write the output to this file, which appears when it is complete [default: standard output]'
            cand --ledger 'The ledger [default: .beltic/ledger.db]'
            cand --reason 'Why: key_rotation, compromised, policy_change, user_request, error, or a text of your own (nothing personal)'
            cand --config 'Read settings from this file instead of looking for .beltic.yaml'
            cand --types 'Read types of your own from this file, or from the files of this folder'
            cand --color 'Colour messages and text results'
            cand --delegated 'With --subject: also the agent authorizations that these subjects delegated'
            cand -y 'Do not ask before changing more than 10 credentials'
            cand --yes 'Do not ask before changing more than 10 credentials'
            cand --dry-run 'Say what would be changed; change nothing'
            cand --force 'Overwrite the file that --out names, if it exists'
            cand -q 'Print errors only: no warnings, progress or closing line'
            cand --quiet 'Print errors only: no warnings, progress or closing line'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'beltic;publish'= {
            cand --out 'The site''s directory, the root of the issuer''s host; only what has changed is written'
            cand --previous 'Also compare revocations with this copy of a site published earlier'
            cand --new-type-version 'Cite this program''s own schema of a built-in type from now on, as a new version'
            cand --key 'The issuer''s private key [default: .beltic/issuer.pem]'
            cand --passphrase-file 'A file whose first line is the key''s passphrase [else BELTIC_KEY_PASSPHRASE, or a prompt]'
            cand --issuer 'did:web:…, did:key:…, did:jwk:… or an https:// URL [default: the key''s own did:key]'
            cand --x5c 'PEM certificates for the header of sd_jwt_vc and of token status lists, the key''s own first; a trust anchor is left out'
            cand --vct 'The credential type''s name [default: from the issuer]'
            cand --ledger 'The ledger [default: .beltic/ledger.db]'
            cand --config 'Read settings from this file instead of looking for .beltic.yaml'
            cand --types 'Read types of your own from this file, or from the files of this folder'
            cand --color 'Colour messages and text results'
            cand --check 'Write nothing; say what is missing, outdated or about to lapse'
            cand --accept-lost-revocations 'Publish although a restored ledger lost revocations; those already published stay revoked'
            cand -q 'Print errors only: no warnings, progress or closing line'
            cand --quiet 'Print errors only: no warnings, progress or closing line'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'beltic;list'= {
            cand --ledger 'The ledger [default: .beltic/ledger.db]'
            cand --status 'Of this status; one that has expired keeps its status'
            cand --run 'Issued by this run: its idempotency key, or its `run_id`'
            cand --subject 'Of the subject with this id; repeated: of any of them'
            cand --correlation-id 'Of the item with this correlation id; repeated: of any of them'
            cand --issuer 'Of this issuer'
            cand --kid 'Signed with the key of this id'
            cand --vct 'Of this type, by its URI'
            cand --type 'Of this credential type'
            cand --issued-after 'Issued at or after this time: RFC 3339, or a date for its start in UTC'
            cand --issued-before 'Issued before this time, not at it'
            cand --expires-after 'Expiring at or after this time'
            cand --expires-before 'Expiring before this time, not at it'
            cand --expiring-within 'Neither expired nor revoked, and expiring in this time from now on, such as P30D; exit code 3 when there are any'
            cand --limit 'At most so many rows'
            cand --after 'Go on after this row: its `cursor`, or with --events its `event`'
            cand --output-format 'The form of the rows [default: by the file''s extension, else text on a terminal, ndjson in a pipe]'
            cand -o 'Write the output to this file, which appears when it is complete [default: standard output]'
            cand --out 'Write the output to this file, which appears when it is complete [default: standard output]'
            cand --head 'A head that --verify told before; it must still be in the trail'
            cand --config 'Read settings from this file instead of looking for .beltic.yaml'
            cand --types 'Read types of your own from this file, or from the files of this folder'
            cand --color 'Colour messages and text results'
            cand --force 'Overwrite the file that --out names, if it exists'
            cand --events 'List what happened instead: the audit trail'
            cand --verify 'Check the whole trail: that no event was changed or removed'
            cand -q 'Print errors only: no warnings, progress or closing line'
            cand --quiet 'Print errors only: no warnings, progress or closing line'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'beltic;show'= {
            cand --ledger 'The ledger [default: .beltic/ledger.db]'
            cand --output-format 'The form of the output [default: by the file''s extension, else text on a terminal, json in a pipe]'
            cand -o 'Write the output to this file, which appears when it is complete [default: standard output]'
            cand --out 'Write the output to this file, which appears when it is complete [default: standard output]'
            cand --config 'Read settings from this file instead of looking for .beltic.yaml'
            cand --types 'Read types of your own from this file, or from the files of this folder'
            cand --color 'Colour messages and text results'
            cand --force 'Overwrite the file that --out names, if it exists'
            cand -q 'Print errors only: no warnings, progress or closing line'
            cand --quiet 'Print errors only: no warnings, progress or closing line'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'beltic;ledger'= {
            cand --config 'Read settings from this file instead of looking for .beltic.yaml'
            cand --types 'Read types of your own from this file, or from the files of this folder'
            cand --color 'Colour messages and text results'
            cand -q 'Print errors only: no warnings, progress or closing line'
            cand --quiet 'Print errors only: no warnings, progress or closing line'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand check 'Check that the file is intact and that no index, id or item occurs twice'
            cand backup 'Write a consistent copy of the ledger, also while others issue'
            cand close-lists 'Close the open status lists, so that new credentials go into new ones: after every restore'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'beltic;ledger;check'= {
            cand --ledger 'The ledger [default: .beltic/ledger.db]'
            cand --config 'Read settings from this file instead of looking for .beltic.yaml'
            cand --types 'Read types of your own from this file, or from the files of this folder'
            cand --color 'Colour messages and text results'
            cand -q 'Print errors only: no warnings, progress or closing line'
            cand --quiet 'Print errors only: no warnings, progress or closing line'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'beltic;ledger;backup'= {
            cand --ledger 'The ledger [default: .beltic/ledger.db]'
            cand --config 'Read settings from this file instead of looking for .beltic.yaml'
            cand --types 'Read types of your own from this file, or from the files of this folder'
            cand --color 'Colour messages and text results'
            cand --force 'Overwrite the file if it exists'
            cand -q 'Print errors only: no warnings, progress or closing line'
            cand --quiet 'Print errors only: no warnings, progress or closing line'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'beltic;ledger;close-lists'= {
            cand --ledger 'The ledger [default: .beltic/ledger.db]'
            cand --config 'Read settings from this file instead of looking for .beltic.yaml'
            cand --types 'Read types of your own from this file, or from the files of this folder'
            cand --color 'Colour messages and text results'
            cand -q 'Print errors only: no warnings, progress or closing line'
            cand --quiet 'Print errors only: no warnings, progress or closing line'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'beltic;ledger;help'= {
            cand check 'Check that the file is intact and that no index, id or item occurs twice'
            cand backup 'Write a consistent copy of the ledger, also while others issue'
            cand close-lists 'Close the open status lists, so that new credentials go into new ones: after every restore'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'beltic;ledger;help;check'= {
        }
        &'beltic;ledger;help;backup'= {
        }
        &'beltic;ledger;help;close-lists'= {
        }
        &'beltic;ledger;help;help'= {
        }
        &'beltic;schema'= {
            cand --vct 'Print the SD-JWT type metadata document instead, for this type [default: the credentials'' own]'
            cand --issuer 'The issuer, from which the type''s name is made'
            cand --type 'The credential type of items that name none [default: business]'
            cand -o 'Write the output to this file, which appears when it is complete [default: standard output]'
            cand --out 'Write the output to this file, which appears when it is complete [default: standard output]'
            cand --config 'Read settings from this file instead of looking for .beltic.yaml'
            cand --types 'Read types of your own from this file, or from the files of this folder'
            cand --color 'Colour messages and text results'
            cand --force 'Overwrite the file that --out names, if it exists'
            cand -q 'Print errors only: no warnings, progress or closing line'
            cand --quiet 'Print errors only: no warnings, progress or closing line'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'beltic;template'= {
            cand --map 'Print settings that map the header of this CSV file instead, with the best guess for each column'
            cand --delimiter 'With --map: what separates CSV cells, one character or `tab` [default: found in the header]'
            cand --encoding 'With --map: the encoding of the file, such as windows-1252 [default: UTF-8, or UTF-16 by its BOM]'
            cand --type 'The credential type of items that name none [default: business]'
            cand --elements 'For how many elements of each list there is room'
            cand -o 'Write the output to this file, which appears when it is complete [default: standard output]'
            cand --out 'Write the output to this file, which appears when it is complete [default: standard output]'
            cand --config 'Read settings from this file instead of looking for .beltic.yaml'
            cand --types 'Read types of your own from this file, or from the files of this folder'
            cand --color 'Colour messages and text results'
            cand --force 'Overwrite the file that --out names, if it exists'
            cand -q 'Print errors only: no warnings, progress or closing line'
            cand --quiet 'Print errors only: no warnings, progress or closing line'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'beltic;types'= {
            cand --config 'Read settings from this file instead of looking for .beltic.yaml'
            cand --types 'Read types of your own from this file, or from the files of this folder'
            cand --color 'Colour messages and text results'
            cand -q 'Print errors only: no warnings, progress or closing line'
            cand --quiet 'Print errors only: no warnings, progress or closing line'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand show 'Print the fields, CSV columns and disclosure policy of a type'
            cand check 'Check the file of a type of your own'
            cand new 'Write the file of a type of your own, to be filled in'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'beltic;types;show'= {
            cand -o 'Write the output to this file, which appears when it is complete [default: standard output]'
            cand --out 'Write the output to this file, which appears when it is complete [default: standard output]'
            cand --config 'Read settings from this file instead of looking for .beltic.yaml'
            cand --types 'Read types of your own from this file, or from the files of this folder'
            cand --color 'Colour messages and text results'
            cand --force 'Overwrite the file that --out names, if it exists'
            cand -q 'Print errors only: no warnings, progress or closing line'
            cand --quiet 'Print errors only: no warnings, progress or closing line'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'beltic;types;check'= {
            cand --config 'Read settings from this file instead of looking for .beltic.yaml'
            cand --types 'Read types of your own from this file, or from the files of this folder'
            cand --color 'Colour messages and text results'
            cand -q 'Print errors only: no warnings, progress or closing line'
            cand --quiet 'Print errors only: no warnings, progress or closing line'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'beltic;types;new'= {
            cand -o 'Write the output to this file, which appears when it is complete [default: standard output]'
            cand --out 'Write the output to this file, which appears when it is complete [default: standard output]'
            cand --config 'Read settings from this file instead of looking for .beltic.yaml'
            cand --types 'Read types of your own from this file, or from the files of this folder'
            cand --color 'Colour messages and text results'
            cand --force 'Overwrite the file that --out names, if it exists'
            cand -q 'Print errors only: no warnings, progress or closing line'
            cand --quiet 'Print errors only: no warnings, progress or closing line'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'beltic;types;help'= {
            cand show 'Print the fields, CSV columns and disclosure policy of a type'
            cand check 'Check the file of a type of your own'
            cand new 'Write the file of a type of your own, to be filled in'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'beltic;types;help;show'= {
        }
        &'beltic;types;help;check'= {
        }
        &'beltic;types;help;new'= {
        }
        &'beltic;types;help;help'= {
        }
        &'beltic;bench'= {
            cand --items 'How many credentials a round issues'
            cand --rounds 'How many rounds; the median counts'
            cand --passphrase-file 'A file whose first line is the key''s passphrase [else BELTIC_KEY_PASSPHRASE, or a prompt]'
            cand -j 'How many workers there are, at most 1,024 [default: all cores]'
            cand --jobs 'How many workers there are, at most 1,024 [default: all cores]'
            cand --key 'The key that signs [default: .beltic/issuer.pem, else a new key]'
            cand --config 'Read settings from this file instead of looking for .beltic.yaml'
            cand --types 'Read types of your own from this file, or from the files of this folder'
            cand --color 'Colour messages and text results'
            cand -q 'Print errors only: no warnings, progress or closing line'
            cand --quiet 'Print errors only: no warnings, progress or closing line'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'beltic;completions'= {
            cand --man 'Write man pages into this directory instead, one for each command; those that are there are replaced'
            cand --config 'Read settings from this file instead of looking for .beltic.yaml'
            cand --types 'Read types of your own from this file, or from the files of this folder'
            cand --color 'Colour messages and text results'
            cand -q 'Print errors only: no warnings, progress or closing line'
            cand --quiet 'Print errors only: no warnings, progress or closing line'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'beltic;help'= {
            cand batch-issue 'Issue a signed credential for each item of the batch files'
            cand keygen 'Make a P-256 issuer key'
            cand verify 'Check credentials, offline and in bulk'
            cand inspect 'Decode a credential, status list or key for reading, without judging it'
            cand present 'Keep some disclosures of an SD-JWT and drop the others'
            cand revoke 'Permanently revoke credentials'
            cand suspend 'Suspend credentials, until they are reinstated'
            cand reinstate 'End the suspension of credentials'
            cand publish 'Write the static site that verifiers fetch: keys, DID document, status lists'
            cand list 'List issued credentials, or the audit log'
            cand show 'Show one credential and its history'
            cand ledger 'Look the ledger over'
            cand schema 'Print the JSON Schema of an item, or a credential type''s metadata'
            cand template 'Print a batch file to fill in'
            cand types 'List credential types, or show what one holds'
            cand bench 'Measure how fast this machine issues'
            cand completions 'Print completions for a shell, or write man pages'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'beltic;help;batch-issue'= {
        }
        &'beltic;help;keygen'= {
        }
        &'beltic;help;verify'= {
        }
        &'beltic;help;inspect'= {
        }
        &'beltic;help;present'= {
        }
        &'beltic;help;revoke'= {
        }
        &'beltic;help;suspend'= {
        }
        &'beltic;help;reinstate'= {
        }
        &'beltic;help;publish'= {
        }
        &'beltic;help;list'= {
        }
        &'beltic;help;show'= {
        }
        &'beltic;help;ledger'= {
            cand check 'Check that the file is intact and that no index, id or item occurs twice'
            cand backup 'Write a consistent copy of the ledger, also while others issue'
            cand close-lists 'Close the open status lists, so that new credentials go into new ones: after every restore'
        }
        &'beltic;help;ledger;check'= {
        }
        &'beltic;help;ledger;backup'= {
        }
        &'beltic;help;ledger;close-lists'= {
        }
        &'beltic;help;schema'= {
        }
        &'beltic;help;template'= {
        }
        &'beltic;help;types'= {
            cand show 'Print the fields, CSV columns and disclosure policy of a type'
            cand check 'Check the file of a type of your own'
            cand new 'Write the file of a type of your own, to be filled in'
        }
        &'beltic;help;types;show'= {
        }
        &'beltic;help;types;check'= {
        }
        &'beltic;help;types;new'= {
        }
        &'beltic;help;bench'= {
        }
        &'beltic;help;completions'= {
        }
        &'beltic;help;help'= {
        }
    ]
    $completions[$command]
}
