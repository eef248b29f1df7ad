#!/usr/bin/env python3
"""Tests of the checks in this folder: each violation is reported, and correct trees pass.

    .ci/self_test.py
"""

import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
import check_external_types
import check_levels
import check_prose
import rust_source

LEVELS = """
[levels]
domain = 1
error = 2
guidance = 2
ports = 3
plan = 4
lib = 5

[crates]
"aws_*" = ["ports"]
"""


def write(root, files):
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


class Lexer(unittest.TestCase):
    def test_comments_and_strings_are_told_apart(self):
        source = "let a = \"// no\"; // yes\nlet b = r#\"/* \" no */\"#; /* yes /* nested */ */ let c = '\"'; /// doc\nfn f<'a>() {}"
        tokens, comments = rust_source.read(source)
        self.assertEqual([comment.text for comment in comments], ["// yes", "/* yes /* nested */ */", "/// doc"])
        self.assertEqual([token.text for token in tokens if token.kind == "string"], ['"// no"', 'r#"/* " no */"#'])
        self.assertIn("'\"'", [token.text for token in tokens])
        self.assertIn("'a", [token.text for token in tokens])

    def test_lines_are_counted_through_strings(self):
        tokens, _ = rust_source.read('let a = "one\ntwo";\nlet b = 1;')
        self.assertEqual([token.line for token in tokens if token.text == "b"], [3])


class Levels(unittest.TestCase):
    CLEAN = {
        "src/lib.rs": "mod domain;\nmod error;\nmod guidance;\npub mod ports;\npub mod plan;\npub use domain::Name;\n",
        "src/domain/mod.rs": "mod name;\npub use name::Name;\npub(crate) mod json;\n",
        "src/domain/name.rs": "pub struct Name;\n",
        "src/domain/json.rs": "pub(crate) fn write() {}\n",
        "src/error.rs": "use crate::domain::Name;\npub struct Error(Name);\n",
        "src/guidance.rs": "pub struct Warning;\n",
        "src/ports/mod.rs": "pub use crate::domain::Name;\npub use client::Client;\nmod client;\nuse aws_types::Region;\n",
        "src/ports/client.rs": "use super::Name;\nuse crate::error::Error;\npub trait Client { fn name(&self) -> Result<Name, Error>; }\n",
        "src/plan/mod.rs": "use crate::ports::{self, Client as _};\nmod step;\nfn f(_: ports::Name) {}\n",
        "src/plan/step.rs": "use super::*;\n",
    }

    def check(self, **changed):
        files = dict(self.CLEAN)
        files |= {("src/" + name.replace("__", "/") + ".rs"): text for name, text in changed.items() if name != "levels"}
        files[".ci/levels.toml"] = changed.get("levels", LEVELS)
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory).resolve()
            write(root, files)
            return check_levels.check(root)[0]

    def assert_found(self, findings, *expected):
        for text in expected:
            self.assertTrue(any(text in finding for finding in findings), f"{text!r} is not in {findings}")

    def test_clean(self):
        self.assertEqual(self.check(), [])

    def test_upward_import(self):
        findings = self.check(domain__json="\nuse crate::error::Error;\n")
        self.assert_found(
            findings,
            "src/domain/json.rs:2: imports Error from module error (level 2), but is in module domain (level 1)",
            "circle: domain, error",
        )

    def test_nested_braces_renames_globs_and_self(self):
        source = "use crate::{\n    error::{\n        self,\n    },\n    plan::{step::*},\n    ports::{Client as Port},\n};\n"
        findings = self.check(domain__json=source)
        self.assert_found(
            findings,
            "json.rs:3: imports error from module error",
            "json.rs:5: imports step from module plan",
            "json.rs:6: imports Client from module ports",
        )

    def test_paths_in_code_and_super(self):
        findings = self.check(domain__name="pub struct Name;\nfn f() -> crate::error::Error { super::super::plan::f() }\n")
        self.assert_found(findings, "name.rs:2: imports Error from module error", "name.rs:2: imports f from module plan")

    def test_macro_bodies_and_exported_macros(self):
        trace = "macro_rules! span { () => { crate::plan::f() }; }\npub(crate) use span;\nmacro_rules! other { () => { $crate::plan::f() }; }\n"
        findings = self.check(error="pub struct Error;\nfn f() { crate::ports::span!(); }\n", ports__mod=trace)
        self.assert_found(
            findings,
            "error.rs:2: imports span from module ports",
            "ports/mod.rs:1: imports f from module plan",
            "ports/mod.rs:3: imports f from module plan",
        )

    def test_attributes(self):
        source = '#[cfg_attr(feature = "serde", serde(with = "crate::plan::date"))]\npub struct Name;\n'
        self.assert_found(self.check(domain__name=source), "name.rs:1: imports date from module plan")

    def test_test_modules(self):
        source = "pub(crate) fn write() {}\n#[cfg(test)]\nmod tests {\n    use crate::plan;\n}\n"
        self.assert_found(self.check(domain__json=source), "json.rs:4: imports plan from module plan")

    def test_imports_in_functions(self):
        source = "pub(crate) fn write() {\n    use crate::error as e;\n}\n"
        self.assert_found(self.check(domain__json=source), "json.rs:2: imports error from module error")

    def test_reexport_counts_for_both_modules(self):
        # `plan` re-exports what `ports` defines.
        plan = "pub use crate::ports::Client;\n"
        findings = self.check(plan__mod=plan, plan__step="", error="pub struct Error;\nuse crate::plan::Client;\n")
        self.assert_found(
            findings, "error.rs:2: imports Client from module plan", "error.rs:2: imports Client from module ports"
        )

    def test_glob_reexport(self):
        plan = "pub use crate::ports::*;\n"
        findings = self.check(plan__mod=plan, plan__step="", error="pub struct Error;\nuse crate::plan::Client;\n")
        self.assert_found(findings, "error.rs:2: imports Client from module ports")

    def test_reexport_behind_an_imported_module(self):
        # The declaration `use crate::domain` is allowed; what is behind `domain::up` is not.
        mod = self.CLEAN["src/domain/mod.rs"] + "pub use crate::plan as up;\n"
        findings = self.check(domain__mod=mod, error="use crate::domain;\npub struct Error;\nfn f() { domain::up::f() }\n")
        self.assert_found(findings, "error.rs:3: imports f from module plan")

    def test_crate_root(self):
        findings = self.check(error="pub struct Error;\nuse crate::Name;\n")
        self.assert_found(findings, "error.rs:2: imports Name from module lib (level 5)")

    def test_sibling_and_exceptions(self):
        guidance = "use crate::error::Error;\npub struct Warning;\n"
        self.assert_found(self.check(guidance=guidance), "guidance.rs:1: imports Error from module error (level 2)")
        exception = '[[exceptions]]\nfrom = "guidance"\nto = "error"\nreason = "a warning explains an error"\n'
        self.assertEqual(self.check(guidance=guidance, levels=LEVELS + exception), [])
        self.assert_found(self.check(levels=LEVELS + exception), "exception from guidance to error is not needed")
        upward = exception.replace('to = "error"', 'to = "plan"')
        findings = self.check(guidance="use crate::plan::f;\npub struct Warning;\n", levels=LEVELS + upward)
        self.assert_found(findings, "guidance.rs:1: imports f from module plan")

    def test_circle_between_siblings(self):
        both = "".join(
            f'[[exceptions]]\nfrom = "{a}"\nto = "{b}"\nreason = "r"\n' for a, b in (("guidance", "error"), ("error", "guidance"))
        )
        findings = self.check(
            guidance="use crate::error::Error;\npub struct Warning;\n",
            error="use crate::guidance::Warning;\npub struct Error;\n",
            levels=LEVELS + both,
        )
        self.assert_found(findings, "circle: error, guidance")

    def test_unlisted_module(self):
        self.assert_found(self.check(extra="use crate::plan;\n"), "module extra is not in .ci/levels.toml")

    def test_crates_of_named_modules(self):
        findings = self.check(error="use aws_types::Region;\npub struct Error;\nfn f() -> aws_types::Region { ::aws_types::g() }\n")
        self.assert_found(findings, "error.rs:1: names the crate aws_types", "error.rs:3: names the crate aws_types")

    def test_comments_documentation_and_strings_are_no_imports(self):
        source = (
            "//! See [`crate::plan`].\n/// [`Plan`](crate::plan::Plan), [`super::super::plan`].\npub struct Name; // crate::plan::f\n"
            '/* use crate::plan; */\nfn f() -> &\'static str { "use crate::plan::f" }\n'
            '#[doc = "crate::plan::f"]\n#[deprecated(note = "use crate::plan::f")]\nfn g() {}\n'
        )
        self.assertEqual(self.check(domain__name=source), [])

    def test_fields_and_local_names_are_no_imports(self):
        source = "pub struct Name;\nfn f(plan: Name) { let _ = plan.error::<u8>(); Self::plan(); plan::<u8>(); }\n"
        self.assertEqual(self.check(domain__name=source), [])


class Prose(unittest.TestCase):
    SETTINGS = (Path(__file__).resolve().parent / "prose.toml").read_text(encoding="utf-8").split("# Exceptions.")[0]

    def check(self, files, settings=""):
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory).resolve()
            write(root, {".ci/prose.toml": self.SETTINGS + settings} | files)
            prose = check_prose.Prose(root)
            return prose.check(), prose.summary

    def assert_found(self, findings, *expected):
        for text in expected:
            self.assertTrue(any(text in finding for finding in findings), f"{text!r} is not in {findings}")

    def test_clean(self):
        source = "//! Module of names.\n\n/// Returns the name, whether or not it is set.\npub fn name() {} // What a name is.\n"
        files = {"src/lib.rs": source, "README.md": "Sets up AWS.\n", "examples/a.rs": source}
        findings, summary = self.check(files)
        self.assertEqual(findings, [])
        self.assert_found(summary, "0 of 2 documentation comments in src (0.0 %")

    def test_openings(self):
        for word in "What Whether Who Whom Whose Where Why When How Which".split() + ["The same"]:
            findings, _ = self.check({"src/lib.rs": f"//! {word} is there.\n", "examples/a.rs": f"/// {word}, but b.\nfn f() {{}}\n"})
            self.assert_found(findings, f"src/lib.rs:1: the documentation opens with `{word}`", f"examples/a.rs:1: the documentation opens with `{word}`")

    def test_openings_of_all_comments_in_strict_groups(self):
        source = "// What it is.\nfn f() {}\n\n/// Why.\nfn g() {} // Returns.\n"
        findings, summary = self.check({"benches/a.rs": source, "tests/b/c.rs": source, "src/lib.rs": "// What it is.\n"})
        self.assertEqual(len(findings), 4, findings)
        self.assert_found(findings, "benches/a.rs:1: the comment opens with `What`", "tests/b/c.rs:4: the comment opens with `Why`")
        self.assert_found(summary, "2 of 3 comments in benches (66.7 %, limit 0.0 %)", "0 of 0 documentation comments in src")
        findings, _ = self.check({"tests/a.rs": "// The same call succeeds.\nfn f() {}\n/// The same.\nfn g() {}\n"})
        self.assertEqual([finding.split(": ")[0] for finding in findings], ["tests/a.rs:3"])
        findings, _ = self.check({"tests/a.rs": "// What it is.\n" + "// Text.\nfn f() {}\n" * 99})
        self.assert_found(findings, "tests/a.rs:1: ")

    def test_only_the_first_line_of_a_block_opens_it(self):
        source = "/// Returns the name,\n/// When it is set.\n///\n/// What is more.\npub fn name() {}\n// What a name is.\n/// Whichever.\nfn f() {}\n"
        self.assertEqual(self.check({"src/lib.rs": source})[0], [])

    def test_each_field_has_its_block(self):
        source = "struct S {\n    /// What it is.\n    a: u8,\n    #[cfg(x)]\n    /// Name.\n    b: u8,\n}\n/** Why. */\nfn f() {}\n"
        findings, summary = self.check({"src/lib.rs": source})
        self.assert_found(findings, "lib.rs:2: ", "lib.rs:8: the documentation opens with `Why`")
        self.assert_found(summary, "2 of 3 documentation comments")

    def test_openings_below_the_limit_are_notes(self):
        source = "/// What it is.\nfn a() {}\n" + "/// Returns.\nfn f() {}\n" * 60
        findings, summary = self.check({"src/lib.rs": source})
        self.assertEqual(findings, [])
        self.assert_found(summary, "note: src/lib.rs:1: ")

    def test_idioms(self):
        phrases = ["anew", "Whoever", "nobody", "somebody", "is none", "so already", "What is the case", "stands in", "by AWS's word"]
        for phrase in phrases:
            files = {
                "src/lib.rs": f"// It {phrase} goes.\n",
                "src/a.rs": f'const A: &str = "it {phrase} goes";\n',
                "examples/a.rs": f"/// It {phrase} goes.\nfn f() {{}}\n",
                "README.md": f"\nIt {phrase} goes.\n",
                "CHANGELOG.md": f"It {phrase} goes.",
                "docs/guide.md": f"* It {phrase} goes.\n",
            }
            findings, _ = self.check(files)
            self.assertEqual(len(findings), len(files), findings)
            self.assert_found(findings, f"src/lib.rs:1: banned idiom `{phrase}`", f"README.md:2: banned idiom `{phrase}`")

    def test_idioms_across_lines(self):
        files = {
            "src/lib.rs": "/// The trust is\n/// none of these.\nfn f() {}\n",
            "src/a.rs": 'const A: &str = "this is so \\\n    already";\n',
            "README.md": "This stands\nin the way.\n",
            "docs/a.md": "> by AWS's\n> word\n",
        }
        findings, _ = self.check(files)
        self.assert_found(
            findings, "src/lib.rs:1: ", "src/a.rs:1: banned idiom `so already`", "README.md:1: banned idiom `stands in`", "docs/a.md:1: "
        )

    def test_idioms_in_comments_of_tests(self):
        source = '// It stands in.\n/// Nobody.\nfn nobody() { let _ = "anew"; }\n'
        findings, _ = self.check({"tests/a.rs": source, "benches/b/c.rs": source})
        self.assertEqual(len(findings), 4, findings)
        self.assert_found(findings, "tests/a.rs:1: banned idiom `stands in`", "benches/b/c.rs:2: banned idiom `Nobody`")

    def test_idioms_in_names(self):
        self.assert_found(self.check({"src/lib.rs": "fn somebody_else() {}\n"})[0], "lib.rs:1: banned idiom `somebody`")

    def test_parts_of_words_and_other_paragraphs_are_no_idioms(self):
        files = {
            "src/lib.rs": "// It is renewed, x.is_none(), `is` `none`.\n// This is\n//\n// none.\n// Is: a thing\nfn is() {} // none\n",
            "README.md": "What it is\n\nnone\n\n* it is\n* none\n\n| so | already |\n",
        }
        self.assertEqual(self.check(files)[0], [])

    def test_width(self):
        long = "word " * 20
        files = {
            "src/lib.rs": f"// {long}\n/// {long}\nfn f() {{}} // {'word ' * 16}\n/* {long} */\n",
            "tests/a.rs": f"//! {long}\n",
        }
        findings, _ = self.check(files)
        self.assert_found(findings, *(f"src/lib.rs:{line}: a comment of" for line in (1, 2, 4)), "tests/a.rs:1: a comment of")
        self.assertEqual(len(findings), 4)

    def test_what_cannot_be_wrapped_may_be_wide(self):
        url = "https://docs.aws.amazon.com/" + "a" * 90
        source = (
            f"//! <{url}>\n//! [name]: {url}\n//! * {url}.\n//! [text]({url})\n//! | {'word ' * 20} |\n"
            f"//! [`Name`](crate::{'a::' * 30}Name),\nconst A: &str = \"// {'word ' * 20}\";\n"
        )
        self.assertEqual(self.check({"src/lib.rs": source})[0], [])
        self.assert_found(self.check({"src/lib.rs": f"// See {url}\n"})[0], "lib.rs:1: a comment of")
        self.assert_found(self.check({"src/lib.rs": f"// {'a' * 100}\n"})[0], "lib.rs:1: a comment of")

    def test_exceptions(self):
        allow = '[[allow]]\ncheck = "idiom"\nfile = "README.md"\ntext = "stands in"\nreason = "quoted"\n'
        self.assertEqual(self.check({"README.md": "It stands in.\n"}, allow)[0], [])
        self.assert_found(self.check({"README.md": "It is.\n"}, allow)[0], "the exception for README.md is not needed")
        self.assert_found(self.check({"README.md": "Somebody stands in.\n", "CHANGELOG.md": "stands in\n"}, allow)[0], "CHANGELOG.md:1: ")


class ExternalTypes(unittest.TestCase):
    ALLOW = '[[allow]]\ncrate = "aws_types"\nmodule = "aws"\nreason = "configuration"\n'

    def check(self, api, allow=ALLOW):
        with tempfile.TemporaryDirectory() as root:
            for name, text in {".ci/external_types.toml": allow, "tests/public_api.txt": api}.items():
                (Path(root) / name).parent.mkdir(exist_ok=True)
                (Path(root) / name).write_text(text)
            return check_external_types.check(Path(root))

    def test_allowed_types(self):
        api = "pub fn ssm_organizations::aws::AwsClient::new(&aws_types::SdkConfig) -> core::option::Option<u8>\n"
        self.assertEqual(self.check(api), [])

    def test_type_outside_its_module(self):
        api = "pub fn ssm_organizations::aws::a(&aws_types::A)\npub fn ssm_organizations::plan::b(&aws_types::A)\n"
        self.assertEqual([finding.split(": ")[0] for finding in self.check(api)], ["tests/public_api.txt:2"])

    def test_type_that_is_not_listed(self):
        api = "pub fn ssm_organizations::aws::a(&aws_types::A, http::Uri)\n"
        self.assertIn("type of http", self.check(api)[0])

    def test_exception_that_is_not_needed(self):
        self.assertIn("aws_types is not in the public API", self.check("pub mod ssm_organizations\n")[0])


if __name__ == "__main__":
    unittest.main()
