//! The aggregation of an issuer's Token Status Lists (Token Status List section 9): one document that names them all.

use serde::Serialize;

use super::{DocumentKind, SiteDocument, SitePath, json_text};

#[derive(Serialize)]
struct Aggregation<'a> {
    status_lists: &'a [&'a str],
}

/// Where the document is published, under `status.base_url`: the `aggregation_uri` of each list.
pub fn url(base_url: &str) -> String {
    format!("{}/status/aggregation.json", base_url.trim_end_matches('/'))
}

/// The document that names these lists, in this order.
pub fn document(path: SitePath, status_lists: &[&str]) -> SiteDocument {
    SiteDocument { path, kind: DocumentKind::Aggregation, bytes: json_text(&Aggregation { status_lists }) }
}

/// Where the document is in a site whose lists have no URL.
pub fn path_without_url() -> SitePath {
    SitePath::known(&["status", "aggregation.json"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_the_lists_in_their_order() {
        let lists =
            ["https://issuer.example/status/token/b.jwt", "https://issuer.example/status/token/a.jwt"];
        let document = document(path_without_url(), &lists);
        let read: serde_json::Value = serde_json::from_slice(&document.bytes).unwrap();
        assert_eq!(read, serde_json::json!({ "status_lists": lists }));
    }

    #[test]
    fn it_stands_beside_the_lists() {
        for base in ["https://cdn.example/issuer", "https://cdn.example/issuer/"] {
            assert_eq!(url(base), "https://cdn.example/issuer/status/aggregation.json");
        }
    }
}
