//! A folder of its own for each test, the program run in it, and its results as types.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rusqlite::{Connection, OpenFlags};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::readers::exact::Exact;
use crate::readers::machine;
use crate::readers::token::{Issuance, TokenKey, UNDEFINED_TERMS};

/// The DID of the issuer key in `fixtures/keys`, and its thumbprint (see the README there).
pub(crate) const DID_KEY: &str = "did:key:zDnaef3n1kCM7piz95YbGm4MsVM5eHbjV9vLsiJ7ANx5CGWsj";
/// The RFC 7638 thumbprint of the same key.
pub(crate) const THUMBPRINT: &str = "JAJxGWg-IXkZykyMnN9TnIpIJyhRjlZIXM8Iuy0sNss";

/// A folder that is deleted at the end of the test, in which `beltic` runs.
pub(crate) struct Sandbox {
    folder: TempDir,
}

impl Sandbox {
    /// An empty folder.
    pub(crate) fn new() -> Sandbox {
        Sandbox { folder: tempfile::tempdir().unwrap() }
    }

    /// A folder with an issuer key where `beltic` looks for it.
    pub(crate) fn with_issuer_key() -> Sandbox {
        let sandbox = Sandbox::new();
        sandbox.copy_key("p256-pkcs8.pem", ".beltic/issuer.pem");
        sandbox
    }

    /// A sandbox with the issuer's key and the types of `fixtures/types`, which the settings name.
    pub(crate) fn with_own_types() -> Sandbox {
        let sandbox = Sandbox::with_issuer_key();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/types");
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = format!("types/{}", entry.file_name().to_str().unwrap());
            sandbox.write(&name, std::fs::read(entry.path()).unwrap());
        }
        sandbox.write(".beltic.yaml", "types: types\n");
        sandbox
    }

    /// Copies a key of `fixtures/keys`, readable by its owner only.
    pub(crate) fn copy_key(&self, fixture: &str, name: &str) {
        self.write(name, std::fs::read(key_fixture(fixture)).unwrap());
        set_mode(&self.path(name), 0o600);
    }

    /// Where a file of this folder is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, in a folder that is made if it is not there.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Writes items, one a line.
    pub(crate) fn write_items(&self, name: &str, items: &[Value]) {
        self.write(name, ndjson(items));
    }

    /// A file's text.
    pub(crate) fn read(&self, name: &str) -> String {
        let path = self.path(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Whether there is such a file.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// How many credentials the ledger knows, seen by another program; 0 where there is no ledger.
    pub(crate) fn recorded(&self) -> i64 {
        let path = self.path(".beltic/ledger.db");
        if !path.exists() {
            return 0;
        }
        let ledger = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        ledger.query_row("SELECT coalesce(sum(count), 0) FROM batches", [], |row| row.get(0)).unwrap()
    }

    /// The program, in this folder and in an environment that holds nothing but what it must.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_beltic"));
        command.args(args).current_dir(self.folder.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program with nothing on standard input.
    pub(crate) fn beltic(&self, args: &[&str]) -> Run {
        Run::of(self.command(args).output().unwrap())
    }

    /// Runs `batch-issue` with these arguments, separated by spaces.
    pub(crate) fn issue(&self, args: &str) -> Run {
        let args: Vec<_> = ["batch-issue"].into_iter().chain(args.split_whitespace()).collect();
        self.beltic(&args)
    }

    /// Runs `batch-issue` with these arguments and this environment.
    pub(crate) fn issue_with(&self, args: &str, variables: &[(&str, &str)]) -> Run {
        let args: Vec<_> = ["batch-issue"].into_iter().chain(args.split_whitespace()).collect();
        Run::of(self.command(&args).envs(variables.iter().copied()).output().unwrap())
    }

    /// Runs the program with this on standard input.
    pub(crate) fn beltic_fed(&self, args: &[&str], input: &[u8]) -> Run {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let output = std::thread::scope(|scope| {
            // A program that has read enough closes its end; that is no failure of the test.
            scope.spawn(move || drop(stdin.write_all(input)));
            child.wait_with_output().unwrap()
        });
        Run::of(output)
    }

    /// Starts the program without waiting for it.
    pub(crate) fn spawn(&self, args: &[&str]) -> Child {
        self.command(args).spawn().unwrap()
    }
}

/// What a finished program left.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// A run from what the system says of it.
    pub(crate) fn of(output: Output) -> Run {
        Run {
            code: output.status.code().expect("the program ended by itself"),
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }

    /// The run, if it ended with this code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Run {
        assert_eq!(self.code, code, "{}\n{}", self.stderr, self.stdout);
        self
    }

    /// Each line of the output as a result.
    pub(crate) fn rows(&self) -> Vec<Row> {
        rows(&self.stdout)
    }

    /// The failed results' errors.
    pub(crate) fn errors(&self) -> Vec<RowError> {
        self.rows().into_iter().filter_map(|row| row.error).collect()
    }

    /// The one result, which must be a success.
    #[track_caller]
    pub(crate) fn credential(&self) -> Credential {
        let mut rows = self.rows();
        assert_eq!(rows.len(), 1, "{}", self.stderr);
        rows.remove(0).into_credential()
    }

    /// The one result, which must be a failure.
    #[track_caller]
    pub(crate) fn error(&self) -> RowError {
        let mut errors = self.errors();
        assert_eq!(errors.len(), 1, "{}{}", self.stdout, self.stderr);
        errors.remove(0)
    }
}

/// Results of `--output-format ndjson`.
pub(crate) fn rows(text: &str) -> Vec<Row> {
    text.lines().map(Row::parse).collect()
}

/// A result (docs/batch-issue.md), and nothing beside it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) index: u64,
    pub(crate) line: Option<u64>,
    pub(crate) correlation_id: Option<String>,
    pub(crate) credential: Option<Credential>,
    pub(crate) error: Option<RowError>,
}

/// A credential resource.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credential {
    pub(crate) subject: Value,
    pub(crate) claims: Value,
    pub(crate) id: String,
    pub(crate) credential_id: String,
    pub(crate) issuer_did: String,
    pub(crate) status_list_index: Option<u32>,
    pub(crate) kid: String,
    pub(crate) signed_payload: String,
    pub(crate) evidence_refs: Vec<String>,
    pub(crate) issued_at: String,
    pub(crate) expires_at: String,
    pub(crate) vct: String,
    pub(crate) created_via: String,
    pub(crate) developer_id: Option<String>,
    pub(crate) credential_type: String,
    pub(crate) attestation_type: Option<String>,
    pub(crate) proof_format: String,
    pub(crate) alg: String,
    pub(crate) status: String,
    pub(crate) status_list_uri: Option<String>,
}

/// Why an item was not issued.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RowError {
    pub(crate) code: String,
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) details: Vec<Detail>,
}

/// One violation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Detail {
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) column: Option<String>,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Row {
    /// A line of results.
    pub(crate) fn parse(line: &str) -> Row {
        let row: Row = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_ne!(row.credential.is_some(), row.error.is_some(), "one of both: {line}");
        if let Some(credential) = &row.credential {
            let Credential { created_via, credential_type, status, evidence_refs, .. } = credential;
            assert_eq!([created_via, status], ["cli", "active"]);
            let known = TYPES.into_iter().chain(OWN_TYPES).any(|known| known == credential_type);
            assert!(known, "{credential_type}");
            assert!(evidence_refs.len() <= 50);
        }
        row
    }

    /// The credential of a success.
    #[track_caller]
    pub(crate) fn into_credential(self) -> Credential {
        self.credential.unwrap_or_else(|| panic!("the item failed: {:?}", self.error))
    }
}

impl RowError {
    /// Paths and codes of the violations, one after the other.
    pub(crate) fn places(&self) -> Vec<(&str, &str)> {
        self.details.iter().map(|detail| (detail.path.as_str(), detail.code.as_str())).collect()
    }
}

/// Checks every credential of an NDJSON output against its item, and counts them. `items` are in
/// the order of the results.
#[track_caller]
pub(crate) fn check_tokens(issuance: &Issuance, results: &str, items: &[Exact]) -> usize {
    let key = issuer_token_key();
    let mut checked = 0;
    assert_eq!(results.lines().count(), items.len());
    for (line, item) in results.lines().zip(items) {
        if let Some(resource) = Exact::parse(line).get("credential") {
            issuance.check(&key, resource, item);
            checked += 1;
        }
    }
    checked
}

/// The public half of the issuer key in `fixtures/keys`.
pub(crate) fn issuer_token_key() -> TokenKey {
    TokenKey::from_jwk_file(&key_fixture("p256-public.jwk"))
}

/// What credentials have in common where neither flags nor settings say anything.
pub(crate) fn default_issuance() -> Issuance {
    Issuance {
        issuer: DID_KEY.into(),
        kid: format!("{DID_KEY}#{}", DID_KEY.trim_start_matches("did:key:")),
        vct: "urn:beltic:business:1".into(),
        context: UNDEFINED_TERMS.into(),
        proof_format: "jwt_vc".into(),
        with_status: true,
    }
}

/// The folder of `Cargo.toml`.
pub(crate) fn manifest_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A key of `fixtures/keys`.
pub(crate) fn key_fixture(name: &str) -> PathBuf {
    manifest_folder().join("fixtures/keys").join(name)
}

/// The folder of public data beside the repository, where it is there.
pub(crate) fn shared_data() -> Option<PathBuf> {
    machine::data("data")
}

/// Changes who may read a file.
pub(crate) fn set_mode(path: &Path, mode: u32) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    #[cfg(not(unix))]
    let _ = (path, mode);
}

/// Items, one a line.
pub(crate) fn ndjson(items: &[Value]) -> String {
    items.iter().map(|item| format!("{item}\n")).collect()
}

/// A sound item about an invented company, with only what an item must have.
pub(crate) fn item(name: &str) -> Value {
    json!({
        "request": {
            "self_attestation_complete": true,
            "subject": { "id": format!("urn:example:{name}") },
            "claims": { "jurisdiction": "GB" },
        },
        "correlation_id": name,
    })
}

/// A sound item about an invented company, with every field there is.
pub(crate) fn full_item(name: &str) -> Value {
    json!({
        "request": {
            "credential_type": "business",
            "self_attestation_complete": true,
            "subject": {
                "id": format!("https://companies.example/{name}"),
                "type": "organisation",
                "name": "Fennwick & Søn Ltd",
                "registration_number": "00012345",
                "legal_form": "Private limited company",
                "jurisdiction": "GB-SCT",
            },
            "claims": {
                "jurisdiction": "GB",
                "tax_id_verified": false,
                "kyb_status": "verified",
                "business_type": "shipping",
                "registered_name": "FENNWICK & SØN LIMITED",
                "verified_at": "2024-02-29T10:00:00+01:00",
                "beneficial_owners": [
                    { "full_name": "Ada Fennwick", "ownership_percent": 62.5, "person_id": "P-1", "role": "director" },
                    { "full_name": "花子", "ownership_percent": 37.5 },
                ],
                "registered_address": {
                    "line1": "1 Harbour Walk",
                    "line2": "Floor 2",
                    "city": "Leith",
                    "state_or_region": "Midlothian",
                    "postal_code": "EH6 6XX",
                    "country": "GB",
                },
            },
            "evidence_refs": [
                "case:4711",
                "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ],
            "ttl": "P6M",
            "cnf": { "jwk": {
                "kty": "EC",
                "crv": "P-256",
                "x": "acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0",
                "y": "_KcyLj9vWMptnmKtm46GqDz8wf74I5LKgrl2GzH3nSE",
            } },
        },
        "correlation_id": name,
    })
}

/// The types that are built in.
pub(crate) const TYPES: [&str; 4] = ["business", "user", "agent_authorization", "outcome_attestation"];

/// The types of `fixtures/types`.
pub(crate) const OWN_TYPES: [&str; 2] = ["trade_licence", "management_certificate"];

/// A sound item about an invented person, with every field there is.
pub(crate) fn full_user(name: &str) -> Value {
    json!({
        "request": {
            "credential_type": "user",
            "self_attestation_complete": true,
            "subject": {
                "id": format!("https://people.example/{name}"),
                "type": "person",
                "email": "ada.fennwick@example.com",
                "first_name": "Ada",
                "last_name": "Fennwick",
            },
            "claims": {
                "kyc_status": "passed",
                "trust_level": "idv_verified",
                "nationality": "GB",
                "date_of_birth": "1990-01-31",
                "id_document_type": "passport",
                "id_document_country": "GB",
                "parent_business_id": "B-17",
                "jurisdiction": "GB-SCT",
            },
        },
        "correlation_id": name,
    })
}

/// A sound item about something that came out, with every field there is.
pub(crate) fn full_outcome(name: &str) -> Value {
    json!({
        "request": {
            "credential_type": "outcome_attestation",
            "attestation_type": "delivery_completed",
            "self_attestation_complete": true,
            "subject": {
                "id": format!("urn:example:order:{name}"),
                "type": "document",
                "parent_user_id": "U-1",
            },
            "claims": {
                "delivered_at": "2026-01-31T12:00:00Z",
                "parcels": 3,
                "signed": true,
                "places": [{ "city": "Leith" }],
            },
        },
        "correlation_id": name,
    })
}

/// A trade licence (`fixtures/types`) with every field.
pub(crate) fn full_licence(name: &str) -> Value {
    let mut item = full_item(name);
    item["request"]["credential_type"] = json!("trade_licence");
    let claims = item["request"]["claims"].as_object_mut().unwrap();
    claims.insert("licence_number".into(), json!("L-0042"));
    claims.insert("holder_name".into(), json!("Ottilie Quarrington"));
    claims.insert("granted_on".into(), json!("2026-01-31"));
    claims.insert("fee".into(), json!(12.5));
    claims.insert(
        "activities".into(),
        json!([{ "code": "A1", "from": "2026-01-31", "until": null }, { "code": "B2" }]),
    );
    item
}

/// A certificate of a management system (`fixtures/types`) with every field.
pub(crate) fn full_certificate(name: &str) -> Value {
    json!({
        "request": {
            "credential_type": "management_certificate",
            "self_attestation_complete": true,
            "subject": {
                "id": name,
                "name": "Wexcombe Widgets",
                "country": "GB",
                "region": "GB-SCT",
                "website": "https://wexcombe.example/",
                "contact": "quality@wexcombe.example",
            },
            "claims": {
                "standard": "ISO 27001",
                "certificate_number": "GB-1234",
                "audited_on": "2026-01-31",
                "next_audit": null,
                "employees": 42,
                "score": 4.5,
                "fee": 1200.5,
                "currency": "GBP",
                "is_remote": false,
                "sites": [{ "city": "Leith", "people": 7, "processes": ["GB-100", "GB-101"] }],
                "remarks": { "by": ["hand", 1, null, true] },
            },
        },
        "correlation_id": name,
    })
}

/// The payload of an SD-JWT or a JWT, as it is signed.
pub(crate) fn payload(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64_simd::URL_SAFE_NO_PAD.decode_to_vec(part).unwrap()).unwrap()
}

/// The did:jwk of this text.
pub(crate) fn did_jwk(text: &str) -> String {
    format!("did:jwk:{}", base64_simd::URL_SAFE_NO_PAD.encode_to_string(text))
}

/// The did:jwk of the key of RFC 7515 appendix A.3, written as RFC 7638 writes keys.
pub(crate) const AGENT_DID: &str = "did:jwk:eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImY4M09KM0QyeEYxQmc4dnViOXRMZTFnSE16Vjc2ZThUdXM5dVBIdlJWRVUiLCJ5IjoieF9GRXpSdTltMzZITE5fdHVlNjU5TE5wWFc2cEN5U3Rpa1lqS0lXSTVhMCJ9";

/// That key.
pub(crate) fn agent_jwk() -> Value {
    json!({
        "kty": "EC",
        "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    })
}

/// A sound item about an invented agent, with every field there is.
pub(crate) fn full_agent(name: &str) -> Value {
    json!({
        "request": {
            "credential_type": "agent_authorization",
            "self_attestation_complete": true,
            "subject": {
                "id": AGENT_DID,
                "type": "agent",
                "public_jwk": agent_jwk(),
                "agent_external_id": format!("agent-{name}"),
                "parent_user_id": "U-1",
                "parent_business_id": "B-17",
            },
            "claims": {
                "permissions": [
                    {
                        "resource_type": "wallet",
                        "resource_id": "*",
                        "actions": ["checkout", "refund"],
                        "conditions": [
                            { "field": "amount", "operator": "lte", "value": 5000 },
                            { "field": "currency", "operator": "in", "value": ["EUR", "USD"] },
                        ],
                    },
                    { "resource_type": "report", "actions": ["read"] },
                ],
                "delegated_by_subject_id": "U-1",
                "spend_limit": { "amount": 100000, "currency": "EUR", "period": "monthly" },
                "authorized_currencies": ["EUR", "USD"],
                "max_idle_duration": "PT15M",
                "human_present": false,
                "confirmation_threshold_cents": 10000,
            },
            "ttl": "P30D",
            "cnf": { "jwk": agent_jwk() },
        },
        "correlation_id": name,
    })
}

/// The item with another value at this JSON Pointer; a member or an element that is not there yet
/// is added.
pub(crate) fn with(mut item: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = split(pointer);
    match item.pointer_mut(parent).unwrap_or_else(|| panic!("no {parent}")) {
        Value::Array(elements) if name == "-" => elements.push(value),
        Value::Array(elements) => elements[name.parse::<usize>().unwrap()] = value,
        parent => parent[name] = value,
    }
    item
}

/// The item without what stands at this JSON Pointer.
pub(crate) fn without(mut item: Value, pointer: &str) -> Value {
    let (parent, name) = split(pointer);
    let parent = item.pointer_mut(parent).and_then(Value::as_object_mut).unwrap();
    parent.remove(name).unwrap_or_else(|| panic!("no {pointer}"));
    item
}

fn split(pointer: &str) -> (&str, &str) {
    pointer.rsplit_once('/').unwrap_or_else(|| panic!("{pointer} is no JSON Pointer below the root"))
}

/// Items of the same number as `names`, sound and alike.
pub(crate) fn items(count: usize) -> Vec<Value> {
    (0..count).map(|number| item(&format!("company-{number}"))).collect()
}
