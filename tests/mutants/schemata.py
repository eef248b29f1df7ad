"""Writes mutants into Rust sources, each as an `if` that an environment variable chooses."""

from collections import defaultdict

import tree_sitter
import tree_sitter_rust

SWITCH = "MUTANT"
PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_rust.language()))
ON = "crate::mutants::on"
DOES_NOT_COMPILE = "does not compile"

# What every build with mutants has: which one is chosen, and for nextest which were reached.
RUNTIME = """
#[doc(hidden)]
#[allow(missing_docs, unreachable_pub, clippy::all)]
pub mod mutants {
    use std::io::Write;
    use std::path::PathBuf;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, Ordering};

    static CHOSEN: OnceLock<Option<usize>> = OnceLock::new();
    static REACHED: [AtomicBool; COUNT] = [const { AtomicBool::new(false) }; COUNT];
    static NOTES: OnceLock<Option<PathBuf>> = OnceLock::new();

    pub fn on(mutant: usize) -> bool {
        let chosen = *CHOSEN.get_or_init(|| std::env::var("MUTANT").ok()?.parse().ok());
        if chosen.is_none() && !REACHED[mutant].swap(true, Ordering::Relaxed) {
            note(mutant);
        }
        chosen == Some(mutant)
    }

    fn note(mutant: usize) {
        let notes = NOTES.get_or_init(|| {
            let notes = PathBuf::from(std::env::var_os("MUTANTS_REACHED")?).join(std::process::id().to_string());
            let (program, test) = (std::env::var("NEXTEST_BINARY_ID").ok()?, std::env::var("NEXTEST_TEST_NAME").ok()?);
            std::fs::write(&notes, format!("{program} {test}\n")).unwrap();
            Some(notes)
        });
        if let Some(notes) = notes {
            let mut notes = std::fs::OpenOptions::new().append(true).open(notes).unwrap();
            // In one piece, beside other threads.
            notes.write_all(format!("{mutant}\n").as_bytes()).unwrap();
        }
    }
}
"""


def rewrite(tree, mutants, out):
    """Writes into this tree the mutants that are not out, and answers those that cannot be written so, with the reason."""
    skipped = {}
    by_file = defaultdict(list)
    for number, mutant in enumerate(mutants):
        if number not in out:
            by_file[mutant["file"]].append((number, mutant))
    for file, of_file in by_file.items():
        source = (tree / file).read_bytes()
        (tree / file).write_bytes(Source(source).with_mutants(of_file, skipped))
    library = tree / "src" / "lib.rs"
    library.write_text(library.read_text() + RUNTIME.replace("COUNT", str(len(mutants))))
    return skipped


class Source:
    def __init__(self, text):
        self.text = text
        self.tree = PARSER.parse(text)
        self.lines = text.split(b"\n")
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)

    def offset(self, place):
        before = self.lines[place["line"] - 1].decode()[: place["column"] - 1]
        return self.starts[place["line"] - 1] + len(before.encode())

    def node(self, start, end, *kinds):
        node = self.tree.root_node.descendant_for_byte_range(start, end)
        while node and node.type not in kinds:
            node = node.parent
        return node

    def of(self, node):
        return self.text[node.start_byte : node.end_byte].decode()

    def with_mutants(self, mutants, skipped):
        places = defaultdict(list)
        for number, mutant in mutants:
            written = self.written(number, mutant)
            if isinstance(written, str):
                skipped[number] = written
            else:
                for start, end, wrap in written:
                    places[start, end].append(wrap)
        return self.rendered(0, len(self.text), nested(places), places).encode()

    def rendered(self, start, end, children, places):
        parts, at = [], start
        for (first, last), inner in children:
            text = self.rendered(first, last, inner, places)
            for wrap in places[first, last]:
                text = wrap(text)
            parts += [self.text[at:first].decode(), text]
            at = last
        return "".join([*parts, self.text[at:end].decode()])

    def written(self, number, mutant):
        """The places where the mutant is, and what it makes of the text of each; or why it cannot be."""
        start, end = self.offset(mutant["span"]["start"]), self.offset(mutant["span"]["end"])
        instead, on, mark = mutant["replacement"], f"{ON}({number})", f"/*M{number}*/"

        def either(other):
            return lambda text: f"(if {on} {{ {other}{mark} }} else {{ {text} }})"

        match mutant["genre"]:
            case "FnValue":
                body = self.node(start, end, "block")
                function = body and body.parent
                if not function or function.type != "function_item":
                    return "no function with a body"
                answer = (body.start_byte, body.end_byte, lambda text: f"{{ if {on} {{ return {instead};{mark} }} {text[1:]}")
                # What is chosen while the program runs is no constant.
                modifiers = [child for child in function.children if child.type == "function_modifiers"]
                constant = [word for child in modifiers for word in child.children if word.type == "const"]
                return [answer, *((word.start_byte, word.end_byte, lambda _: "") for word in constant)]
            case "BinaryOperator":
                whole = self.node(start, end, "binary_expression", "compound_assignment_expr", "let_chain")
                if has_let(whole):
                    return DOES_NOT_COMPILE
                left, right = (self.of(whole.child_by_field_name(side)) for side in ("left", "right"))
                if whole.type == "binary_expression":
                    left, right = f"({left})", f"({right})"
                return [(whole.start_byte, whole.end_byte, either(f"{left} {instead} {right}"))]
            case "UnaryOperator":
                whole = self.node(start, end, "unary_expression")
                return [(whole.start_byte, whole.end_byte, either(self.of(whole.children[-1])))]
            case "StructField":
                whole = self.node(start, end, "struct_expression")
                before, after = self.text[whole.start_byte : start], self.text[end : whole.end_byte]
                return [(whole.start_byte, whole.end_byte, either((before + after).decode()))]
            case "MatchArmGuard":
                return [(start, end, either(instead))]
            case "MatchArm":
                pattern = self.node(start, end, "match_arm").child_by_field_name("pattern")
                guard = pattern.child_by_field_name("condition")
                if guard:
                    return [(guard.start_byte, guard.end_byte, lambda text: f"(!{on}{mark} && ({text}))")]
                return [(pattern.end_byte, pattern.end_byte, lambda _: f" if !{on}{mark} ")]
            case genre:
                return f"{genre} is not written so"


def has_let(node):
    """A chain of lets, which has no other operator than its own."""
    inside = node.type in ("binary_expression", "let_chain")
    return node.type in ("let_condition", "let_chain") or (inside and any(map(has_let, node.children)))


def nested(places):
    """The places as a tree, outer ones first."""
    root = []
    open_ = [((0, float("inf")), root)]
    for place in sorted(places, key=lambda place: (place[0], -place[1])):
        while not (open_[-1][0][0] <= place[0] and place[1] <= open_[-1][0][1]):
            open_.pop()
        inner = []
        open_[-1][1].append((place, inner))
        open_.append((place, inner))
    return root
