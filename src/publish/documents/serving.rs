//! How web servers serve the site: which headers each file gets, as settings for those who need them.
//!
//! | file | read by |
//! | --- | --- |
//! | `_headers` | static hosts such as Netlify and Cloudflare Pages |
//! | `server/nginx.conf` | nginx, by `include` in a `server` block |
//! | `server/Caddyfile` | Caddy, by itself or by `import` |
//!
//! Most files of the site have no ending from which a media type could be guessed, and the two forms of a list have
//! one ending and two media types. So each form has a folder, `status/token` and `status/bitstring`, and a rule for the
//! whole folder: settings that were loaded once stay right when lists are added. Other files have a rule each. All three
//! settings are made from one set of [`ServingRules`].

use super::{DocumentKind, Hosts, SiteDocument, SitePath};

/// For every file: any web page may read it, and none may take it for something else (SD-JWT VC section 7.2).
const FOR_EVERY_FILE: [(&str, &str); 2] =
    [("Access-Control-Allow-Origin", "*"), ("X-Content-Type-Options", "nosniff")];

/// Which files have which headers.
#[derive(Debug)]
pub struct ServingRules(Vec<HeaderRule>);

#[derive(Debug)]
struct HeaderRule {
    place: SitePath,
    /// Whether the place is a folder, with everything in it.
    is_folder: bool,
    kind: DocumentKind,
}

impl ServingRules {
    /// The rules for these files. `lists` is the folder in which folders of lists stand; they have rules before there is
    /// any list.
    pub fn of<'f>(
        files: impl IntoIterator<Item = (&'f SitePath, DocumentKind)>,
        lists: &SitePath,
    ) -> ServingRules {
        let mut rules: Vec<HeaderRule> = [DocumentKind::TokenList, DocumentKind::BitstringList]
            .into_iter()
            .filter_map(|kind| {
                Some(HeaderRule { place: lists.below(kind.list_folder()?), is_folder: true, kind })
            })
            .collect();
        for (path, kind) in files {
            let folder = path.folder();
            let has_folder = kind.folder_with_headers().is_some_and(|name| folder.ends_in(name));
            let place = if has_folder { folder } else { path.clone() };
            if !rules.iter().any(|rule| rule.place == place) {
                rules.push(HeaderRule { place, is_folder: has_folder, kind });
            }
        }
        rules.sort_by(|one, other| one.place.cmp(&other.place));
        ServingRules(rules)
    }
}

impl HeaderRule {
    fn media_type(&self) -> &'static str {
        self.kind.media_type()
    }

    /// The headers beside the media type.
    fn others(&self) -> Vec<(&'static str, String)> {
        let caching = ("Cache-Control", format!("public, max-age={}", self.kind.max_age_seconds()));
        let own = self.kind.own_headers().iter().map(|&(name, value)| (name, value.to_owned()));
        own.chain([caching]).collect()
    }

    /// The place as a pattern in which `*` stands for anything; the path's own stars are percent-encoded.
    fn pattern(&self) -> String {
        self.place.url_path() + if self.is_folder { "/*" } else { "" }
    }
}

/// The settings for every kind of server.
pub fn documents(rules: &ServingRules, hosts: &Hosts) -> [SiteDocument; 3] {
    let settings = |path: &[&str], kind, text: String| SiteDocument {
        path: SitePath::known(path),
        kind,
        bytes: text.into_bytes(),
    };
    [
        settings(&["_headers"], DocumentKind::Headers, headers(rules)),
        settings(&["server", "nginx.conf"], DocumentKind::ServerSettings, nginx(rules, hosts)),
        settings(&["server", "Caddyfile"], DocumentKind::ServerSettings, caddy(rules, hosts)),
    ]
}

/// The text of `_headers`. Hosts join the values of a header that two matching rules set, so no header is set twice.
/// Cloudflare Pages reads the first 100 rules alone.
fn headers(rules: &ServingRules) -> String {
    let mut text = "/*\n".to_owned();
    for (name, value) in FOR_EVERY_FILE {
        text.push_str(&format!("  {name}: {value}\n"));
    }
    for rule in &rules.0 {
        text.push_str(&format!("\n{}\n  Content-Type: {}\n", rule.pattern(), rule.media_type()));
        for (name, value) in rule.others() {
            text.push_str(&format!("  {name}: {value}\n"));
        }
    }
    text
}

/// Settings for nginx, which compares paths percent-decoded. A `location` with headers of its own has no others, so each
/// has all of them.
fn nginx(rules: &ServingRules, hosts: &Hosts) -> String {
    let names: Vec<&str> = hosts.names().map(without_port).collect();
    let name = if names.is_empty() { "_".to_owned() } else { names.join(" ") };
    let mut text = format!(
        "# Written by `beltic publish`. Include it in a server block whose root is the site:\n\
         #\n\
         #     server {{\n\
         #         server_name {name};\n\
         #         root /srv/site;\n\
         #         include /srv/site/server/nginx.conf;\n\
         #     }}\n"
    );
    for file in SETTINGS {
        text.push_str(&format!("\nlocation = {file} {{\n    return 404;\n}}\n"));
    }
    for rule in &rules.0 {
        let (operator, end) = if rule.is_folder { ("^~", "/") } else { ("=", "") };
        let path = rule.place.segments().join("/").replace('"', "\\\"");
        let media_type = rule.media_type();
        text.push_str(&format!(
            "\nlocation {operator} \"/{path}{end}\" {{\n    types {{ }}\n    default_type {media_type};\n"
        ));
        for (name, value) in FOR_EVERY_FILE {
            text.push_str(&format!("    add_header {name} \"{value}\" always;\n"));
        }
        for (name, value) in rule.others() {
            text.push_str(&format!("    add_header {name} \"{value}\";\n"));
        }
        text.push_str("}\n");
    }
    text
}

/// Settings for Caddy, which compares paths as they are written where they have a `%`.
fn caddy(rules: &ServingRules, hosts: &Hosts) -> String {
    let names: Vec<&str> = hosts.names().collect();
    let address = if names.is_empty() { ":8080".to_owned() } else { names.join(", ") };
    let mut text = format!(
        "# Written by `beltic publish`. The site is in the folder that the variable SITE names:\n\
         #\n\
         #     SITE=/srv/site caddy run --config /srv/site/server/Caddyfile --adapter caddyfile\n\
         \n{address} {{\n\troot * {{$SITE:/srv/site}}\n"
    );
    for (name, value) in FOR_EVERY_FILE {
        text.push_str(&format!("\theader {name} \"{value}\"\n"));
    }
    for rule in &rules.0 {
        text.push_str(&format!("\n\theader {} {{\n", rule.pattern()));
        text.push_str(&format!("\t\tContent-Type \"{}\"\n", rule.media_type()));
        for (name, value) in rule.others() {
            text.push_str(&format!("\t\t{name} \"{value}\"\n"));
        }
        text.push_str("\t}\n");
    }
    text.push('\n');
    for file in SETTINGS {
        text.push_str(&format!("\trespond {file} 404\n"));
    }
    text + "\tfile_server\n}\n"
}

/// The files for servers alone, which they do not serve.
const SETTINGS: [&str; 3] = ["/_headers", "/server/nginx.conf", "/server/Caddyfile"];

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::tests::key;
    use super::*;
    use crate::issuer::Issuer;

    fn path(text: &str) -> SitePath {
        SitePath::of_segments(text.split('/').map(str::to_owned))
    }

    /// The texts of the three settings.
    fn settings(base: Option<&str>) -> [String; 3] {
        let files = [
            (path(".well-known/jwks.json"), DocumentKind::Jwks),
            (path("a b/did.json"), DocumentKind::DidDocument),
            (path("contexts/v1"), DocumentKind::Context),
            (path("lists/status/token/1.jwt"), DocumentKind::TokenList),
            (path("lists/status/token/2.jwt"), DocumentKind::TokenList),
            (path("lists/status/bitstring/1.jwt"), DocumentKind::BitstringList),
            (path("status/old.jwt"), DocumentKind::TokenList),
            (path("status/aggregation.json"), DocumentKind::Aggregation),
            (path("lists/verify/index.html"), DocumentKind::VerifyPage),
        ];
        let rules = ServingRules::of(files.iter().map(|(path, kind)| (path, *kind)), &path("status"));
        let issuer = Issuer::parse("did:web:issuer.example", &key()).unwrap();
        let hosts = Hosts::new(&issuer, base).unwrap();
        documents(&rules, &hosts).map(|document| String::from_utf8(document.bytes).unwrap())
    }

    #[test]
    fn folders_of_lists_have_one_rule_and_other_files_one_each() {
        let expected = "\
/*
  Access-Control-Allow-Origin: *
  X-Content-Type-Options: nosniff

/.well-known/jwks.json
  Content-Type: application/jwk-set+json
  Cache-Control: public, max-age=3600

/a%20b/did.json
  Content-Type: application/did+json
  Cache-Control: public, max-age=3600

/contexts/v1
  Content-Type: application/ld+json
  Cache-Control: public, max-age=86400

/lists/status/bitstring/*
  Content-Type: application/vc+jwt
  Cache-Control: public, max-age=300

/lists/status/token/*
  Content-Type: application/statuslist+jwt
  Cache-Control: public, max-age=300

/lists/verify/*
  Content-Type: text/html
  Content-Security-Policy: frame-ancestors 'none'
  Referrer-Policy: no-referrer
  Cache-Control: public, max-age=300

/status/aggregation.json
  Content-Type: application/json
  Cache-Control: public, max-age=300

/status/bitstring/*
  Content-Type: application/vc+jwt
  Cache-Control: public, max-age=300

/status/old.jwt
  Content-Type: application/statuslist+jwt
  Cache-Control: public, max-age=300

/status/token/*
  Content-Type: application/statuslist+jwt
  Cache-Control: public, max-age=300
";
        assert_eq!(settings(None)[0], expected);
    }

    #[test]
    fn servers_are_told_the_same_of_every_folder_and_file() {
        let [headers, nginx, caddy] = settings(Some("https://cdn.example:8443/lists"));
        let patterns: Vec<&str> = headers.lines().filter(|line| line.starts_with('/')).skip(1).collect();
        assert_eq!(patterns.len(), 10);
        let media_type = |pattern: &str| {
            let rule = headers.split("\n\n").find(|rule| rule.lines().next() == Some(pattern)).unwrap();
            rule.lines().nth(1).unwrap().trim().strip_prefix("Content-Type: ").unwrap().to_owned()
        };
        for pattern in patterns {
            let media_type = media_type(pattern);
            let location = match pattern.strip_suffix('*') {
                Some(folder) => format!("location ^~ \"{folder}\" {{"),
                None => format!("location = \"{}\" {{", pattern.replace("%20", " ")),
            };
            let block = nginx.split(&location).nth(1).unwrap_or_else(|| panic!("{location}: {nginx}"));
            let block = &block[..block.find("\n}").unwrap()];
            assert!(block.contains(&format!("default_type {media_type};")), "{block}");
            for header in ["Access-Control-Allow-Origin \"*\"", "X-Content-Type-Options", "Cache-Control"] {
                assert!(block.contains(header), "{header}: {block}");
            }
            let block = caddy.split(&format!("\theader {pattern} {{\n")).nth(1).unwrap();
            let block = &block[..block.find("\n\t}").unwrap()];
            assert!(block.contains(&format!("Content-Type \"{media_type}\"")), "{block}");
        }
        let framing = r#"Content-Security-Policy "frame-ancestors 'none'""#;
        for settings in [&nginx, &caddy] {
            assert_eq!(
                (
                    settings.matches(framing).count(),
                    settings.matches("Referrer-Policy \"no-referrer\"").count()
                ),
                (1, 1)
            );
        }
        assert!(caddy.contains("\nissuer.example, cdn.example:8443 {\n"), "{caddy}");
        assert!(nginx.contains("server_name issuer.example cdn.example;"), "{nginx}");
    }
}
