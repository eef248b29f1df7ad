#!/usr/bin/env python3
"""Checks comments and documents: openings of comments, banned idioms, comment width.

The settings and the exceptions are in `.ci/prose.toml`.

    .ci/check_prose.py [--root DIRECTORY]
"""

import argparse
import re
import sys
import tomllib
from itertools import groupby
from pathlib import Path

sys.dont_write_bytecode = True
import rust_source

MARKER = re.compile(r"^(?://[/!]?|/\*[*!]?)")
# Line that begins a paragraph in Markdown: item of a list, row of a table, heading, fence, link definition.
BEGINS = re.compile(r"(?:[-*+]\s|\d+[.)]\s|\||#+\s|```|~~~|\[[^\]]+\]:)")
ITEM = re.compile(r"^(?:[-*+]\s+|\d+[.)]\s+|>\s*)*(?:\[[^\]]+\]:\s*)?")
LINK = re.compile(r"://|\]\(|\]\[|^\[`?[^\]]+\]")
CONTINUATION = re.compile(r"\\\r?\n\s*")


def comment_lines(comment):
    """Yields the lines of a comment without their markers, with their numbers."""
    for offset, line in enumerate(comment.text.split("\n")):
        text = line.strip()
        if comment.kind == "block" or comment.text.startswith("/*"):
            text = text.removesuffix("*/")
            text = MARKER.sub("", text) if offset == 0 else text.removeprefix("*")
        else:
            text = MARKER.sub("", text)
        yield comment.line + offset, text.strip()


def blocks(comments):
    """Yields comments of one kind that follow each other with no code between."""
    key = lambda comment: (comment.after, comment.kind)
    for (_, kind), group in groupby(comments, key):
        group = list(group)
        start = 0
        for index in range(1, len(group) + 1):
            # Plain comments with an empty line between are apart.
            apart = index < len(group) and kind == "line" and group[index].line != group[index - 1].line + 1
            if index == len(group) or apart:
                yield kind, [line for comment in group[start:index] for line in comment_lines(comment)]
                start = index


def paragraphs(lines):
    """Yields the paragraphs of numbered lines."""
    paragraph, fenced = [], False
    for number, text in lines:
        fence = text.startswith(("```", "~~~"))
        if paragraph and (not text or fenced or fence or BEGINS.match(text)):
            yield paragraph
            paragraph = []
        fenced = fenced != fence
        if text:
            paragraph.append((number, text))
    if paragraph:
        yield paragraph


class Prose:
    """The three checks with their findings."""

    def __init__(self, root):
        self.root = root
        settings = tomllib.loads((root / ".ci/prose.toml").read_text(encoding="utf-8"))
        self.width, self.openings, self.idioms = settings["width"], settings["openings"], settings["idioms"]
        self.allow = settings.get("allow", [])
        for exception in self.allow:
            if not exception.get("reason"):
                raise SystemExit(f".ci/prose.toml: the exception {exception} has no reason")
        self.used = set()
        self.findings = []
        self.summary = []
        self.sources = {}
        words, more = self.openings["words"], self.openings["words_of_documentation"]
        self.opening = re.compile(rf"(?:{'|'.join(words)})\b")
        self.documentation_opening = re.compile(rf"(?:{'|'.join(words + more)})\b")
        phrases = (r"\s+".join(map(re.escape, phrase.split())) for phrase in self.idioms["phrases"])
        self.idiom = re.compile(rf"(?<![^\W_])(?:{'|'.join(phrases)})(?![^\W_])", re.IGNORECASE)

    def source(self, file):
        if file not in self.sources:
            text = file.read_text(encoding="utf-8")
            self.sources[file] = (text.split("\n"), *rust_source.read(text))
        return self.sources[file]

    def is_allowed(self, check, name, line):
        for index, exception in enumerate(self.allow):
            if exception["check"] == check and exception["file"] == name and exception["text"] in line:
                self.used.add(index)
                return True
        return False

    def report(self, check, file, number, line, message):
        name = str(file.relative_to(self.root))
        if self.is_allowed(check, name, line):
            return False
        self.findings.append(f"{name}:{number}: {message}")
        return True

    def check_openings(self):
        for group, patterns in self.openings["groups"].items():
            strict = group in self.openings["strict"]
            subject = "comment" if strict else "documentation"
            count, found, before = 0, 0, len(self.findings)
            for file in rust_source.tracked(self.root, *patterns):
                for kind, lines in blocks(self.source(file)[2]):
                    is_documentation = kind.endswith("doc")
                    if not strict and not is_documentation:
                        continue
                    words = self.documentation_opening if is_documentation else self.opening
                    number, first = next(((n, text) for n, text in lines if text), (0, ""))
                    count += 1
                    if opening := words.match(first):
                        message = f"the {subject} opens with `{opening.group()}`: {first[:100]}"
                        found += self.report("opening", file, number, first, message)
            percent = 100 * found / count if count else 0.0
            limit = 0.0 if strict else self.openings["limit_percent"]
            comments = "comments" if strict else "documentation comments"
            self.summary.append(f"{found} of {count} {comments} in {group} ({percent:.1f} %, limit {limit} %)")
            if percent <= limit:
                # Below the limit they are notes.
                self.summary.extend(f"  note: {finding}" for finding in self.findings[before:])
                del self.findings[before:]

    def check_idioms(self):
        files = dict.fromkeys(rust_source.tracked(self.root, *self.idioms["files"]), False)
        files |= dict.fromkeys(rust_source.tracked(self.root, *self.idioms["comments_of"]), True)
        for file, only_comments in files.items():
            try:
                found = list(self.texts(file, only_comments))
            except UnicodeDecodeError:
                continue
            for paragraph in found:
                text = " ".join(line for _, line in paragraph)
                for match in self.idiom.finditer(text):
                    number, line = self.line_at(paragraph, match.start())
                    phrase = " ".join(match.group().split())
                    self.report("idiom", file, number, line, f"banned idiom `{phrase}`: {line[:100]}")

    def texts(self, file, only_comments=False):
        """Yields the paragraphs of a file as numbered lines: of Rust code the comments, strings and names."""
        if file.suffix != ".rs":
            lines = file.read_text(encoding="utf-8").split("\n")
            yield from paragraphs((number, line.strip().lstrip("> ")) for number, line in enumerate(lines, 1))
            return
        _, tokens, comments = self.source(file)
        for _, lines in blocks(comments):
            yield from paragraphs(lines)
        for token in () if only_comments else tokens:
            if token.kind == "string":
                # A line that ends in a backslash goes on with the next one.
                text = CONTINUATION.sub(lambda gap: "\0" * gap.group().count("\n"), token.text)
                number = token.line
                for line in text.split("\n"):
                    parts = line.split("\0")
                    yield [(number + offset, part) for offset, part in enumerate(parts)]
                    number += len(parts)
            elif token.kind == "word":
                yield [(token.line, token.text)]

    @staticmethod
    def line_at(paragraph, position):
        for number, line in paragraph:
            if position <= len(line):
                return number, line
            position -= len(line) + 1
        return paragraph[-1]

    def check_width(self):
        limit = self.width["limit"]
        for file in rust_source.tracked(self.root, *self.width["files"]):
            source, _, comments = self.source(file)
            for comment in comments:
                for number, text in comment_lines(comment):
                    line = source[number - 1].rstrip("\r")
                    if len(line) > limit and not self.is_unbreakable(text):
                        self.report("width", file, number, line, f"a comment of {len(line)} columns, limit {limit}")

    @staticmethod
    def is_unbreakable(text):
        """Tells a row of a table, and a line of one link with nothing else, which cannot be wrapped."""
        rest = ITEM.sub("", text, count=1)
        return text.startswith("|") or (" " not in rest and bool(LINK.search(rest)))

    def check(self):
        self.check_openings()
        self.check_idioms()
        self.check_width()
        for index in sorted(set(range(len(self.allow))) - self.used):
            exception = self.allow[index]
            self.findings.append(f".ci/prose.toml: the exception for {exception['file']} is not needed: {exception['text']}")
        return self.findings


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    arguments = parser.parse_args()
    prose = Prose(arguments.root.resolve())
    findings = prose.check()
    for finding in findings:
        print(finding)
    for line in prose.summary:
        print(f"prose: {line}")
    print(f"prose: {len(findings)} findings" if findings else "prose: no findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
