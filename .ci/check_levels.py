#!/usr/bin/env python3
"""Checks that no module under src/ imports from a module of a higher level.

The levels are in `.ci/levels.toml`. Every `use` tree and every path in code counts, in macros and
in attributes such as `serde(with = "crate::…")` too. An import through a re-export counts as an
import of the module that its path names and of the module that defines the item. Comments and
documentation do not count.

    .ci/check_levels.py [--root DIRECTORY] [--edges]
"""

import argparse
import re
import sys
import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

sys.dont_write_bytecode = True
import rust_source

ITEMS = {"fn", "struct", "enum", "union", "trait", "type", "const", "static"}
# Words that can precede the keyword of an item, as in `pub async unsafe fn`.
QUALIFIERS = {"async", "unsafe", "extern", "default", "const", "safe", "mut"}
# Attributes whose strings are prose.
PROSE = {"doc", "deprecated", "must_use", "diagnostic", "expect", "allow", "error", "ignore", "should_panic"}
ANCHORS = {"crate", "self", "super"}
ANCHORED = re.compile(r"\b(?:crate|self|super)(?:::\w+)+")
PLAIN = re.compile(r"\w+(?:::\w+)*")
MACROS = {"macro_rules", "macro"}


@dataclass
class Module:
    """Module of the crate, from a file or inline."""

    path: tuple
    children: dict = field(default_factory=dict)
    items: set = field(default_factory=set)
    # Name to paths. A name can be bound in the type, value and macro namespaces, or under `cfg`.
    bindings: dict = field(default_factory=dict)
    globs: list = field(default_factory=list)
    # Bindings of `use` declarations inside functions. They are not visible from outside.
    local: dict = field(default_factory=dict)
    local_globs: list = field(default_factory=list)


@dataclass(frozen=True)
class Path_:
    """Path in the code of a module, as written."""

    segments: tuple
    file: Path
    line: int
    module: tuple
    imported: bool


class Crate:
    """All modules of a crate and all paths in them."""

    def __init__(self, source):
        self.source = source
        self.root = Module(())
        self.paths = []
        self.crates = []
        for file in sorted(source.rglob("*.rs")):
            self.read_file(file)

    def module(self, path):
        module = self.root
        for name in path:
            module = module.children.setdefault(name, Module((*module.path, name)))
        return module

    def read_file(self, file):
        parts = list(file.relative_to(self.source).with_suffix("").parts)
        if parts[-1] == "mod" or parts == ["lib"]:
            parts.pop()
        tokens, _ = rust_source.read(file.read_text(encoding="utf-8"))
        self.file = file
        self.tokens = tokens
        self.read_block(0, self.module(parts), module_level=True)

    def text(self, at):
        return self.tokens[at].text if 0 <= at < len(self.tokens) else ""

    def kind(self, at):
        return self.tokens[at].kind if 0 <= at < len(self.tokens) else ""

    def read_block(self, at, module, module_level):
        """Reads up to the brace that closes the block, and returns the position after it."""
        while at < len(self.tokens):
            text, kind = self.text(at), self.kind(at)
            if text == "}":
                return at + 1
            if text == "{":
                at = self.read_block(at + 1, module, module_level=False)
            elif text == "#" and self.text(at + 1) in ("[", "!"):
                at = self.read_attribute(at, module)
            elif kind == "word" and text == "use" and self.starts_item(at):
                at = self.read_use(at, module, module_level)
            elif kind == "word" and text == "mod" and self.kind(at + 1) == "word" and self.text(at + 2) in (";", "{"):
                name = self.text(at + 1)
                child = self.module((*module.path, name))
                at += 3
                if self.text(at - 1) == "{":
                    at = self.read_block(at, child, module_level=True)
            elif text in MACROS and self.text(at + 1) == "!" and self.kind(at + 2) == "word":
                module.items.add(self.text(at + 2))
                at += 3
            elif kind == "word" and text in ITEMS and self.kind(at + 1) == "word" and module_level:
                # In `const fn f` the item's keyword is the second word.
                if self.text(at + 1) not in ITEMS | QUALIFIERS:
                    module.items.add(self.text(at + 1))
                    at += 1
                at += 1
            elif kind == "word" or text == "::":
                at = self.read_path(at, module)
            else:
                at += 1
        return at

    def starts_item(self, at):
        """Tells a `use` declaration from `impl Trait + use<'a>`."""
        return self.text(at + 1) != "<"

    def read_attribute(self, at, module):
        """Reads the paths in an attribute, those in its strings among them."""
        at += 2 if self.text(at + 1) == "[" else 3
        prose = self.text(at) in PROSE
        depth = 1
        words = []
        while at < len(self.tokens) and depth:
            token = self.tokens[at]
            if token.text in "[({":
                depth += 1
            elif token.text in "])}":
                depth -= 1
            if token.kind == "string":
                # In `cfg_attr(…, doc = "…")` the prose is nested.
                if not prose and not PROSE & set(words[-2:]):
                    self.read_string(token, module)
                at += 1
            elif token.kind == "word":
                words.append(token.text)
                at = self.read_path(at, module)
            else:
                at += 1
        return at

    def read_string(self, token, module):
        text = token.text.strip('rb#"')
        found = ANCHORED.findall(text)
        if not found and PLAIN.fullmatch(text) and "::" in text:
            found = [text]
        for path in found:
            self.add(tuple(path.split("::")), token.line, module, imported=False)

    def read_path(self, at, module):
        """Reads `a::b::c`, and ignores what follows a dot, which is a field or a method."""
        absolute = self.text(at) == "::"
        if absolute and self.kind(at + 1) != "word":
            return at + 1
        first = at + 1 if absolute else at
        segments, line, end = [self.text(first)], self.tokens[first].line, first + 1
        while self.text(end) == "::" and self.kind(end + 1) == "word":
            segments.append(self.text(end + 1))
            end += 2
        before = self.text(at - 1)
        after_dot = before == "." and self.text(at - 2) != "."
        # After `>::` the path goes on from a type that was already read.
        follows = absolute and before in (">", ")", "]")
        if segments[0] == "crate" and before == "$":
            self.add(tuple(segments), line, module, imported=False)
        elif not after_dot and not follows and before != "$" and len(segments) > 1:
            if absolute:
                self.crates.append((segments[0], self.file, line, module.path))
            else:
                self.add(tuple(segments), line, module, imported=False)
        return end

    def read_use(self, at, module, module_level):
        """Reads a `use` declaration, and returns the position after it."""
        bindings = module.bindings if module_level else module.local
        globs = module.globs if module_level else module.local_globs

        def bind(name, segments):
            if name != "_" and segments:
                bindings.setdefault(name, []).append(tuple(segments))

        def tree(at, prefix):
            segments, line = list(prefix), self.tokens[at].line
            while True:
                text = self.text(at)
                if text == "{":
                    at += 1
                    while self.text(at) not in ("}", ""):
                        at = tree(at, segments)
                        if self.text(at) == ",":
                            at += 1
                    return at + 1
                if text == "*":
                    self.add(tuple(segments), line, module, imported=True)
                    globs.append(tuple(segments))
                    return at + 1
                if text == "::":
                    at += 1
                    continue
                if self.kind(at) != "word":
                    return at + 1
                line = self.tokens[at].line
                if text != "self" or not segments:
                    segments.append(text)
                at += 1
                if self.text(at) == "::":
                    continue
                name = segments[-1]
                if self.text(at) == "as":
                    name = self.text(at + 1)
                    at += 2
                self.add(tuple(segments), line, module, imported=True)
                bind(name, segments)
                return at

        at += 1
        if self.text(at) == "::":
            # `use ::name` names another crate.
            self.crates.append((self.text(at + 1), self.file, self.tokens[at].line, module.path))
            while self.text(at) not in (";", ""):
                at += 1
            return at + 1
        at = tree(at, [])
        while self.text(at) not in (";", ""):
            at += 1
        return at + 1

    def add(self, segments, line, module, imported):
        self.paths.append(Path_(segments, self.file, line, module.path, imported))

    def find(self, path):
        module = self.root
        for name in path:
            module = module.children.get(name)
            if module is None:
                return None
        return module

    def resolve(self, path, within, seen=frozenset(), outside=False):
        """Returns the modules that a path names or leads to, or `None` for a path of another crate.

        With `outside`, only what `within` exports counts, not the bindings inside its functions.
        """
        segments = list(path)
        if segments[0] == "crate":
            return self.walk((), segments[1:], seen)
        if segments[0] in ("self", "super"):
            at = within
            while segments and segments[0] in ("self", "super"):
                at = at[:-1] if segments[0] == "super" else at
                segments.pop(0)
            return self.walk(at, segments, seen)
        module = self.find(within)
        name, rest = segments[0], segments[1:]
        if name in module.items:
            return {within}
        if name in module.children:
            return self.walk((*within, name), rest, seen)
        # A declaration does not bind names inside itself: in `use name::name` the first is a crate.
        if (within, name) in seen:
            return None
        seen = seen | {(within, name)}
        bound = list(module.bindings.get(name, []))
        globs = list(module.globs)
        if not outside:
            bound += module.local.get(name, [])
            globs += module.local_globs
        found = [self.resolve((*target, *rest), within, seen) for target in bound]
        if not bound:
            found = [self.through_glob(target, name, rest, within, seen) for target in globs]
        found = [modules for modules in found if modules]
        return set().union(*found) if found else None

    def through_glob(self, target, name, rest, within, seen):
        """Follows `use target::*`, where `target` has something of that name."""
        origin = self.module_of(target, within, seen)
        if origin is None:
            return None
        module = self.find(origin)
        if not (name in module.items or name in module.children or name in module.bindings or module.globs):
            return None
        return self.resolve((name, *rest), origin, seen, outside=True)

    def module_of(self, path, within, seen):
        """Returns the module that a path names, if it names one."""
        segments = list(path)
        at = within
        if segments[0] == "crate":
            at, segments = (), segments[1:]
        while segments and segments[0] in ("self", "super"):
            at = at[:-1] if segments.pop(0) == "super" else at
        for index, name in enumerate(segments):
            module = self.find(at)
            if name in module.children:
                at = (*at, name)
                continue
            for target in module.bindings.get(name, []) + (module.local.get(name, []) if at == within else []):
                step = (target, at)
                if step not in seen:
                    found = self.module_of((*target, *segments[index + 1 :]), at, seen | {step})
                    if found is not None:
                        return found
            return None
        return at

    def walk(self, at, segments, seen):
        """Follows segments downward from a module."""
        for index, name in enumerate(segments):
            module = self.find(at)
            if name in module.children and name not in module.items:
                at = (*at, name)
                continue
            # The path names this module. A re-export leads further, to where the item is defined.
            rest = tuple(segments[index:])
            return {at} | (self.resolve(rest, at, seen, outside=True) or set())
        return {at}


class Levels:
    """Table of levels."""

    def __init__(self, file):
        table = tomllib.loads(file.read_text(encoding="utf-8"))
        self.levels = table["levels"]
        self.crates = table.get("crates", {})
        self.exceptions = {}
        for exception in table.get("exceptions", []):
            if not exception.get("reason"):
                raise SystemExit(f"{file}: the exception {exception} has no reason")
            self.exceptions[exception["from"], exception["to"]] = exception["reason"]

    def owner(self, path):
        """Returns the listed module that a module belongs to: the longest listed prefix of its path."""
        if not path:
            return "lib"
        for length in range(len(path), 0, -1):
            name = "::".join(path[:length])
            if name in self.levels:
                return name
        return None

    def may_name(self, crate, owner):
        return all(owner in modules for pattern, modules in self.crates.items() if fnmatchcase(crate, pattern))


def cycles(edges):
    """Returns the sets of modules that import each other in a circle."""
    reach = {}
    for start in edges:
        open_, found = [start], set()
        while open_:
            for target in edges.get(open_.pop(), ()):
                if target not in found:
                    found.add(target)
                    open_.append(target)
        reach[start] = found
    circles = {frozenset({a} | {b for b in reach[a] if a in reach.get(b, ())}) for a in reach if a in reach[a]}
    return sorted(map(sorted, circles))


def check(root):
    """Returns the findings, and the edges between modules."""
    levels = Levels(root / ".ci/levels.toml")
    crate = Crate(root / "src")
    findings, edges, used = {}, {}, set()

    def place(file, line):
        return f"{file.relative_to(root)}:{line}"

    for name in sorted(crate.root.children):
        if not any(listed == name or listed.startswith(f"{name}::") for listed in levels.levels):
            findings[0, name] = f"src: module {name} is not in .ci/levels.toml"

    for path in crate.paths:
        owner = levels.owner(path.module)
        first = path.segments[0]
        modules = crate.resolve(path.segments, path.module)
        if modules is None:
            crate.crates.append((first, path.file, path.line, path.module))
            continue
        if not path.imported and first not in ANCHORS:
            # The declaration that binds the first name is reported at its own place.
            modules = modules - (crate.resolve((first,), path.module) or set())
        for target in sorted({levels.owner(module) for module in modules} - {owner, None}):
            if owner is None:
                continue
            edges.setdefault(owner, set()).add(target)
            above, below = levels.levels[target], levels.levels[owner]
            if above < below:
                continue
            if above == below and (owner, target) in levels.exceptions:
                used.add((owner, target))
                continue
            findings[path.file, path.line, path.segments[-1], target] = (
                f"{place(path.file, path.line)}: imports {path.segments[-1]} from module {target} (level {above}), "
                f"but is in module {owner} (level {below})"
            )

    for name, file, line, module in crate.crates:
        owner = levels.owner(module)
        if not levels.may_name(name, owner):
            findings[file, line, name] = f"{place(file, line)}: names the crate {name}, which module {owner} may not"

    for circle in cycles(edges):
        findings[1, *circle] = f"src: modules import each other in a circle: {', '.join(circle)}"
    for pair in levels.exceptions.keys() - used:
        if all((root / "src" / name).exists() or (root / "src" / f"{name}.rs").exists() for name in pair):
            findings[2, *pair] = f".ci/levels.toml: the exception from {pair[0]} to {pair[1]} is not needed"
    return list(findings.values()), edges


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--edges", action="store_true", help="print which module imports from which")
    arguments = parser.parse_args()
    findings, edges = check(arguments.root.resolve())
    if arguments.edges:
        for module, targets in sorted(edges.items()):
            print(f"{module} -> {', '.join(sorted(targets))}")
    for finding in findings:
        print(finding)
    print(f"levels: {len(findings)} findings" if findings else "levels: every import points downward")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
