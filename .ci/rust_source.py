"""Splits Rust source into tokens and comments, for the checks in this folder."""

from dataclasses import dataclass
import re
import subprocess
from pathlib import Path

IDENTIFIER = re.compile(r"(?:r#)?[^\W\d]\w*")
NUMBER = re.compile(r"\d[\w]*(?:\.\d[\w]*)?")
RAW_STRING = re.compile(r'(?:b|c)?r(#*)"')
STRING = re.compile(r'(?:b|c)?"')
CHARACTER = re.compile(r"b?'(?:[^'\\\n]|\\(?:x[0-9a-fA-F]{2}|u\{[^}]*\}|.))'")


@dataclass(frozen=True)
class Token:
    """Piece of code. The kind is `word`, `string`, `literal` or `mark`."""

    kind: str
    text: str
    line: int


@dataclass(frozen=True)
class Comment:
    """One comment. The kind is `line`, `block`, `outer doc` or `inner doc`.

    `after` is the number of tokens before the comment, so that two comments with the same
    number have no code between them.
    """

    kind: str
    text: str
    line: int
    after: int


def read(text):
    """Returns the tokens and the comments of a source text."""
    tokens, comments = [], []
    at, line = 0, 1

    def add(kind, end):
        nonlocal at, line
        piece = text[at:end]
        tokens.append(Token(kind, piece, line))
        line += piece.count("\n")
        at = end

    while at < len(text):
        character = text[at]
        if character == "\n":
            line += 1
            at += 1
        elif character.isspace():
            at += 1
        elif text.startswith("//", at):
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            piece = text[at:end]
            if piece.startswith("//!"):
                kind = "inner doc"
            elif piece.startswith("///") and not piece.startswith("////"):
                kind = "outer doc"
            else:
                kind = "line"
            comments.append(Comment(kind, piece, line, len(tokens)))
            at = end
        elif text.startswith("/*", at):
            depth, end = 1, at + 2
            while depth and end < len(text):
                if text.startswith("/*", end):
                    depth, end = depth + 1, end + 2
                elif text.startswith("*/", end):
                    depth, end = depth - 1, end + 2
                else:
                    end += 1
            piece = text[at:end]
            if piece.startswith("/*!"):
                kind = "inner doc"
            elif piece.startswith("/**") and not piece.startswith(("/***", "/**/")):
                kind = "outer doc"
            else:
                kind = "block"
            comments.append(Comment(kind, piece, line, len(tokens)))
            line += piece.count("\n")
            at = end
        elif raw := RAW_STRING.match(text, at):
            closing = '"' + raw.group(1)
            end = text.find(closing, raw.end())
            add("string", len(text) if end < 0 else end + len(closing))
        elif quoted := STRING.match(text, at):
            end = quoted.end()
            while end < len(text) and text[end] != '"':
                end += 2 if text[end] == "\\" else 1
            add("string", end + 1)
        elif single := CHARACTER.match(text, at):
            add("literal", single.end())
        elif character == "'":
            lifetime = IDENTIFIER.match(text, at + 1)
            add("literal", lifetime.end() if lifetime else at + 1)
        elif word := IDENTIFIER.match(text, at):
            add("word", word.end())
        elif number := NUMBER.match(text, at):
            add("literal", number.end())
        elif text.startswith("::", at):
            add("mark", at + 2)
        else:
            add("mark", at + 1)
    return tokens, comments


def tracked(root, *patterns):
    """Returns the files below `root` that git knows or would add, by pathspec.

    Where there is no git, all files count that match, except those in `target`.
    """
    root = Path(root)
    if (root / ".git").exists():
        command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--"]
        listed = subprocess.run([*command, *(f":(glob){p}" for p in patterns)], check=True, capture_output=True)
        names = {name for name in listed.stdout.decode().split("\0") if name}
        found = {root / name for name in names}
    else:
        found = {path for pattern in patterns for path in root.glob(pattern)}
        found = {path for path in found if path.relative_to(root).parts[0] != "target"}
    return sorted(path for path in found if path.is_file())
