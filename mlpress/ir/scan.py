"""Reading of the text form: lines of words, each error with its line number, nothing evaluated and nothing unbounded.

A word is a JSON string in double quotes, or a run of characters other than white space and quotes.  Blank
lines and lines that start with ``#`` are skipped.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import NoReturn

from mlpress.errors import MlpressError
from mlpress.ir.limits import MAX_LINE, MAX_NAME

_WORD = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^\s"]+)', re.DOTALL)
_INT = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_FLOAT = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?(e[+-]?[0-9]{1,4})?", re.ASCII)


def quote(name: int | str) -> str:
    """Write a class's number as it is, a name as a JSON string."""
    return json.dumps(name, ensure_ascii=False)


class Line:
    """The words of one line, taken from left to right."""

    def __init__(self, number: int, text: str) -> None:
        self.number = number
        self.words: list[str] = []
        self.at = 0
        start, stripped = 0, text.rstrip()
        while start < len(stripped):
            match = _WORD.match(stripped, start)
            if match is None:
                self.fail("a quoted name does not end; close it with a double quote")
            self.words.append(match[1])
            start = match.end()

    def error(self, what: str) -> MlpressError:
        """Return the error ``what``, naming this line."""
        return MlpressError(f"line {self.number}: {what}")

    def fail(self, what: str) -> NoReturn:
        """Raise the error ``what``, naming this line."""
        raise self.error(what)

    def peek(self) -> str | None:
        """Return the next word, or ``None`` at the line's end."""
        return self.words[self.at] if self.at < len(self.words) else None

    def word(self, what: str) -> str:
        """Take the next word; ``what`` says what it should be."""
        word = self.peek()
        if word is None:
            self.fail(f"the line ends where {what} should be")
        self.at += 1
        return word

    def keyword(self, *choices: str) -> str:
        """Take the next word, one of ``choices``."""
        wanted = " or ".join(choices)
        word = self.word(wanted)
        if word not in choices:
            self.fail(f"{word[:40]!r} stands where {wanted} should be")
        return word

    def integer(self, what: str) -> int:
        """Take the next word, a decimal integer of at most 20 digits."""
        return self.to_int(self.word(what), what)

    def to_int(self, word: str, what: str) -> int:
        """Read ``word`` as an integer."""
        if not _INT.fullmatch(word):
            self.fail(f"{word[:40]!r} stands where {what} should be, an integer")
        return int(word)

    def count(self, what: str, most: int) -> int:
        """Take the next word, a number of lines or words to come, 1 to ``most``."""
        value = self.integer(what)
        if not 1 <= value <= most:
            self.fail(f"{what} is {value}; it must be within 1..{most}")
        return value

    def real(self, what: str) -> float:
        """Take the next word, a finite decimal number."""
        word = self.word(what)
        if not _FLOAT.fullmatch(word) or not math.isfinite(float(word)):
            self.fail(f"{word[:40]!r} stands where {what} should be, a finite decimal number")
        return float(word)

    def call(self, what: str) -> tuple[str, list[int]]:
        """Take the next word, of the form ``name(1,2,3)``: the name and its integers."""
        word = self.word(what)
        name, bracket, rest = word.partition("(")
        if not bracket or not rest.endswith(")"):
            self.fail(f"{word[:40]!r} stands where {what} should be")
        return name, [self.to_int(value, f"a number of {name[:40]}") for value in rest[:-1].split(",") if rest != ")"]

    def name(self, what: str) -> str:
        """Take the next word, a quoted name."""
        word = self.word(what)
        if not word.startswith('"'):
            self.fail(f"{word[:40]!r} stands where {what} should be, in double quotes")
        if len(word) > 12 * MAX_NAME:
            self.fail(f"{what} is longer than {MAX_NAME} characters")
        try:
            return str(json.loads(word))
        except ValueError:
            self.fail(f"{word[:40]!r} is not a valid quoted name; escape it as JSON does")

    def name_or_integer(self, what: str) -> int | str:
        """Take the next word, a quoted name or an integer."""
        word = self.peek()
        return self.name(what) if word is not None and word.startswith('"') else self.integer(what)

    def end(self) -> None:
        """Check that nothing is left."""
        word = self.peek()
        if word is not None:
            self.fail(f"{word[:40]!r} stands where the line should end")


class Lines:
    """The lines of a program's text, with one line of look-ahead."""

    def __init__(self, text: str) -> None:
        self._source = self._read(text)
        self._next = next(self._source, None)
        self.number = 0

    @staticmethod
    def _read(text: str) -> Iterator[Line]:
        start, number = 0, 0
        while start < len(text):
            stop = text.find("\n", start)
            stop = len(text) if stop < 0 else stop
            number += 1
            if stop - start > MAX_LINE:
                raise MlpressError(f"line {number}: it has {stop - start} characters; a line has at most {MAX_LINE}")
            content = text[start:stop].strip()
            if content and not content.startswith("#"):
                yield Line(number, content)
            start = stop + 1

    def next_is(self, keyword: str) -> bool:
        """Return whether the next line starts with ``keyword``."""
        return self._next is not None and self._next.peek() == keyword

    def take(self, *keywords: str) -> Line:
        """Take the next line, which must start with one of ``keywords``; its first word is already taken."""
        line = self._next
        if line is None:
            wanted = " or ".join(keywords)
            raise MlpressError(f"line {self.number + 1}: the text ends where a line '{wanted} ...' should be")
        line.keyword(*keywords)
        self.number = line.number
        self._next = next(self._source, None)
        return line

    def end(self) -> None:
        """Check that nothing is left."""
        if self._next is not None:
            self._next.fail(f"{self._next.words[0][:40]!r} stands where the text should end")
