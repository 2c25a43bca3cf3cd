//! The verification page: one HTML file that checks a credential in the browser, against the site that it is part of.
//!
//! The page has three sources, which are joined here: `page.html`, `style.css`, and the scripts in `SCRIPTS`, which
//! become one. It loads nothing but the issuer's keys, status lists and type metadata, all from its own origin. Its
//! content security policy allows the one style and the one script by their hashes, and nothing else. What the page
//! has to know of the site is in a block of JSON, which is data and no script.
//!
//! What the page promises, and to whom it does not, is in SECURITY.md. Its steps and reasons are those of
//! [`crate::verify`], with which `.ci/browser` compares it.

use base64_simd::STANDARD;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{DocumentKind, Hosts, PlaceError, SiteDocument, SitePath};
use crate::issuer::Issuer;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");

/// The scripts, in the order in which they become one.
const SCRIPTS: [&str; 16] = [
    include_str!("verdict.js"),
    include_str!("bytes.js"),
    include_str!("json.js"),
    include_str!("token.js"),
    include_str!("times.js"),
    include_str!("multikey.js"),
    include_str!("keys.js"),
    include_str!("disclosures.js"),
    include_str!("holder.js"),
    include_str!("claims.js"),
    include_str!("status.js"),
    include_str!("verify.js"),
    include_str!("input.js"),
    include_str!("labels.js"),
    include_str!("show.js"),
    include_str!("main.js"),
];

/// What no page of anybody else's has.
const MARK: &str = r#"<meta name="generator" content="beltic">"#;

/// What the page has to know of its site.
#[derive(Serialize)]
struct Site<'s> {
    /// Who issues; credentials of others are never valid here.
    issuer: &'s str,
    /// The hosts that the site is for. On another one the page is a copy, and says so.
    hosts: Vec<&'s str>,
    /// Where the page is published.
    address: Option<String>,
    /// The site's root, relative to the page.
    root: &'s str,
    /// The document with the issuer's keys, relative to the page.
    keys: String,
}

/// The page's URL, under `status.base_url`.
pub fn url(base_url: &str) -> String {
    format!("{}/verify/", base_url.trim_end_matches('/'))
}

/// The page for this issuer, whose keys are in the document at `keys`.
///
/// # Errors
/// Where the base URL is not https, or not written as servers read it.
pub fn document(
    issuer: &Issuer,
    hosts: &Hosts,
    base_url: Option<&str>,
    keys: &SitePath,
) -> Result<SiteDocument, PlaceError> {
    let path = place(hosts, base_url)?;
    let root = "../".repeat(path.folder().segments().len());
    let site = Site {
        issuer: issuer.id(),
        hosts: hosts.names().collect(),
        address: base_url.map(url),
        root: &root,
        keys: format!("{root}{}", keys.url_path().trim_start_matches('/')),
    };
    let bytes = html(&data_block(&site)).into_bytes();
    Ok(SiteDocument { path, kind: DocumentKind::VerifyPage, bytes })
}

/// Whether a file in the page's place is the page, of this version or another, and not one of the host's owner.
pub fn is_ours(file: &[u8]) -> bool {
    memchr::memmem::find(file, MARK.as_bytes()).is_some()
}

fn place(hosts: &Hosts, base_url: Option<&str>) -> Result<SitePath, PlaceError> {
    match base_url {
        Some(base_url) => hosts.path_of(&format!("{}index.html", url(base_url))),
        None => Ok(SitePath::known(&["verify", "index.html"])),
    }
}

/// JSON in which nothing could end the element that it stands in.
fn data_block(site: &Site<'_>) -> String {
    let json = serde_json::to_string(site).expect("texts and arrays of texts serialize");
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

fn html(site: &str) -> String {
    let script = format!("\n{}", SCRIPTS.join("\n"));
    let policy = policy(STYLE, &script);
    let (mut page, mut rest) = (String::new(), PAGE);
    for (name, value) in [("{policy}", &*policy), ("{style}", STYLE), ("{site}", site), ("{script}", &script)]
    {
        let (before, after) = rest.split_once(name).expect("the page has a place for each, in this order");
        page.push_str(before);
        page.push_str(value);
        rest = after;
    }
    page + rest
}

/// What the page may do: run its one script, use its one style, and fetch from its own origin. `frame-ancestors` counts in a
/// header only: see [`super::serving`].
fn policy(style: &str, script: &str) -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode_to_string(Sha256::digest(text)));
    format!(
        "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        hash(script),
        hash(style)
    )
}

#[cfg(test)]
mod tests {
    use super::super::keys::tests::key;
    use super::*;

    fn page(issuer: &str, base_url: Option<&str>, keys: &[&str]) -> (SitePath, String) {
        let issuer = Issuer::parse(issuer, &key()).unwrap();
        let hosts = Hosts::new(&issuer, base_url).unwrap();
        let document = document(&issuer, &hosts, base_url, &SitePath::known(keys)).unwrap();
        (document.path, String::from_utf8(document.bytes).unwrap())
    }

    fn between<'p>(page: &'p str, start: &str, end: &str) -> &'p str {
        let (_, rest) = page.split_once(start).unwrap();
        rest.split_once(end).unwrap().0
    }

    fn site(page: &str) -> serde_json::Value {
        serde_json::from_str(between(page, r#"id="site">"#, "</script>")).unwrap()
    }

    #[test]
    fn the_policy_allows_the_one_script_and_the_one_style() {
        let (_, page) = page("did:web:issuer.example", None, &[".well-known", "did.json"]);
        let policy = between(&page, r#"Content-Security-Policy" content=""#, "\"");
        let hash = |text: &str| STANDARD.encode_to_string(Sha256::digest(text));
        let (style, script) =
            (between(&page, "<style>", "</style>"), between(&page, "\n<script>", "</script>"));
        assert!(policy.contains(&format!("style-src 'sha256-{}';", hash(style))), "{policy}");
        assert!(policy.contains(&format!("script-src 'sha256-{}';", hash(script))), "{policy}");
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
        for directive in
            ["connect-src 'self'", "base-uri 'none'", "form-action 'none'", "trusted-types 'none'"]
        {
            assert!(policy.contains(directive), "{directive}");
        }
        assert_eq!(page.matches("<script").count(), 2, "the script and the block of data");
        assert!(is_ours(page.as_bytes()) && !is_ours(b"<!doctype html><title>Verify</title>"));
    }

    /// The sources hold nothing that would end their element, no markup that is made from text, and no other site.
    #[test]
    fn nothing_becomes_markup_and_nothing_comes_from_elsewhere() {
        for text in SCRIPTS.iter().chain(&[STYLE]) {
            for forbidden in [
                "</",
                "<!--",
                "innerHTML",
                "outerHTML",
                "insertAdjacent",
                "document.write",
                "eval(",
                "Function(",
                "setAttribute",
                "createContextualFragment",
                "DOMParser",
                "localStorage",
            ] {
                assert!(!text.contains(forbidden), "{forbidden}");
            }
        }
        assert!(!STYLE.contains("@import") && !STYLE.contains("url("));
        let (_, page) = page("did:web:issuer.example", None, &[".well-known", "did.json"]);
        for forbidden in [" src=", " style=", " onclick=", "<img", "<iframe", "<base", "<link", "action="] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        let urls: Vec<&str> =
            page.match_indices("https://").map(|(at, _)| &page[at..(at + 30).min(page.len())]).collect();
        let known = |url: &&&str| {
            ["https://www.w3.org/ns/credenti", "https://…", "https://'"]
                .iter()
                .any(|known| url.starts_with(known))
        };
        assert_eq!(urls.iter().find(|url| !known(url)), None);
    }

    #[test]
    fn the_page_knows_its_site() {
        let (path, alone) = page("did:web:issuer.example", None, &[".well-known", "did.json"]);
        assert_eq!(path.url_path(), "/verify/index.html");
        assert_eq!(
            site(&alone),
            serde_json::json!({
                "issuer": "did:web:issuer.example", "hosts": ["issuer.example"], "address": null,
                "root": "../", "keys": "../.well-known/did.json",
            })
        );
        let base = "https://cdn.example:8443/units/a/";
        let (path, below) = page("did:web:issuer.example:units:a", Some(base), &["units", "a", "did.json"]);
        assert_eq!(path.url_path(), "/units/a/verify/index.html");
        let site = site(&below);
        assert_eq!(site["hosts"], serde_json::json!(["issuer.example", "cdn.example:8443"]));
        assert_eq!(site["address"], "https://cdn.example:8443/units/a/verify/");
        assert_eq!(site["keys"], "../../../units/a/did.json");
    }

    #[test]
    fn data_cannot_end_its_element() {
        let hostile = "</script><script>alert(1)</script>&";
        let site =
            Site { issuer: hostile, hosts: vec![hostile], address: None, root: "", keys: hostile.to_owned() };
        let block = data_block(&site);
        assert!(!block.contains(['<', '>', '&']), "{block}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&block).unwrap()["issuer"], hostile);
    }
}
