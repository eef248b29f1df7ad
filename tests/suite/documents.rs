//! What is drawn twice is drawn alike.

const README: &str = include_str!("../../README.md");

/// The drawings of a page, or of the documentation at the top of a module.
fn drawings(text: &str) -> Vec<String> {
    let lines =
        text.lines().map(|line| line.strip_prefix("//!").map_or(line, |doc| doc.strip_prefix(' ').unwrap_or(doc)));
    let lines: Vec<_> = lines.collect();
    let blocks = lines.split(|line| line.starts_with("```")).map(|block| block.join("\n"));
    blocks.filter(|block| block.contains("──")).collect()
}

#[test]
fn the_readme_has_the_drawings_of_the_documentation() {
    let documentation = [include_str!("../../src/lib.rs"), include_str!("../../src/state.rs")].map(drawings).concat();
    assert_eq!(documentation.len(), 3);
    let readme = drawings(README);
    for drawing in documentation {
        assert!(readme.contains(&drawing), "not in the README:\n{drawing}");
    }
}
