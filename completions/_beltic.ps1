
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'beltic' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'beltic'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'beltic' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read settings from this file instead of looking for .beltic.yaml')
            [CompletionResult]::new('--types', '--types', [CompletionResultType]::ParameterName, 'Read types of your own from this file, or from the files of this folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour messages and text results')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('batch-issue', 'batch-issue', [CompletionResultType]::ParameterValue, 'Issue a signed credential for each item of the batch files')
            [CompletionResult]::new('keygen', 'keygen', [CompletionResultType]::ParameterValue, 'Make a P-256 issuer key')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Check credentials, offline and in bulk')
            [CompletionResult]::new('inspect', 'inspect', [CompletionResultType]::ParameterValue, 'Decode a credential, status list or key for reading, without judging it')
            [CompletionResult]::new('present', 'present', [CompletionResultType]::ParameterValue, 'Keep some disclosures of an SD-JWT and drop the others')
            [CompletionResult]::new('revoke', 'revoke', [CompletionResultType]::ParameterValue, 'Permanently revoke credentials')
            [CompletionResult]::new('suspend', 'suspend', [CompletionResultType]::ParameterValue, 'Suspend credentials, until they are reinstated')
            [CompletionResult]::new('reinstate', 'reinstate', [CompletionResultType]::ParameterValue, 'End the suspension of credentials')
            [CompletionResult]::new('publish', 'publish', [CompletionResultType]::ParameterValue, 'Write the static site that verifiers fetch: keys, DID document, status lists')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List issued credentials, or the audit log')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show one credential and its history')
            [CompletionResult]::new('ledger', 'ledger', [CompletionResultType]::ParameterValue, 'Look the ledger over')
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Print the JSON Schema of an item, or a credential type''s metadata')
            [CompletionResult]::new('template', 'template', [CompletionResultType]::ParameterValue, 'Print a batch file to fill in')
            [CompletionResult]::new('types', 'types', [CompletionResultType]::ParameterValue, 'List credential types, or show what one holds')
            [CompletionResult]::new('bench', 'bench', [CompletionResultType]::ParameterValue, 'Measure how fast this machine issues')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print completions for a shell, or write man pages')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'beltic;batch-issue' {
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'The issuer''s private key [default: .beltic/issuer.pem]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'A file whose first line is the key''s passphrase [else BELTIC_KEY_PASSPHRASE, or a prompt]')
            [CompletionResult]::new('--issuer', '--issuer', [CompletionResultType]::ParameterName, 'did:web:…, did:key:…, did:jwk:… or an https:// URL [default: the key''s own did:key]')
            [CompletionResult]::new('--x5c', '--x5c', [CompletionResultType]::ParameterName, 'PEM certificates for the header of sd_jwt_vc and of token status lists, the key''s own first; a trust anchor is left out')
            [CompletionResult]::new('--vct', '--vct', [CompletionResultType]::ParameterName, 'The credential type''s name [default: from the issuer]')
            [CompletionResult]::new('--developer-id', '--developer-id', [CompletionResultType]::ParameterName, 'Your id at the API, echoed in results')
            [CompletionResult]::new('--input-format', '--input-format', [CompletionResultType]::ParameterName, 'The form of the batch files [default: by extension, else by content]')
            [CompletionResult]::new('--delimiter', '--delimiter', [CompletionResultType]::ParameterName, 'What separates CSV cells: one character, or `tab` [default: found in the header]')
            [CompletionResult]::new('--encoding', '--encoding', [CompletionResultType]::ParameterName, 'The encoding of the batch files, such as windows-1252 [default: UTF-8, or UTF-16 by its BOM]')
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'Give this CSV column to every row, in place of csv.constants; may be given again')
            [CompletionResult]::new('--max-item-bytes', '--max-item-bytes', [CompletionResultType]::ParameterName, 'The longest item, in bytes')
            [CompletionResult]::new('--type', '--type', [CompletionResultType]::ParameterName, 'The credential type of items that name none [default: business]')
            [CompletionResult]::new('--proof-format', '--proof-format', [CompletionResultType]::ParameterName, 'The form of the credentials [default: jwt_vc]')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'The life of credentials whose item has no ttl, an ISO 8601 duration [default: P1Y]')
            [CompletionResult]::new('--issued-at', '--issued-at', [CompletionResultType]::ParameterName, 'Issue as of this time (RFC 3339), for tests and backdated runs [default: now]')
            [CompletionResult]::new('--output-format', '--output-format', [CompletionResultType]::ParameterName, 'The form of the results [default: by the file''s extension, else text on a terminal, ndjson in a pipe]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the results to this file, which appears when they are complete [default: standard output]')
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Write the results to this file, which appears when they are complete [default: standard output]')
            [CompletionResult]::new('--failed', '--failed', [CompletionResultType]::ParameterName, 'Write the failed items to this file, in their original format, so they can be fixed and re-submitted')
            [CompletionResult]::new('--summary', '--summary', [CompletionResultType]::ParameterName, 'Write a JSON summary of the run to this file')
            [CompletionResult]::new('--idempotency-key', '--idempotency-key', [CompletionResultType]::ParameterName, 'Issue each item once, however often the run is repeated under this key, such as the name of the batch')
            [CompletionResult]::new('--max-failures', '--max-failures', [CompletionResultType]::ParameterName, 'Stop once more than N items, or N% of the items so far, have failed')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'How many workers there are, at most 1,024 [default: all cores]')
            [CompletionResult]::new('--jobs', '--jobs', [CompletionResultType]::ParameterName, 'How many workers there are, at most 1,024 [default: all cores]')
            [CompletionResult]::new('--ledger', '--ledger', [CompletionResultType]::ParameterName, 'Where ids and status-list indices are recorded; `none` keeps no state [default: .beltic/ledger.db]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read settings from this file instead of looking for .beltic.yaml')
            [CompletionResult]::new('--types', '--types', [CompletionResultType]::ParameterName, 'Read types of your own from this file, or from the files of this folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour messages and text results')
            [CompletionResult]::new('--allow-unknown', '--allow-unknown', [CompletionResultType]::ParameterName, 'Carry unknown fields of subject and claims through instead of failing the item')
            [CompletionResult]::new('--api-limits', '--api-limits', [CompletionResultType]::ParameterName, 'Refuse more than 1,000 items, as the API does')
            [CompletionResult]::new('--verify', '--verify', [CompletionResultType]::ParameterName, 'Verify each credential by a second implementation before its result is written')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite the files that --out, --failed and --summary name, if they exist')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no progress bar')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Check everything and say what would be issued; write nothing, take no index')
            [CompletionResult]::new('--accept-failures', '--accept-failures', [CompletionResultType]::ParameterName, 'Exit with 0, not 3, where items failed but nothing else went wrong; for engines that retry on any other code')
            [CompletionResult]::new('--allow-empty', '--allow-empty', [CompletionResultType]::ParameterName, 'Accept an input without items: the results are empty, and the exit code is 0, not 4')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'beltic;keygen' {
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Where the private key goes; the public JWK goes beside it, ending in .pub.jwk [default: .beltic/issuer.pem]')
            [CompletionResult]::new('--issuer', '--issuer', [CompletionResultType]::ParameterName, 'The issuer, from which the key''s kid is made [default: the key''s own did:key]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'A file whose first line is the passphrase of the key that is there [else BELTIC_KEY_PASSPHRASE, or a prompt]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read settings from this file instead of looking for .beltic.yaml')
            [CompletionResult]::new('--types', '--types', [CompletionResultType]::ParameterName, 'Read types of your own from this file, or from the files of this folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour messages and text results')
            [CompletionResult]::new('--if-missing', '--if-missing', [CompletionResultType]::ParameterName, 'Keep a key that is there, and succeed')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'beltic;verify' {
            [CompletionResult]::new('--jwks', '--jwks', [CompletionResultType]::ParameterName, 'Trust the keys of this JWK Set; repeatable')
            [CompletionResult]::new('--did', '--did', [CompletionResultType]::ParameterName, 'Trust the assertion methods of this DID document; repeatable')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Trust this public key, PEM or JWK; repeatable')
            [CompletionResult]::new('--site', '--site', [CompletionResultType]::ParameterName, 'Take keys and status lists from a folder that `publish` wrote')
            [CompletionResult]::new('--issuer', '--issuer', [CompletionResultType]::ParameterName, 'Accept credentials of this issuer only; a did:key or did:jwk brings its key along')
            [CompletionResult]::new('--status-list', '--status-list', [CompletionResultType]::ParameterName, 'Look statuses up in this signed list, or in every *.jwt of this folder; repeatable')
            [CompletionResult]::new('--vct', '--vct', [CompletionResultType]::ParameterName, 'Accept credentials of this type only, by its URI')
            [CompletionResult]::new('--type', '--type', [CompletionResultType]::ParameterName, 'Accept credentials of this credential type only; with --vct, those are held to be of it')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Accept credentials for this audience; without it, those that name one are refused')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Verify as of this time (RFC 3339) [default: now]')
            [CompletionResult]::new('--leeway', '--leeway', [CompletionResultType]::ParameterName, 'By how many seconds clocks may differ')
            [CompletionResult]::new('--max-ttl', '--max-ttl', [CompletionResultType]::ParameterName, 'Refuse credentials that live for longer than this ISO 8601 duration')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Accept authorizations that allow this: a JSON file, or pairs such as resource_type=wallet,action=checkout,amount=5000')
            [CompletionResult]::new('--chain', '--chain', [CompletionResultType]::ParameterName, 'Accept delegated authorizations if a valid credential in this file is about who delegated; repeatable')
            [CompletionResult]::new('--output-format', '--output-format', [CompletionResultType]::ParameterName, 'The form of the verdicts [default: by the file''s extension, else text on a terminal, ndjson in a pipe]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the output to this file, which appears when it is complete [default: standard output]')
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Write the output to this file, which appears when it is complete [default: standard output]')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'How many workers there are, at most 1,024 [default: all cores]')
            [CompletionResult]::new('--jobs', '--jobs', [CompletionResultType]::ParameterName, 'How many workers there are, at most 1,024 [default: all cores]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read settings from this file instead of looking for .beltic.yaml')
            [CompletionResult]::new('--types', '--types', [CompletionResultType]::ParameterName, 'Read types of your own from this file, or from the files of this folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour messages and text results')
            [CompletionResult]::new('--no-status', '--no-status', [CompletionResultType]::ParameterName, 'Do not look at statuses')
            [CompletionResult]::new('--legacy-vc', '--legacy-vc', [CompletionResultType]::ParameterName, 'Accept JWTs with a `vc` claim (VC Data Model 1.1), too')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite the file that --out names, if it exists')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'beltic;inspect' {
            [CompletionResult]::new('--output-format', '--output-format', [CompletionResultType]::ParameterName, 'The form of the output [default: by the file''s extension, else text on a terminal, json in a pipe]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the output to this file, which appears when it is complete [default: standard output]')
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Write the output to this file, which appears when it is complete [default: standard output]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read settings from this file instead of looking for .beltic.yaml')
            [CompletionResult]::new('--types', '--types', [CompletionResultType]::ParameterName, 'Read types of your own from this file, or from the files of this folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour messages and text results')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite the file that --out names, if it exists')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'beltic;present' {
            [CompletionResult]::new('--disclose', '--disclose', [CompletionResultType]::ParameterName, 'Keep the disclosure of this claim, and those around it; a path, where `[]` stands for every element, or a JSON Pointer; repeatable')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the output to this file, which appears when it is complete [default: standard output]')
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Write the output to this file, which appears when it is complete [default: standard output]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read settings from this file instead of looking for .beltic.yaml')
            [CompletionResult]::new('--types', '--types', [CompletionResultType]::ParameterName, 'Read types of your own from this file, or from the files of this folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour messages and text results')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite the file that --out names, if it exists')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'beltic;revoke' {
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Results of batch-issue (NDJSON, JSON or CSV), ids or tokens one a line, or a CSV with a column credential_id, id, signed_payload, correlation_id or subject_id; `-`: standard input')
            [CompletionResult]::new('--run', '--run', [CompletionResultType]::ParameterName, 'All credentials of this run: its id or its idempotency key')
            [CompletionResult]::new('--subject', '--subject', [CompletionResultType]::ParameterName, 'All credentials of this subject id; may be given again')
            [CompletionResult]::new('--correlation-id', '--correlation-id', [CompletionResultType]::ParameterName, 'All credentials of this correlation id; may be given again')
            [CompletionResult]::new('--issuer', '--issuer', [CompletionResultType]::ParameterName, 'All credentials of this issuer')
            [CompletionResult]::new('--kid', '--kid', [CompletionResultType]::ParameterName, 'All credentials signed with the key of this id')
            [CompletionResult]::new('--vct', '--vct', [CompletionResultType]::ParameterName, 'All credentials of this type, by its URI')
            [CompletionResult]::new('--type', '--type', [CompletionResultType]::ParameterName, 'All credentials of this credential type')
            [CompletionResult]::new('--output-format', '--output-format', [CompletionResultType]::ParameterName, 'The form of the results [default: by the file''s extension, else text on a terminal, ndjson in a pipe]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the output to this file, which appears when it is complete [default: standard output]')
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Write the output to this file, which appears when it is complete [default: standard output]')
            [CompletionResult]::new('--ledger', '--ledger', [CompletionResultType]::ParameterName, 'The ledger [default: .beltic/ledger.db]')
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why: key_rotation, compromised, policy_change, user_request, error, or a text of your own (nothing personal)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read settings from this file instead of looking for .beltic.yaml')
            [CompletionResult]::new('--types', '--types', [CompletionResultType]::ParameterName, 'Read types of your own from this file, or from the files of this folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour messages and text results')
            [CompletionResult]::new('--delegated', '--delegated', [CompletionResultType]::ParameterName, 'With --subject: also the agent authorizations that these subjects delegated')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before changing more than 10 credentials')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before changing more than 10 credentials')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Say what would be changed; change nothing')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite the file that --out names, if it exists')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'beltic;suspend' {
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Results of batch-issue (NDJSON, JSON or CSV), ids or tokens one a line, or a CSV with a column credential_id, id, signed_payload, correlation_id or subject_id; `-`: standard input')
            [CompletionResult]::new('--run', '--run', [CompletionResultType]::ParameterName, 'All credentials of this run: its id or its idempotency key')
            [CompletionResult]::new('--subject', '--subject', [CompletionResultType]::ParameterName, 'All credentials of this subject id; may be given again')
            [CompletionResult]::new('--correlation-id', '--correlation-id', [CompletionResultType]::ParameterName, 'All credentials of this correlation id; may be given again')
            [CompletionResult]::new('--issuer', '--issuer', [CompletionResultType]::ParameterName, 'All credentials of this issuer')
            [CompletionResult]::new('--kid', '--kid', [CompletionResultType]::ParameterName, 'All credentials signed with the key of this id')
            [CompletionResult]::new('--vct', '--vct', [CompletionResultType]::ParameterName, 'All credentials of this type, by its URI')
            [CompletionResult]::new('--type', '--type', [CompletionResultType]::ParameterName, 'All credentials of this credential type')
            [CompletionResult]::new('--output-format', '--output-format', [CompletionResultType]::ParameterName, 'The form of the results [default: by the file''s extension, else text on a terminal, ndjson in a pipe]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the output to this file, which appears when it is complete [default: standard output]')
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Write the output to this file, which appears when it is complete [default: standard output]')
            [CompletionResult]::new('--ledger', '--ledger', [CompletionResultType]::ParameterName, 'The ledger [default: .beltic/ledger.db]')
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why: key_rotation, compromised, policy_change, user_request, error, or a text of your own (nothing personal)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read settings from this file instead of looking for .beltic.yaml')
            [CompletionResult]::new('--types', '--types', [CompletionResultType]::ParameterName, 'Read types of your own from this file, or from the files of this folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour messages and text results')
            [CompletionResult]::new('--delegated', '--delegated', [CompletionResultType]::ParameterName, 'With --subject: also the agent authorizations that these subjects delegated')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before changing more than 10 credentials')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before changing more than 10 credentials')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Say what would be changed; change nothing')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite the file that --out names, if it exists')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'beltic;reinstate' {
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Results of batch-issue (NDJSON, JSON or CSV), ids or tokens one a line, or a CSV with a column credential_id, id, signed_payload, correlation_id or subject_id; `-`: standard input')
            [CompletionResult]::new('--run', '--run', [CompletionResultType]::ParameterName, 'All credentials of this run: its id or its idempotency key')
            [CompletionResult]::new('--subject', '--subject', [CompletionResultType]::ParameterName, 'All credentials of this subject id; may be given again')
            [CompletionResult]::new('--correlation-id', '--correlation-id', [CompletionResultType]::ParameterName, 'All credentials of this correlation id; may be given again')
            [CompletionResult]::new('--issuer', '--issuer', [CompletionResultType]::ParameterName, 'All credentials of this issuer')
            [CompletionResult]::new('--kid', '--kid', [CompletionResultType]::ParameterName, 'All credentials signed with the key of this id')
            [CompletionResult]::new('--vct', '--vct', [CompletionResultType]::ParameterName, 'All credentials of this type, by its URI')
            [CompletionResult]::new('--type', '--type', [CompletionResultType]::ParameterName, 'All credentials of this credential type')
            [CompletionResult]::new('--output-format', '--output-format', [CompletionResultType]::ParameterName, 'The form of the results [default: by the file''s extension, else text on a terminal, ndjson in a pipe]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the output to this file, which appears when it is complete [default: standard output]')
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Write the output to this file, which appears when it is complete [default: standard output]')
            [CompletionResult]::new('--ledger', '--ledger', [CompletionResultType]::ParameterName, 'The ledger [default: .beltic/ledger.db]')
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why: key_rotation, compromised, policy_change, user_request, error, or a text of your own (nothing personal)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read settings from this file instead of looking for .beltic.yaml')
            [CompletionResult]::new('--types', '--types', [CompletionResultType]::ParameterName, 'Read types of your own from this file, or from the files of this folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour messages and text results')
            [CompletionResult]::new('--delegated', '--delegated', [CompletionResultType]::ParameterName, 'With --subject: also the agent authorizations that these subjects delegated')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before changing more than 10 credentials')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before changing more than 10 credentials')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Say what would be changed; change nothing')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite the file that --out names, if it exists')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'beltic;publish' {
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'The site''s directory, the root of the issuer''s host; only what has changed is written')
            [CompletionResult]::new('--previous', '--previous', [CompletionResultType]::ParameterName, 'Also compare revocations with this copy of a site published earlier')
            [CompletionResult]::new('--new-type-version', '--new-type-version', [CompletionResultType]::ParameterName, 'Cite this program''s own schema of a built-in type from now on, as a new version')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'The issuer''s private key [default: .beltic/issuer.pem]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'A file whose first line is the key''s passphrase [else BELTIC_KEY_PASSPHRASE, or a prompt]')
            [CompletionResult]::new('--issuer', '--issuer', [CompletionResultType]::ParameterName, 'did:web:…, did:key:…, did:jwk:… or an https:// URL [default: the key''s own did:key]')
            [CompletionResult]::new('--x5c', '--x5c', [CompletionResultType]::ParameterName, 'PEM certificates for the header of sd_jwt_vc and of token status lists, the key''s own first; a trust anchor is left out')
            [CompletionResult]::new('--vct', '--vct', [CompletionResultType]::ParameterName, 'The credential type''s name [default: from the issuer]')
            [CompletionResult]::new('--ledger', '--ledger', [CompletionResultType]::ParameterName, 'The ledger [default: .beltic/ledger.db]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read settings from this file instead of looking for .beltic.yaml')
            [CompletionResult]::new('--types', '--types', [CompletionResultType]::ParameterName, 'Read types of your own from this file, or from the files of this folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour messages and text results')
            [CompletionResult]::new('--check', '--check', [CompletionResultType]::ParameterName, 'Write nothing; say what is missing, outdated or about to lapse')
            [CompletionResult]::new('--accept-lost-revocations', '--accept-lost-revocations', [CompletionResultType]::ParameterName, 'Publish although a restored ledger lost revocations; those already published stay revoked')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'beltic;list' {
            [CompletionResult]::new('--ledger', '--ledger', [CompletionResultType]::ParameterName, 'The ledger [default: .beltic/ledger.db]')
            [CompletionResult]::new('--status', '--status', [CompletionResultType]::ParameterName, 'Of this status; one that has expired keeps its status')
            [CompletionResult]::new('--run', '--run', [CompletionResultType]::ParameterName, 'Issued by this run: its idempotency key, or its `run_id`')
            [CompletionResult]::new('--subject', '--subject', [CompletionResultType]::ParameterName, 'Of the subject with this id; repeated: of any of them')
            [CompletionResult]::new('--correlation-id', '--correlation-id', [CompletionResultType]::ParameterName, 'Of the item with this correlation id; repeated: of any of them')
            [CompletionResult]::new('--issuer', '--issuer', [CompletionResultType]::ParameterName, 'Of this issuer')
            [CompletionResult]::new('--kid', '--kid', [CompletionResultType]::ParameterName, 'Signed with the key of this id')
            [CompletionResult]::new('--vct', '--vct', [CompletionResultType]::ParameterName, 'Of this type, by its URI')
            [CompletionResult]::new('--type', '--type', [CompletionResultType]::ParameterName, 'Of this credential type')
            [CompletionResult]::new('--issued-after', '--issued-after', [CompletionResultType]::ParameterName, 'Issued at or after this time: RFC 3339, or a date for its start in UTC')
            [CompletionResult]::new('--issued-before', '--issued-before', [CompletionResultType]::ParameterName, 'Issued before this time, not at it')
            [CompletionResult]::new('--expires-after', '--expires-after', [CompletionResultType]::ParameterName, 'Expiring at or after this time')
            [CompletionResult]::new('--expires-before', '--expires-before', [CompletionResultType]::ParameterName, 'Expiring before this time, not at it')
            [CompletionResult]::new('--expiring-within', '--expiring-within', [CompletionResultType]::ParameterName, 'Neither expired nor revoked, and expiring in this time from now on, such as P30D; exit code 3 when there are any')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'At most so many rows')
            [CompletionResult]::new('--after', '--after', [CompletionResultType]::ParameterName, 'Go on after this row: its `cursor`, or with --events its `event`')
            [CompletionResult]::new('--output-format', '--output-format', [CompletionResultType]::ParameterName, 'The form of the rows [default: by the file''s extension, else text on a terminal, ndjson in a pipe]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the output to this file, which appears when it is complete [default: standard output]')
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Write the output to this file, which appears when it is complete [default: standard output]')
            [CompletionResult]::new('--head', '--head', [CompletionResultType]::ParameterName, 'A head that --verify told before; it must still be in the trail')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read settings from this file instead of looking for .beltic.yaml')
            [CompletionResult]::new('--types', '--types', [CompletionResultType]::ParameterName, 'Read types of your own from this file, or from the files of this folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour messages and text results')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite the file that --out names, if it exists')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'List what happened instead: the audit trail')
            [CompletionResult]::new('--verify', '--verify', [CompletionResultType]::ParameterName, 'Check the whole trail: that no event was changed or removed')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'beltic;show' {
            [CompletionResult]::new('--ledger', '--ledger', [CompletionResultType]::ParameterName, 'The ledger [default: .beltic/ledger.db]')
            [CompletionResult]::new('--output-format', '--output-format', [CompletionResultType]::ParameterName, 'The form of the output [default: by the file''s extension, else text on a terminal, json in a pipe]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the output to this file, which appears when it is complete [default: standard output]')
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Write the output to this file, which appears when it is complete [default: standard output]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read settings from this file instead of looking for .beltic.yaml')
            [CompletionResult]::new('--types', '--types', [CompletionResultType]::ParameterName, 'Read types of your own from this file, or from the files of this folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour messages and text results')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite the file that --out names, if it exists')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'beltic;ledger' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read settings from this file instead of looking for .beltic.yaml')
            [CompletionResult]::new('--types', '--types', [CompletionResultType]::ParameterName, 'Read types of your own from this file, or from the files of this folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour messages and text results')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Check that the file is intact and that no index, id or item occurs twice')
            [CompletionResult]::new('backup', 'backup', [CompletionResultType]::ParameterValue, 'Write a consistent copy of the ledger, also while others issue')
            [CompletionResult]::new('close-lists', 'close-lists', [CompletionResultType]::ParameterValue, 'Close the open status lists, so that new credentials go into new ones: after every restore')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'beltic;ledger;check' {
            [CompletionResult]::new('--ledger', '--ledger', [CompletionResultType]::ParameterName, 'The ledger [default: .beltic/ledger.db]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read settings from this file instead of looking for .beltic.yaml')
            [CompletionResult]::new('--types', '--types', [CompletionResultType]::ParameterName, 'Read types of your own from this file, or from the files of this folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour messages and text results')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'beltic;ledger;backup' {
            [CompletionResult]::new('--ledger', '--ledger', [CompletionResultType]::ParameterName, 'The ledger [default: .beltic/ledger.db]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read settings from this file instead of looking for .beltic.yaml')
            [CompletionResult]::new('--types', '--types', [CompletionResultType]::ParameterName, 'Read types of your own from this file, or from the files of this folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour messages and text results')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite the file if it exists')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'beltic;ledger;close-lists' {
            [CompletionResult]::new('--ledger', '--ledger', [CompletionResultType]::ParameterName, 'The ledger [default: .beltic/ledger.db]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read settings from this file instead of looking for .beltic.yaml')
            [CompletionResult]::new('--types', '--types', [CompletionResultType]::ParameterName, 'Read types of your own from this file, or from the files of this folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour messages and text results')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'beltic;ledger;help' {
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Check that the file is intact and that no index, id or item occurs twice')
            [CompletionResult]::new('backup', 'backup', [CompletionResultType]::ParameterValue, 'Write a consistent copy of the ledger, also while others issue')
            [CompletionResult]::new('close-lists', 'close-lists', [CompletionResultType]::ParameterValue, 'Close the open status lists, so that new credentials go into new ones: after every restore')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'beltic;ledger;help;check' {
            break
        }
        'beltic;ledger;help;backup' {
            break
        }
        'beltic;ledger;help;close-lists' {
            break
        }
        'beltic;ledger;help;help' {
            break
        }
        'beltic;schema' {
            [CompletionResult]::new('--vct', '--vct', [CompletionResultType]::ParameterName, 'Print the SD-JWT type metadata document instead, for this type [default: the credentials'' own]')
            [CompletionResult]::new('--issuer', '--issuer', [CompletionResultType]::ParameterName, 'The issuer, from which the type''s name is made')
            [CompletionResult]::new('--type', '--type', [CompletionResultType]::ParameterName, 'The credential type of items that name none [default: business]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the output to this file, which appears when it is complete [default: standard output]')
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Write the output to this file, which appears when it is complete [default: standard output]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read settings from this file instead of looking for .beltic.yaml')
            [CompletionResult]::new('--types', '--types', [CompletionResultType]::ParameterName, 'Read types of your own from this file, or from the files of this folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour messages and text results')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite the file that --out names, if it exists')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'beltic;template' {
            [CompletionResult]::new('--map', '--map', [CompletionResultType]::ParameterName, 'Print settings that map the header of this CSV file instead, with the best guess for each column')
            [CompletionResult]::new('--delimiter', '--delimiter', [CompletionResultType]::ParameterName, 'With --map: what separates CSV cells, one character or `tab` [default: found in the header]')
            [CompletionResult]::new('--encoding', '--encoding', [CompletionResultType]::ParameterName, 'With --map: the encoding of the file, such as windows-1252 [default: UTF-8, or UTF-16 by its BOM]')
            [CompletionResult]::new('--type', '--type', [CompletionResultType]::ParameterName, 'The credential type of items that name none [default: business]')
            [CompletionResult]::new('--elements', '--elements', [CompletionResultType]::ParameterName, 'For how many elements of each list there is room')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the output to this file, which appears when it is complete [default: standard output]')
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Write the output to this file, which appears when it is complete [default: standard output]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read settings from this file instead of looking for .beltic.yaml')
            [CompletionResult]::new('--types', '--types', [CompletionResultType]::ParameterName, 'Read types of your own from this file, or from the files of this folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour messages and text results')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite the file that --out names, if it exists')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'beltic;types' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read settings from this file instead of looking for .beltic.yaml')
            [CompletionResult]::new('--types', '--types', [CompletionResultType]::ParameterName, 'Read types of your own from this file, or from the files of this folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour messages and text results')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Print the fields, CSV columns and disclosure policy of a type')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Check the file of a type of your own')
            [CompletionResult]::new('new', 'new', [CompletionResultType]::ParameterValue, 'Write the file of a type of your own, to be filled in')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'beltic;types;show' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the output to this file, which appears when it is complete [default: standard output]')
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Write the output to this file, which appears when it is complete [default: standard output]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read settings from this file instead of looking for .beltic.yaml')
            [CompletionResult]::new('--types', '--types', [CompletionResultType]::ParameterName, 'Read types of your own from this file, or from the files of this folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour messages and text results')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite the file that --out names, if it exists')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'beltic;types;check' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read settings from this file instead of looking for .beltic.yaml')
            [CompletionResult]::new('--types', '--types', [CompletionResultType]::ParameterName, 'Read types of your own from this file, or from the files of this folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour messages and text results')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'beltic;types;new' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the output to this file, which appears when it is complete [default: standard output]')
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Write the output to this file, which appears when it is complete [default: standard output]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read settings from this file instead of looking for .beltic.yaml')
            [CompletionResult]::new('--types', '--types', [CompletionResultType]::ParameterName, 'Read types of your own from this file, or from the files of this folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour messages and text results')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite the file that --out names, if it exists')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'beltic;types;help' {
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Print the fields, CSV columns and disclosure policy of a type')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Check the file of a type of your own')
            [CompletionResult]::new('new', 'new', [CompletionResultType]::ParameterValue, 'Write the file of a type of your own, to be filled in')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'beltic;types;help;show' {
            break
        }
        'beltic;types;help;check' {
            break
        }
        'beltic;types;help;new' {
            break
        }
        'beltic;types;help;help' {
            break
        }
        'beltic;bench' {
            [CompletionResult]::new('--items', '--items', [CompletionResultType]::ParameterName, 'How many credentials a round issues')
            [CompletionResult]::new('--rounds', '--rounds', [CompletionResultType]::ParameterName, 'How many rounds; the median counts')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'A file whose first line is the key''s passphrase [else BELTIC_KEY_PASSPHRASE, or a prompt]')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'How many workers there are, at most 1,024 [default: all cores]')
            [CompletionResult]::new('--jobs', '--jobs', [CompletionResultType]::ParameterName, 'How many workers there are, at most 1,024 [default: all cores]')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'The key that signs [default: .beltic/issuer.pem, else a new key]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read settings from this file instead of looking for .beltic.yaml')
            [CompletionResult]::new('--types', '--types', [CompletionResultType]::ParameterName, 'Read types of your own from this file, or from the files of this folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour messages and text results')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'beltic;completions' {
            [CompletionResult]::new('--man', '--man', [CompletionResultType]::ParameterName, 'Write man pages into this directory instead, one for each command; those that are there are replaced')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read settings from this file instead of looking for .beltic.yaml')
            [CompletionResult]::new('--types', '--types', [CompletionResultType]::ParameterName, 'Read types of your own from this file, or from the files of this folder')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour messages and text results')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only: no warnings, progress or closing line')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'beltic;help' {
            [CompletionResult]::new('batch-issue', 'batch-issue', [CompletionResultType]::ParameterValue, 'Issue a signed credential for each item of the batch files')
            [CompletionResult]::new('keygen', 'keygen', [CompletionResultType]::ParameterValue, 'Make a P-256 issuer key')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Check credentials, offline and in bulk')
            [CompletionResult]::new('inspect', 'inspect', [CompletionResultType]::ParameterValue, 'Decode a credential, status list or key for reading, without judging it')
            [CompletionResult]::new('present', 'present', [CompletionResultType]::ParameterValue, 'Keep some disclosures of an SD-JWT and drop the others')
            [CompletionResult]::new('revoke', 'revoke', [CompletionResultType]::ParameterValue, 'Permanently revoke credentials')
            [CompletionResult]::new('suspend', 'suspend', [CompletionResultType]::ParameterValue, 'Suspend credentials, until they are reinstated')
            [CompletionResult]::new('reinstate', 'reinstate', [CompletionResultType]::ParameterValue, 'End the suspension of credentials')
            [CompletionResult]::new('publish', 'publish', [CompletionResultType]::ParameterValue, 'Write the static site that verifiers fetch: keys, DID document, status lists')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List issued credentials, or the audit log')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show one credential and its history')
            [CompletionResult]::new('ledger', 'ledger', [CompletionResultType]::ParameterValue, 'Look the ledger over')
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Print the JSON Schema of an item, or a credential type''s metadata')
            [CompletionResult]::new('template', 'template', [CompletionResultType]::ParameterValue, 'Print a batch file to fill in')
            [CompletionResult]::new('types', 'types', [CompletionResultType]::ParameterValue, 'List credential types, or show what one holds')
            [CompletionResult]::new('bench', 'bench', [CompletionResultType]::ParameterValue, 'Measure how fast this machine issues')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print completions for a shell, or write man pages')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'beltic;help;batch-issue' {
            break
        }
        'beltic;help;keygen' {
            break
        }
        'beltic;help;verify' {
            break
        }
        'beltic;help;inspect' {
            break
        }
        'beltic;help;present' {
            break
        }
        'beltic;help;revoke' {
            break
        }
        'beltic;help;suspend' {
            break
        }
        'beltic;help;reinstate' {
            break
        }
        'beltic;help;publish' {
            break
        }
        'beltic;help;list' {
            break
        }
        'beltic;help;show' {
            break
        }
        'beltic;help;ledger' {
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Check that the file is intact and that no index, id or item occurs twice')
            [CompletionResult]::new('backup', 'backup', [CompletionResultType]::ParameterValue, 'Write a consistent copy of the ledger, also while others issue')
            [CompletionResult]::new('close-lists', 'close-lists', [CompletionResultType]::ParameterValue, 'Close the open status lists, so that new credentials go into new ones: after every restore')
            break
        }
        'beltic;help;ledger;check' {
            break
        }
        'beltic;help;ledger;backup' {
            break
        }
        'beltic;help;ledger;close-lists' {
            break
        }
        'beltic;help;schema' {
            break
        }
        'beltic;help;template' {
            break
        }
        'beltic;help;types' {
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Print the fields, CSV columns and disclosure policy of a type')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Check the file of a type of your own')
            [CompletionResult]::new('new', 'new', [CompletionResultType]::ParameterValue, 'Write the file of a type of your own, to be filled in')
            break
        }
        'beltic;help;types;show' {
            break
        }
        'beltic;help;types;check' {
            break
        }
        'beltic;help;types;new' {
            break
        }
        'beltic;help;bench' {
            break
        }
        'beltic;help;completions' {
            break
        }
        'beltic;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
