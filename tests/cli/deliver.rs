//! `deliver`: a folder per credential, with the token, a certificate and a QR code.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use base64_simd::STANDARD;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::readers::machine::{has_tool, skip};
use crate::support::*;

/// A sandbox of a did:web issuer, whose site has a verification page.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write(".beltic.yaml", "issuer: {did: did:web:issuer.example}\n");
    sandbox
}

const PAGE: &str = "https://issuer.example/verify/";

/// Runs `deliver` with these arguments, separated by spaces.
fn deliver(sandbox: &Sandbox, args: &str) -> Run {
    let args: Vec<_> = ["deliver"].into_iter().chain(args.split_whitespace()).collect();
    sandbox.beltic(&args)
}

/// The names in a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The records of the index, by column.
fn index(sandbox: &Sandbox, out: &str) -> Vec<BTreeMap<String, String>> {
    let text = sandbox.read(&format!("{out}/index.csv"));
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(Result::unwrap).collect()
}

/// What another program reads in a code; none where there is no such program.
fn decoded(sandbox: &Sandbox, svg: &str) -> Option<String> {
    if !has_tool("rsvg-convert") || !has_tool("zbarimg") {
        return None;
    }
    let png = sandbox.path("code.png");
    let drawn =
        Command::new("rsvg-convert").args(["-w", "900", "-o"]).arg(&png).arg(sandbox.path(svg)).status();
    assert!(drawn.unwrap().success());
    let read = Command::new("zbarimg").args(["--quiet", "--raw"]).arg(&png).output().unwrap();
    Some(String::from_utf8(read.stdout).unwrap().trim_end().to_owned())
}

#[test]
fn each_credential_has_a_folder_with_three_files_and_a_record() {
    let sandbox = sandbox();
    sandbox.write_items("items.ndjson", &[full_item("a"), full_item("b")]);
    for (form, format, file) in [
        ("ndjson", "jwt_vc", "credential.jwt"),
        ("json", "sd_jwt_vc", "credential.sd-jwt"),
        ("csv", "jwt_vc", "credential.jwt"),
        ("jwt", "sd_jwt_vc", "credential.sd-jwt"),
    ] {
        let (results, out) = (format!("{form}.out"), format!("handover-{form}"));
        sandbox
            .issue(&format!("items.ndjson --proof-format {format} --output-format {form} --out {results}"))
            .expect(0);
        let run = deliver(&sandbox, &format!("{results} --out {out}")).expect(0);
        assert!(run.stderr.contains("delivered 2, failed 0 (to handover-"), "{}", run.stderr);
        let records = index(&sandbox, &out);
        assert_eq!(records.len(), 2);
        for (number, record) in records.iter().enumerate() {
            let folder = &record["folder"];
            assert_eq!(record["credential_id"], format!("urn:uuid:{folder}"));
            assert_eq!(
                (record["index"].as_str(), record["credential_type"].as_str()),
                (&*number.to_string(), "business")
            );
            assert_eq!(record.len(), 7, "nothing else is in the index: {record:?}");
            assert_eq!(
                names(&sandbox.path(&format!("{out}/{folder}"))),
                ["certificate.html", file, "qr.svg"]
            );
            let token = sandbox.read(&format!("{out}/{folder}/{file}"));
            assert!(sandbox.read(&results).contains(token.trim_end()), "the token as it was issued");
            let page = sandbox.read(&format!("{out}/{folder}/certificate.html"));
            for shown in ["Business credential", "did:web:issuer.example", &record["credential_id"]] {
                assert!(page.contains(shown), "{shown}");
            }
            let picture = sandbox.read(&format!("{out}/{folder}/qr.svg"));
            assert!(page.contains(picture.trim_end()), "the same code is in the page");
        }
        assert_eq!(names(&sandbox.path(&out)).len(), 3, "two folders and the index");
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_what_is_handed_over() {
    use std::os::unix::fs::PermissionsExt;

    let sandbox = sandbox();
    sandbox.write_items("items.ndjson", &[item("a")]);
    sandbox.issue("items.ndjson --out results.ndjson").expect(0);
    deliver(&sandbox, "results.ndjson --out out --name-by subject-id").expect(0);
    let mode = |path: &str| sandbox.path(path).metadata().unwrap().permissions().mode() & 0o777;
    let folder = format!("out/{}", index(&sandbox, "out")[0]["folder"]);
    assert_eq!((mode("out"), mode(&folder)), (0o700, 0o700));
    for file in
        [format!("{folder}/certificate.html"), format!("{folder}/credential.jwt"), "out/index.csv".into()]
    {
        assert_eq!(mode(&file), 0o600, "{file}");
    }
}

/// The rule is that of `--out-dir`; the index has its own name.
#[test]
fn folders_are_named_as_files_of_out_dir_are() {
    let sandbox = sandbox();
    let ids = ["a/b", "A%2FB", "case", "CASE", "index.csv", "con"];
    let items: Vec<_> = ids.iter().map(|id| with(item("x"), "/correlation_id", json!(id))).collect();
    sandbox.write_items("items.ndjson", &items);
    sandbox.issue("items.ndjson --out results.ndjson --out-dir files --name-by correlation-id").expect(0);
    let run = deliver(&sandbox, "results.ndjson --out out --name-by correlation-id").expect(0);
    let folders: Vec<String> = index(&sandbox, "out").iter().map(|record| record["folder"].clone()).collect();
    assert_eq!(folders[..3], ["a%2Fb", "A%252FB", "case"]);
    assert_eq!(folders[5], "%63on");
    for (at, warning) in [(3, "another item's folder"), (4, "another item's folder")] {
        assert!(sandbox.read("results.ndjson").contains(&folders[at]), "the credential's id");
        assert!(run.stderr.contains(&format!("warning: row {at}: {warning} has the name")), "{}", run.stderr);
    }
    let files: Vec<_> = names(&sandbox.path("files")).iter().map(|name| name.replace(".jwt", "")).collect();
    let same = folders.iter().filter(|folder| files.contains(folder)).count();
    assert_eq!(same, 5, "all but that of the index: {files:?}");
}

#[test]
fn the_code_leads_to_the_page_with_the_token_where_that_is_short() {
    let sandbox = sandbox();
    sandbox.write_items("items.ndjson", &[item("a"), full_item("b")]);
    let none = "--ledger none --issuer https://i.example --proof-format sd_jwt_vc";
    sandbox.issue(&format!("items.ndjson {none} --out results.ndjson")).expect(0);
    for (out, args, page) in
        [("default", "", PAGE), ("typed", "--page https://p.example/check", "https://p.example/check")]
    {
        deliver(&sandbox, &format!("results.ndjson --out {out} --column link {args}")).expect(0);
        let records = index(&sandbox, out);
        let token = records[0]["link"].strip_prefix(&format!("{page}#")).unwrap();
        assert!(
            records[0]["link"].len() <= 1_000 && token.starts_with("eyJ") && token.ends_with('~'),
            "{token}"
        );
        assert_eq!(records[1]["link"], format!("{page}#id={}", records[1]["credential_id"]));
        assert_eq!([&records[0]["qr"], &records[1]["qr"]], ["token", "link"]);
        for record in &records {
            let Some(read) = decoded(&sandbox, &format!("{out}/{}/qr.svg", record["folder"])) else {
                continue;
            };
            assert_eq!(read, record["link"], "what another program reads");
        }
    }
    sandbox.write(".beltic.yaml", "status: {base_url: 'https://cdn.example/x/'}\n");
    deliver(&sandbox, "results.ndjson --out base --column link").expect(0);
    assert!(index(&sandbox, "base")[1]["link"].starts_with("https://cdn.example/x/verify/#id="));

    sandbox.write(".beltic.yaml", "");
    let run = deliver(&sandbox, "results.ndjson --out bare --column link").expect(0);
    assert!(run.stderr.contains("set `status.base_url`, or pass `--page URL`"), "{}", run.stderr);
    let record = &index(&sandbox, "bare")[0];
    assert_eq!((record["qr"].as_str(), record["link"].as_str()), ("id", ""));
    if let Some(read) = decoded(&sandbox, &format!("bare/{}/qr.svg", record["folder"])) {
        assert_eq!(read, record["credential_id"]);
    }
    for page in ["http://p.example", "https://p.example/#x", "javascript:alert(1)"] {
        deliver(&sandbox, &format!("results.ndjson --out never --page {page}")).expect(2);
        assert!(!sandbox.has("never"));
    }
}

#[test]
fn hidden_claims_are_on_paper_only_where_they_are_asked_for() {
    let sandbox = sandbox();
    sandbox.write_items("items.ndjson", &[full_item("a"), full_user("u")]);
    sandbox.issue("items.ndjson --proof-format sd_jwt_vc --ledger none --out results.ndjson").expect(0);
    let text = sandbox.read("results.ndjson");
    let rows = rows(&text);
    let owner =
        rows[0].credential.as_ref().unwrap().claims["beneficial_owners"][0]["full_name"].as_str().unwrap();
    let email = rows[1].credential.as_ref().unwrap().subject["email"].as_str().unwrap();
    let pages = |out: &str| -> Vec<String> {
        let records = index(&sandbox, out);
        records
            .iter()
            .map(|record| sandbox.read(&format!("{out}/{}/certificate.html", record["folder"])))
            .collect()
    };
    deliver(&sandbox, "results.ndjson --out plain").expect(0);
    let plain = pages("plain");
    assert!(!plain[0].contains(owner) && !plain[1].contains(email));
    assert!(plain[0].contains("Claims of the credential that this page does not show:"));
    assert!(!sandbox.read("plain/index.csv").contains(email));

    let run = deliver(
        &sandbox,
        "results.ndjson --out some --disclose claims.beneficial_owners[] --disclose claims.no_such --column subject.email --column claims.nothing",
    );
    let run = run.expect(0);
    let some = pages("some");
    assert!(some[0].contains(owner) && !some[1].contains(email));
    let records = index(&sandbox, "some");
    assert_eq!([&records[0]["subject.email"], &records[1]["subject.email"]], ["", email]);
    for said in ["--disclose claims.no_such: no credential", "--column claims.nothing: no credential"] {
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
    deliver(&sandbox, "results.ndjson --out all --disclose *").expect(0);
    let all = pages("all");
    assert!(all[0].contains(owner) && all[1].contains(email));
    assert!(!all[0].contains("does not show:"));
    // The token itself is whole, whatever is on paper.
    let folder = &records[1]["folder"];
    let token = sandbox.read(&format!("plain/{folder}/credential.sd-jwt"));
    assert_eq!(token.trim_end(), rows[1].credential.as_ref().unwrap().signed_payload);
}

#[test]
fn what_is_not_a_credential_fails_and_the_rest_is_delivered() {
    let sandbox = sandbox();
    sandbox.write_items("items.ndjson", &[item("a"), without(item("b"), "/request/claims"), item("c")]);
    sandbox.issue("items.ndjson --out results.ndjson").expect(3);
    let run = deliver(&sandbox, "results.ndjson --out skipped").expect(0);
    assert!(run.stderr.contains("delivered 2, failed 0, 1 skipped (no credential)"), "{}", run.stderr);

    let sd = sandbox.issue("items.ndjson --proof-format sd_jwt_vc --output-format jwt").expect(3);
    let sd = sd.stdout.lines().next().unwrap().to_owned();
    sandbox.beltic(&["publish", "--out", "site", "--quiet"]).expect(0);
    let lists = sandbox.path("site/status/bitstring");
    let list = fs::read_to_string(lists.join(&names(&lists)[0])).unwrap();
    let first = rows(&sandbox.read("results.ndjson")).remove(0).into_credential();
    let token = first.signed_payload;
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let lines = [
        first.credential_id.clone(),
        token.clone(),
        "nonsense".into(),
        format!("{signed}.{}", &signature[..40]),
        format!("{token}~"),
        list.trim_end().into(),
        format!("{sd}eyJhbGciOiJFUzI1NiJ9.e30.c2ln"),
        sd.replacen('~', "~WyJzYWx0IiwiYSIsMV0~", 1),
    ];
    sandbox.write("tokens.txt", lines.join("\n"));
    let run = deliver(&sandbox, "tokens.txt --out out").expect(3);
    assert!(run.stderr.contains("delivered 1, failed 7 (to out"), "{}", run.stderr);
    for said in [
        "error: row 0 (line 1) was not delivered: no token: a credential's id alone",
        "row 2 (line 3) was not delivered: the token cannot be decoded",
        "row 3 (line 4) was not delivered: its signature has another length",
        "row 4 (line 5) was not delivered: its `typ` is not that of a credential",
        "row 5 (line 6) was not delivered: it is a status list",
        "row 6 (line 7) was not delivered: it is a presentation",
        "row 7 (line 8) was not delivered: its disclosures cannot be applied",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    assert!(!run.stderr.contains("eyJ"), "{}", run.stderr);
    assert_eq!(index(&sandbox, "out")[0]["index"], "1");

    sandbox.write("failed.ndjson", "{\"index\":0,\"error\":{\"code\":\"x\"}}\n");
    let run = deliver(&sandbox, "failed.ndjson --out nothing").expect(0);
    assert!(run.stderr.contains("warning: nothing was delivered"), "{}", run.stderr);
    deliver(&sandbox, "no-such.ndjson --out never").expect(6);
    sandbox.write("page.html", "<!doctype html>");
    deliver(&sandbox, "page.html --out empty").expect(4);
}

#[test]
fn a_second_run_needs_force_and_replaces_only_what_it_made() {
    let sandbox = sandbox();
    sandbox.write_items("items.ndjson", &[item("a"), item("b")]);
    sandbox.issue("items.ndjson --out results.ndjson").expect(0);
    let args = "results.ndjson --out out --name-by correlation-id";
    deliver(&sandbox, args).expect(0);
    let run = deliver(&sandbox, args).expect(6);
    assert!(
        run.stderr.contains("the folder out is not empty") && run.stderr.contains("--force"),
        "{}",
        run.stderr
    );
    let folder = index(&sandbox, "out")[0]["folder"].clone();
    let page = format!("out/{folder}/certificate.html");
    sandbox.write(&page, "scribbled over");
    sandbox.write("out/mine/notes.txt", "precious");
    deliver(&sandbox, &format!("{args} --force")).expect(0);
    assert!(sandbox.read(&page).starts_with("<!doctype html>"));
    assert_eq!(sandbox.read("out/mine/notes.txt"), "precious");

    sandbox.write(&format!("out/{folder}/notes.txt"), "precious");
    let run = deliver(&sandbox, &format!("{args} --force")).expect(6);
    assert!(run.stderr.contains("belongs to something else"), "{}", run.stderr);
    assert_eq!(sandbox.read(&format!("out/{folder}/notes.txt")), "precious");
    sandbox.write("file", "precious");
    deliver(&sandbox, "results.ndjson --out file --force").expect(6);
    assert_eq!(sandbox.read("file"), "precious");
}

/// A run that is killed after its first folders leaves whole ones only, and the next run clears up after it.
#[cfg(unix)]
#[test]
fn a_killed_run_leaves_nothing_half() {
    let sandbox = sandbox();
    sandbox.write_items("items.ndjson", &items(250));
    sandbox.issue("items.ndjson --out results.ndjson").expect(0);
    let results = sandbox.read("results.ndjson").repeat(5);
    let mut child = sandbox.command(&["deliver", "-", "--out", "out"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let folders = |wanted: bool| -> Vec<String> {
        let entries = fs::read_dir(sandbox.path("out")).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().into_string().unwrap());
        names.filter(|name| name.starts_with('.') != wanted).collect()
    };
    std::thread::scope(|scope| {
        // The end of the input does not come before the program is gone, so it cannot end by itself.
        scope.spawn(|| drop(stdin.write_all(results.as_bytes())));
        while folders(true).is_empty() && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        child.kill().unwrap();
    });
    child.wait().unwrap();
    drop(stdin);

    let left = folders(true);
    assert!(!left.is_empty() && !sandbox.has("out/index.csv"), "{left:?}");
    for folder in &left {
        let path = sandbox.path(&format!("out/{folder}"));
        assert_eq!(names(&path), ["certificate.html", "credential.jwt", "qr.svg"]);
        let page = fs::read_to_string(path.join("certificate.html")).unwrap();
        assert!(page.ends_with("</html>\n"), "{folder}");
    }
    sandbox.write_items("few.ndjson", &[item("z")]);
    sandbox.issue("few.ndjson --out few-results.ndjson").expect(0);
    deliver(&sandbox, "few-results.ndjson --out out --force").expect(0);
    assert!(folders(false).is_empty(), "staging folders are gone: {:?}", folders(false));
    assert_eq!(index(&sandbox, "out").len(), 1);
}

#[test]
fn a_certificate_has_no_script_and_loads_nothing_whatever_is_claimed() {
    let sandbox = sandbox();
    let hostile = "\"><script src=//evil.example/x.js></script><img src=x onerror=alert(1)>'&\u{202e}";
    let item = with(item("a"), "/request/subject/name", json!(hostile));
    let item = with(item, "/request/claims/registered_name", json!(format!("</style></title>{hostile}")));
    sandbox.write_items("items.ndjson", &[item]);
    sandbox.issue("items.ndjson --out results.ndjson").expect(0);
    deliver(&sandbox, "results.ndjson --out out --column subject.name").expect(0);
    let page = sandbox.read(&format!("out/{}/certificate.html", index(&sandbox, "out")[0]["folder"]));
    for tag in ["<script", "<img", "<iframe", "<link", "<form", "<object", "javascript:", "url(", "\u{202e}"]
    {
        assert!(!page.contains(tag), "{tag}");
    }
    assert!(page.contains("&lt;script src=//evil.example/x.js&gt;"));
    let (before, rest) = page.split_once("<style>").unwrap();
    let (style, _) = rest.split_once("</style>").unwrap();
    let hash = STANDARD.encode_to_string(Sha256::digest(style));
    let policy = format!(
        "content=\"default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'\""
    );
    assert!(before.contains(&policy), "{before}");
    assert_eq!(page.matches("<style").count(), 1);
    assert!(!page.contains(" style="), "the policy would ignore it");
}

#[test]
fn a_type_of_one_s_own_gives_its_name_colours_logo_and_labels() {
    let sandbox = sandbox();
    let logo = STANDARD.encode_to_string("<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
    let definition = format!(
        "type: club_membership\nname: ClubMembershipCredential\nschema:\n  properties:\n    claims:\n      required: [number]\n      properties:\n        number: {{type: string}}\n        active: {{type: boolean}}\nlabels: {{claims.number: {{en: Number, de: Nummer}}}}\ndisplay:\n  - {{locale: en, name: Membership, rendering: {{simple: {{background_color: red, logo: {{uri: 'https://x.example/l.png'}}}}}}}}\n  - {{locale: de, name: Mitgliedsausweis, rendering: {{simple: {{background_color: '#FFD400', logo: {{uri: 'data:image/svg+xml;base64,{logo}', alt_text: Wappen}}}}}}}}\n"
    );
    sandbox.write("club.yaml", definition);
    sandbox.write(
        ".beltic.yaml",
        "issuer: {did: did:web:issuer.example}\ncredential: {type: club_membership}\ntypes: club.yaml\n",
    );
    sandbox.write_items(
        "items.ndjson",
        &[json!({"self_attestation_complete": true, "subject": {"id": "M-1"}, "claims": {"number": "M-0042", "active": true}})],
    );
    for format in ["jwt_vc", "sd_jwt_vc"] {
        sandbox.issue(&format!("items.ndjson --proof-format {format} --out {format}.ndjson")).expect(0);
        let page = |out: &str| {
            let folder = format!("{out}/{}", index(&sandbox, out)[0]["folder"]);
            sandbox.read(&format!("{folder}/certificate.html"))
        };
        let german = format!("{format}-de");
        let run = deliver(&sandbox, &format!("{format}.ndjson --out {german} --locale de-AT")).expect(0);
        assert!(!run.stderr.contains("warning"), "{}", run.stderr);
        let german = page(&german);
        for shown in [
            "<html lang=\"de-AT\">",
            "<h1>Mitgliedsausweis</h1>",
            "<dt>Nummer</dt><dd dir=\"auto\">M-0042</dd>",
            "<dd dir=\"auto\">ja</dd>",
            ":root{--band:#ffd400;--ink:#000000}",
            &format!("<img src=\"data:image/svg+xml;base64,{logo}\" alt=\"Wappen\">"),
            "; img-src data:;",
            "Gültig bis",
        ] {
            assert!(german.contains(shown), "{shown}");
        }
        let english = format!("{format}-en");
        let run = deliver(&sandbox, &format!("{format}.ndjson --out {english}")).expect(0);
        for said in ["background_color is not #rrggbb", "its logo is left out: it is neither a data: URI"] {
            assert!(run.stderr.contains(said), "{}", run.stderr);
        }
        let english = page(&english);
        assert!(
            english.contains("<h1>Membership</h1>")
                && english.contains("Number")
                && !english.contains("<img")
        );
    }
    sandbox.write("logo.txt", "no image");
    deliver(&sandbox, "jwt_vc.ndjson --out never --logo logo.txt").expect(6);
}

/// Ten owners with long names in four scripts, and far more than there is room for.
#[test]
fn a_certificate_fits_one_a4_page() {
    if !has_tool("chromium") || !has_tool("pdfinfo") {
        return;
    }
    let sandbox = sandbox();
    let names = [
        "Wilhelmina Konstantia von und zu Hohenstaufen-Quarrington-Featherstonehaugh de la Vallière",
        "Александра Константиновна Преображенская-Вознесенская (урождённая Черномырдина)",
        "株式会社東北地方総合開発研究所代表取締役社長 長谷川 光太郎左衛門之助",
        "عبد الرحمن بن محمد بن عبد الله آل الشيخ المنصوري الهاشمي القرشي",
    ];
    let with_owners = |count: usize| {
        let owner = |at: usize| {
            json!({"full_name": names[at % 4], "ownership_percent": 1, "person_id": format!("P-{at}"),
                   "role": "Director and shareholder with significant control over the company"})
        };
        let owners: Vec<_> = (0..count).map(owner).collect();
        let item = with(full_item("a"), "/request/claims/beneficial_owners", json!(owners));
        let item = with(item, "/request/subject/name", json!(names.join(" ")));
        with(item, "/correlation_id", json!(format!("n{count}")))
    };
    sandbox.write_items("items.ndjson", &[10, 25, 400].map(with_owners));
    sandbox.issue("items.ndjson --out results.ndjson").expect(0);
    deliver(&sandbox, "results.ndjson --out out --name-by correlation-id").expect(0);
    for (count, left_out) in [(10, false), (25, true), (400, true)] {
        let page = sandbox.read(&format!("out/n{count}/certificate.html"));
        assert_eq!(page.contains("do not fit on this page:"), left_out, "{count}");
        let Some(pages) = printed_pages(&sandbox, &format!("out/n{count}/certificate.html")) else { return };
        assert_eq!(pages, 1, "{count} owners");
    }
}

/// How many pages a browser prints; none where it cannot print here.
fn printed_pages(sandbox: &Sandbox, page: &str) -> Option<u32> {
    let pdf = sandbox.path("printed.pdf");
    let _ = fs::remove_file(&pdf);
    let mut chromium = Command::new("chromium");
    chromium.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]);
    chromium.arg(format!("--user-data-dir={}", sandbox.path("browser").display()));
    chromium.arg(format!("--print-to-pdf={}", pdf.display()));
    chromium.arg(format!("file://{}", sandbox.path(page).display()));
    let output = chromium.stdin(Stdio::null()).output().unwrap();
    if !pdf.exists() {
        skip(format_args!("chromium prints nothing here: {}", String::from_utf8_lossy(&output.stderr)));
        return None;
    }
    let info = Command::new("pdfinfo").arg(&pdf).output().unwrap();
    let info = String::from_utf8(info.stdout).unwrap();
    assert!(info.contains("(A4)"), "{info}");
    info.lines().find_map(|line| line.strip_prefix("Pages:")).and_then(|count| count.trim().parse().ok())
}
