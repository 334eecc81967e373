//! The OpenAPI document is a promise: it is kept as a golden file.

use std::path::PathBuf;

use crate::support::root;

#[test]
fn the_openapi_document_is_the_golden_one() {
    let made = serde_json::to_string_pretty(&tantei::http::document()).unwrap() + "\n";
    let golden: PathBuf = root().join("docs/openapi.json");
    if std::env::var_os("TANTEI_BLESS").is_some() {
        std::fs::write(&golden, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&golden).unwrap_or_default();
    assert!(made == kept, "docs/openapi.json differs: TANTEI_BLESS=1 cargo test --test it openapi writes it");
}
