"""Boolean functions of cells, in the notation of liberty files.

``!a`` and ``a'`` negate; ``a b``, ``a*b`` and ``a&b`` mean and; ``a+b`` and ``a|b`` mean or; ``a^b`` is
exclusive or.  Negation binds tightest, then exclusive or, and, or (Liberty Reference Manual, "function").
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from mlpress.errors import MlpressError

MOST_TOKENS = 256
"""Names and operators of one function; a longer one is no cell."""
DEEPEST = 64
"""Nested parentheses and negations of one function."""

_TOKEN = re.compile(r"\s*([A-Za-z_][\w$\[\].]*|[01]|[!'*&+|^()])")


@dataclass(frozen=True, slots=True)
class Signal:
    """A pin or a state variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """0 or 1."""

    value: Literal[0, 1]


@dataclass(frozen=True, slots=True)
class Not:
    """The complement."""

    of: Expression


@dataclass(frozen=True, slots=True)
class Gate:
    """``left`` and, or, xor ``right``."""

    kind: Literal["and", "or", "xor"]
    left: Expression
    right: Expression


Expression = Signal | Constant | Not | Gate


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """Read a liberty function; raise :class:`MlpressError` where it is none."""
    return _Parser(text).whole()


def signals(expression: Expression) -> tuple[str, ...]:
    """Return names that the expression reads, each once, in reading order."""
    match expression:
        case Signal(name):
            return (name,)
        case Constant():
            return ()
        case Not(of):
            return signals(of)
        case Gate(_, left, right):
            return tuple(dict.fromkeys(signals(left) + signals(right)))


def evaluate(expression: Expression, values: Mapping[str, int], ones: int) -> int:
    """Evaluate every bit position at once: ``values`` and the result are bit sets within ``ones``."""
    match expression:
        case Signal(name):
            return values[name]
        case Constant(value):
            return ones if value else 0
        case Not(of):
            return ones & ~evaluate(of, values, ones)
        case Gate("and", left, right):
            return evaluate(left, values, ones) & evaluate(right, values, ones)
        case Gate("or", left, right):
            return evaluate(left, values, ones) | evaluate(right, values, ones)
        case Gate(_, left, right):
            return evaluate(left, values, ones) ^ evaluate(right, values, ones)


def truth_table(expression: Expression, names: Sequence[str]) -> int:
    """Return the truth table: bit ``k`` is the value where variable ``i`` has bit ``i`` of ``k``."""
    return evaluate(expression, variables(names), (1 << (1 << len(names))) - 1)


def variables(names: Sequence[str]) -> dict[str, int]:
    """Return the truth table of each variable alone."""
    rows = 1 << len(names)
    return {name: sum(1 << row for row in range(rows) if row >> i & 1) for i, name in enumerate(names)}


class _Parser:
    """Recursive descent: or, and, xor, factor."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[str] = []
        at = 0
        while rest := text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None:
                raise MlpressError(f"the function {text!r} has {rest[0]!r}, which no liberty function has")
            self.tokens.append(match.group(1))
            at = match.end()
            if len(self.tokens) > MOST_TOKENS:
                raise MlpressError(f"the function {text[:40]!r}... has over {MOST_TOKENS} names and operators")
        self.at = 0
        self.depth = 0

    def whole(self) -> Expression:
        expression = self.either()
        if self.peek():
            raise self.error(f"{self.peek()!r} is not expected")
        return expression

    def error(self, what: str) -> MlpressError:
        return MlpressError(f"the function {self.text!r} is not a boolean expression: {what}")

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def either(self) -> Expression:
        left = self.both()
        while self.peek() in ("+", "|") and self.take():
            left = Gate("or", left, self.both())
        return left

    def both(self) -> Expression:
        left = self.differ()
        while (token := self.peek()) and token not in ("+", "|", ")", "^", "'"):
            if token in ("*", "&"):
                self.take()
            left = Gate("and", left, self.differ())
        return left

    def differ(self) -> Expression:
        left = self.factor()
        while self.peek() == "^" and self.take():
            left = Gate("xor", left, self.factor())
        return left

    def factor(self) -> Expression:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error(f"it nests over {DEEPEST} deep")
        expression: Expression
        match self.take():
            case "!":
                expression = Not(self.factor())
            case "(":
                expression = self.either()
                if self.take() != ")":
                    raise self.error("a ')' is missing")
            case "0":
                expression = Constant(0)
            case "1":
                expression = Constant(1)
            case "":
                raise self.error("it ends early")
            case token if token[0].isalpha() or token[0] == "_":
                expression = Signal(token)
            case token:
                raise self.error(f"{token!r} is not expected")
        while self.peek() == "'" and self.take():
            expression = expression.of if isinstance(expression, Not) else Not(expression)
        self.depth -= 1
        return expression
