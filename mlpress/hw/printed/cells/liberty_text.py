"""The syntax of liberty files: groups, attributes, values.  Their meaning is in ``liberty.py``."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from mlpress.errors import MlpressError

LARGEST_FILE = 64 * 2**20
"""Characters; the files of whole commercial libraries are about this size."""
DEEPEST = 16
"""Groups within groups; liberty's own statements need 7."""

_TOKEN = re.compile(
    r"""[\s\\]*(?:/\*.*?\*/[\s\\]*|//[^\n]*[\s\\]*)*(?:"((?:[^"\\]|\\.|\\\n)*)"|([^\s"\\(){}:;,/]+|/(?![*/])|[(){}:;,]))""",
    re.DOTALL,
)
_BLANK = re.compile(r"[\s\\]*(?:/\*.*?\*/[\s\\]*|//[^\n]*[\s\\]*)*\Z", re.DOTALL)


@dataclass(slots=True, eq=False)
class Group:
    """``name (arguments) { attributes, groups }``; every attribute keeps all its values in the order given."""

    name: str
    arguments: list[str]
    line: int
    attributes: dict[str, list[list[str]]] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)

    def all(self, name: str) -> Iterator[Group]:
        """Return the inner groups of that name."""
        return (group for group in self.groups if group.name == name)

    def first(self, name: str) -> Group | None:
        """Return the first inner group of that name."""
        return next(self.all(name), None)

    def values(self, name: str) -> list[str]:
        """Return the last value list of attribute ``name``, empty where it is absent."""
        return self.attributes[name][-1] if name in self.attributes else []

    def text(self, name: str, default: str = "") -> str:
        """Return the last value of a simple attribute."""
        values = self.values(name)
        return values[0] if values else default

    def number(self, name: str, default: float | None = None) -> float:
        """Return the last value of a simple attribute; raise where it is not a finite number."""
        values = self.values(name)
        if not values:
            if default is None:
                raise MlpressError(f"liberty line {self.line}: {self.name} ({', '.join(self.arguments)}) has no {name}")
            return default
        return self.floats(values)[0]

    def floats(self, values: list[str]) -> list[float]:
        """Read the numbers of value lists such as ``"1, 2, 3", "4, 5, 6"``."""
        parts = [part for value in values for part in value.replace("\\", " ").replace(",", " ").split()]
        try:
            numbers = [float(part) for part in parts]
        except ValueError as error:
            raise MlpressError(f"liberty line {self.line}: in {self.name}: {error}") from None
        if not numbers or any(not math.isfinite(number) for number in numbers):
            raise MlpressError(f"liberty line {self.line}: {self.name} needs finite numbers")
        return numbers


def parse_groups(text: str) -> Group:
    """Read the outermost group of a liberty file; :class:`MlpressError` names the line of what is wrong."""
    if len(text) > LARGEST_FILE:
        raise MlpressError(f"the liberty file has over {LARGEST_FILE >> 20} MiB; cut it down to the cells you use")
    return _Reader(text).read()


class _Reader:
    """Tokens with their positions; a stack of open groups instead of recursion."""

    def __init__(self, text: str) -> None:
        self.source = text
        self.tokens: list[str] = []
        self.starts: list[int] = []
        self.quoted: list[bool] = []
        at = 0
        while match := _TOKEN.match(text, at):
            group = match.lastindex or 2
            self.tokens.append(match.group(group))
            self.starts.append(match.start(group))
            self.quoted.append(group == 1)
            at = match.end()
        if not _BLANK.match(text, at):
            start = at + len(text[at:]) - len(text[at:].lstrip())
            raise MlpressError(f"liberty line {self._line_at(start)}: a string or comment does not end")
        self.at = 0

    def _line_at(self, position: int) -> int:
        return self.source.count("\n", 0, position) + 1

    @property
    def line(self) -> int:
        return self._line_at(self.starts[self.at] if self.at < len(self.starts) else len(self.source))

    def error(self, what: str) -> MlpressError:
        return MlpressError(f"liberty line {self.line}: {what}")

    def peek(self) -> str:
        """Return the next word where it is not a string, else ``"``."""
        if self.at >= len(self.tokens):
            return ""
        return '"' if self.quoted[self.at] else self.tokens[self.at]

    def read(self) -> Group:
        stack: list[Group] = []
        while True:
            word = self.peek()
            if word == "":
                raise self.error("the file ends inside a group" if stack else "there is no library group")
            if word == ";":
                self.at += 1
            elif word == "}":
                if not stack:
                    raise self.error("'}' without a group")
                self.at += 1
                done = stack.pop()
                if not stack:
                    return self._last(done)
                stack[-1].groups.append(done)
            elif word in '"(){},:':
                raise self.error(f"{self.tokens[self.at]!r} where a name should be")
            else:
                self._statement(stack)

    def _last(self, library: Group) -> Group:
        while self.peek() == ";":
            self.at += 1
        if self.peek():
            raise self.error("text after the library group")
        return library

    def _statement(self, stack: list[Group]) -> None:
        line, name = self.line if not stack or len(stack) < 4 else 0, self.tokens[self.at]
        self.at += 1
        match self.peek():
            case ":":
                if not stack:
                    raise self.error(f"attribute {name!r} outside of a library group")
                self.at += 1
                stack[-1].attributes.setdefault(name, []).append(self._simple(name))
            case "(":
                values = self._arguments(name)
                if self.peek() == "{":
                    self.at += 1
                    if len(stack) >= DEEPEST:
                        raise self.error(f"groups nest over {DEEPEST} deep")
                    stack.append(Group(name, values, line or self.line))
                elif not stack:
                    raise self.error(f"attribute {name!r} outside of a library group")
                else:
                    stack[-1].attributes.setdefault(name, []).append(values)
            case _:
                raise self.error(f"{name!r} needs ':' or '(' after it")

    def _simple(self, name: str) -> list[str]:
        """Read one value, or an expression up to the semicolon or the end of the line."""
        first = self.at
        while self.at < len(self.tokens) and self.peek() not in (";", "}", "{"):
            if self.at > first and "\n" in self.source[self.starts[self.at - 1] : self.starts[self.at]]:
                break
            self.at += 1
        if self.at == first:
            raise self.error(f"attribute {name!r} has no value")
        return [" ".join(self.tokens[first : self.at])]

    def _arguments(self, name: str) -> list[str]:
        self.at += 1
        values = []
        while (word := self.peek()) != ")":
            if word in ("", "(", "{", "}", ";"):
                raise self.error(f"the arguments of {name!r} do not end with ')'")
            if word != ",":
                values.append(self.tokens[self.at])
            self.at += 1
        self.at += 1
        return values
