//! The `_headers` file, by which static hosts (Netlify, Cloudflare Pages and others) are told the headers of each file.
//!
//! A host that does not read it needs the same from its own settings: most files of the site have no ending from which
//! a media type could be guessed. Cloudflare Pages reads the first 100 rules of the file alone.

use super::{Kind, SitePath};

/// For every file: any web page may read it, and none may take it for something else (SD-JWT VC section 7.2).
///
/// Hosts join the values of a header that two matching rules set, so no other rule sets these two.
const EVERY_FILE: &str = "/*\n  Access-Control-Allow-Origin: *\n  X-Content-Type-Options: nosniff\n";

/// The text of the file, for these files.
pub fn text<'f>(files: impl IntoIterator<Item = (&'f SitePath, Kind)>) -> String {
    let mut text = EVERY_FILE.to_owned();
    for (path, kind) in files {
        let (path, media_type, max_age) = (path.url_path(), kind.media_type(), kind.max_age_seconds());
        text.push_str(&format!(
            "\n{path}\n  Content-Type: {media_type}\n  Cache-Control: public, max-age={max_age}\n"
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_its_media_type() {
        let path = |text: &str| SitePath::of_segments(text.split('/').map(str::to_owned));
        let files = [
            (path(".well-known/jwks.json"), Kind::Jwks),
            (path("a b/did.json"), Kind::DidDocument),
            (path("contexts/v1"), Kind::Context),
            (path("status/1.jwt"), Kind::TokenList),
            (path("status/2.jwt"), Kind::BitstringList),
            (path("status/aggregation.json"), Kind::Aggregation),
        ];
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

/status/1.jwt
  Content-Type: application/statuslist+jwt
  Cache-Control: public, max-age=300

/status/2.jwt
  Content-Type: application/vc+jwt
  Cache-Control: public, max-age=300

/status/aggregation.json
  Content-Type: application/json
  Cache-Control: public, max-age=300
";
        assert_eq!(text(files.iter().map(|(path, kind)| (path, *kind))), expected);
    }
}
