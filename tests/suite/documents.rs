//! Tests that the documents contain the diagrams of the crate documentation.

/// Documents that contain the diagrams of the crate documentation.
const DOCUMENTS: [&str; 3] =
    [include_str!("../../README.md"), include_str!("../../docs/guide.md"), include_str!("../../docs/architecture.md")];

/// Returns the diagrams of a document, or of the documentation at the top of a module.
fn drawings(text: &str) -> Vec<String> {
    let lines =
        text.lines().map(|line| line.strip_prefix("//!").map_or(line, |doc| doc.strip_prefix(' ').unwrap_or(doc)));
    let lines: Vec<_> = lines.collect();
    let blocks = lines.split(|line| line.starts_with("```")).map(|block| block.join("\n"));
    blocks.filter(|block| block.contains("──")).collect()
}

#[test]
fn drawings_in_rustdoc_equal_those_in_documents() {
    let documentation =
        [include_str!("../../src/lib.rs"), include_str!("../../src/integration/state.rs")].map(drawings).concat();
    assert_eq!(documentation.len(), 3);
    let documents = DOCUMENTS.map(drawings).concat();
    for drawing in documentation {
        assert!(documents.contains(&drawing), "not in the documents:\n{drawing}");
    }
}
