"""The syntax of structural Verilog: modules of declarations, aliases and instances.

Only what a mapped netlist has is accepted (IEEE 1364-2001, structural part); behaviour is refused.  The
tree is what :mod:`mlpress.hw.printed.netlist.netlist_reader` flattens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mlpress.errors import MlpressError

WIDEST = 4096
"""Bits of one bus or constant."""

_SPACE = r"(?:\s+|//[^\n]*|/\*.*?\*/|\(\*(?!\s*\)).*?\*\)|`[^\n]*)*"
_TOKEN = re.compile(
    _SPACE + r"(\\\S+|[A-Za-z_][\w$]*|(?:\d[\d_]*)?\s*'\s*[sS]?[bBoOdDhH]\s*[0-9a-fA-F_xXzZ?]+|\d[\d_]*|\S)", re.DOTALL
)
_PLAIN = r"[A-Za-z_]\w*"
_PIN = re.compile(rf"\.({_PLAIN})\(((?:{_PLAIN})?)\)")
_INSTANCE = re.compile(rf"\s*({_PLAIN}) ({_PLAIN}) \(((?:\.{_PLAIN}\((?:{_PLAIN})?\)(?:, (?=\.)|(?=\);)))+)\);")
_WIRE = re.compile(rf"\s*wire ({_PLAIN});")
"""Instances and wires as :meth:`Netlist.to_verilog` spells them, but for bits of ports and constants."""
_NUMBER = re.compile(r"(\d[\d_]*)?\s*'\s*[sS]?([bBoOdDhH])\s*([0-9a-fA-F_xXzZ?]+)")
_BASES = {"b": 2, "o": 8, "d": 10, "h": 16}
_NETS = ("wire", "tri", "supply0", "supply1")
_WORDS = """always initial reg function task generate parameter localparam defparam specify integer real time genvar
    inout wand wor trireg tri0 tri1 primitive table"""
_BEHAVIOUR = frozenset(_WORDS.split())
_RESERVED = _BEHAVIOUR | {"module", "endmodule", "input", "output", "assign", *_NETS}


@dataclass(frozen=True, slots=True)
class Select:
    """``name[left:right]``."""

    name: str
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class Bits:
    """A constant, the least significant bit first."""

    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Concat:
    """``{a, b}``: the first part is the most significant."""

    parts: tuple[Wire, ...]


Wire = str | Select | Bits | Concat
"""A whole net by name, or a part of one, or a constant, or several."""


@dataclass(slots=True)
class Declaration:
    """A net: its ``direction`` as a port (or empty), and its range (None: one bit); ``tie`` for supply nets."""

    direction: str
    span: tuple[int, int] | None
    tie: int | None = None


@dataclass(slots=True)
class Instance:
    """An instance of ``kind``; ``pins`` are (pin, wire or None) or, by position, ("", wire)."""

    kind: str
    name: str
    pins: list[tuple[str, Wire | None]]
    at: int


@dataclass(slots=True)
class Module:
    """One module of the text."""

    name: str
    ports: list[str] = field(default_factory=list)
    nets: dict[str, Declaration] = field(default_factory=dict)
    aliases: list[tuple[Wire, Wire, int]] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)


class Source:
    """The text, and the modules that it declares; ``at`` is the place behind the last word that was taken."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = self.last = 0
        self.ahead: tuple[int, str, int, int] = (-1, "", 0, 0)
        self.spellings: dict[str, str] = {}
        self.modules: dict[str, Module] = {}
        while self.peek():
            if (word := self.take()) != "module":
                raise self.error(f"{word!r} where a module should be")
            module = self._module()
            if module.name in self.modules:
                raise self.error(f"module {module.name!r} is declared twice")
            self.modules[module.name] = module
        if not self.modules:
            raise MlpressError("netlist line 1: there is no module")

    def error(self, what: str, at: int | None = None) -> MlpressError:
        """Return an error at the word that follows the place ``at`` (default: at the last word taken)."""
        match = _TOKEN.match(self.text, self.last if at is None else at)
        place = match.start(1) if match else len(self.text)
        return MlpressError(f"netlist line {self.text.count(chr(10), 0, place) + 1}: {what}")

    def peek(self) -> str:
        """Return the next word, empty at the end."""
        if self.ahead[0] != self.at:
            match = _TOKEN.match(self.text, self.at)
            self.ahead = (self.at, match[1], match.start(1), match.end()) if match else (self.at, "", self.at, self.at)
        return self.ahead[1]

    def take(self) -> str:
        """Take the next word."""
        word = self.peek()
        if word:
            _, _, self.last, self.at = self.ahead
        return word

    def expect(self, wanted: str) -> None:
        """Pass the token ``wanted``."""
        found = self.peek()
        if found != wanted:
            raise self.error(
                f"{found!r} where {wanted!r} should be" if found else f"the text ends before {wanted!r}", self.at
            )
        self.take()

    def name(self) -> str:
        """Pass an identifier; escaped ones lose their backslash."""
        word = self.take()
        if word[:1] == "\\" and len(word) > 1:
            return word[1:]
        if not (word[:1].isalpha() or word[:1] == "_"):
            raise self.error(
                f"{word!r} where a name should be" if word else "the text ends where a name should be",
                None if word else self.at,
            )
        return word

    def _module(self) -> Module:
        module = Module(self.name())
        if self.peek() == "#":
            raise self.error("parameters are not part of a mapped netlist", self.at)
        if self.peek() == "(":
            self.take()
            self._header(module)
        self.expect(";")
        while (word := self._next(module)) != "endmodule":
            match word:
                case "":
                    raise self.error(f"the text ends inside module {module.name!r}")
                case "input" | "output" | "wire" | "tri" | "supply0" | "supply1":
                    self._declare(module, word)
                case "assign":
                    self._assign(module)
                case ";":
                    pass
                case _ if word in _BEHAVIOUR:
                    raise self.error(
                        f"{word!r} is not part of a mapped netlist; estimate the file as RTL (without --mapped)"
                    )
                case _:
                    self.at = self.last
                    self._instances(module)
        for port in module.ports:
            if port not in module.nets or not module.nets[port].direction:
                raise self.error(f"port {port!r} of module {module.name!r} is neither input nor output")
        return module

    def _next(self, module: Module) -> str:
        """Return the next word that is not part of a wire or an instance in the plain spelling, which are read at
        once."""
        while (match := _WIRE.match(self.text, self.at)) and match[1] not in module.nets:
            module.nets[self._one(match[1])] = Declaration("", None)
            self.at = match.end()
        while (match := _INSTANCE.match(self.text, self.at)) and match[1] not in _RESERVED:
            pins: list[tuple[str, Wire | None]] = [
                (self._one(pin), self._one(wire) or None) for pin, wire in _PIN.findall(match[3])
            ]
            module.instances.append(Instance(self._one(match[1]), match[2], pins, match.start(2)))
            self.at = match.end()
        return self.take()

    def _one(self, spelling: str) -> str:
        """Return equal spellings as one string: memory for each name, not for each use."""
        return self.spellings.setdefault(spelling, spelling)

    def _header(self, module: Module) -> None:
        direction, span = "", None
        while (word := self.peek()) != ")":
            if word in ("input", "output"):
                self.take()
                direction = word
                if self.peek() in _NETS[:2]:
                    self.take()
                span = self._span()
            elif word in _BEHAVIOUR or word == ".":
                raise self.error(f"{word!r} in a port list is not supported", self.at)
            name = self.name()
            if name in module.ports:
                raise self.error(f"port {name!r} is listed twice")
            module.ports.append(name)
            if direction:
                module.nets[name] = Declaration(direction, span)
            if self.peek() != ")":
                self.expect(",")
        self.take()

    def _span(self) -> tuple[int, int] | None:
        if self.peek() != "[":
            return None
        self.take()
        left = self._integer()
        self.expect(":")
        right = self._integer()
        self.expect("]")
        if abs(left - right) >= WIDEST:
            raise self.error(f"a bus of over {WIDEST} bits")
        return left, right

    def _integer(self) -> int:
        word = self.take()
        sign = 1
        if word == "-":
            sign, word = -1, self.take()
        digits = word.replace("_", "")
        if not (digits.isascii() and digits.isdecimal()) or len(word) > 9:
            raise self.error(f"{word!r} where an index should be")
        return sign * int(digits)

    def _declare(self, module: Module, kind: str) -> None:
        direction = kind if kind in ("input", "output") else ""
        if direction and self.peek() in _NETS[:2]:
            self.take()
        if self.peek() == "reg":
            raise self.error(
                "'reg' is not part of a mapped netlist; estimate the file as RTL (without --mapped)", self.at
            )
        span = self._span()
        tie = int(kind[-1]) if kind.startswith("supply") else None
        while True:
            name = self.name()
            known = module.nets.get(name)
            if direction and name not in module.ports:
                raise self.error(f"{direction} {name!r} is not in the port list of module {module.name!r}")
            if known is None:
                module.nets[name] = Declaration(direction, span, tie)
            else:
                if known.span != span and not (known.direction and span is None):
                    raise self.error(f"{name!r} is declared twice, with two ranges")
                known.direction, known.tie = known.direction or direction, known.tie if tie is None else tie
            if self.peek() == "=":
                self.take()
                module.aliases.append((name, self.wire(), self.at))
            if self.peek() != ",":
                break
            self.take()
        self.expect(";")

    def _assign(self, module: Module) -> None:
        while True:
            left = self.wire()
            self.expect("=")
            module.aliases.append((left, self.wire(), self.at))
            if self.peek() not in (",", ";"):
                raise self.error(
                    f"{self.peek()!r} in an assign: only aliases and constants are part of a mapped netlist; "
                    "estimate the file as RTL (without --mapped)", self.at
                )  # fmt: skip
            if self.take() == ";":
                return

    def wire(self, depth: int = 0) -> Wire:
        """Read one net expression."""
        word = self.peek()
        if word == "{":
            if depth > 8:
                raise self.error("concatenations nest over 8 deep", self.at)
            self.take()
            parts = [self.wire(depth + 1)]
            while self.peek() == ",":
                self.take()
                parts.append(self.wire(depth + 1))
            self.expect("}")
            return Concat(tuple(parts))
        if match := _NUMBER.fullmatch(word):
            self.take()
            return self._bits(match)
        if word.isdecimal():
            raise self.error(f"the number {word} has no width; write {word}'d...", self.at)
        name = self.name()
        if self.peek() != "[":
            return name
        self.take()
        left = right = self._integer()
        if self.peek() == ":":
            self.take()
            right = self._integer()
        self.expect("]")
        return Select(name, left, right)

    def _bits(self, match: re.Match[str]) -> Bits:
        size, base, digits = match.groups()
        width = int(size.replace("_", "")) if size and len(size) < 9 else 32
        digits = digits.replace("_", "")
        if not 0 < width <= WIDEST or len(digits) > WIDEST:
            raise self.error(f"a constant of over {WIDEST} bits")
        try:
            value = int(digits, _BASES[base.lower()])
        except ValueError:
            raise self.error(f"the constant {match.group()!r} is not a number of zeros and ones") from None
        return Bits(tuple(value >> k & 1 for k in range(width)))

    def _instances(self, module: Module) -> None:
        kind = self.name()
        if self.peek() == "#":
            raise self.error(f"parameters of {kind!r} are not part of a mapped netlist", self.at)
        while True:
            at = self.at
            name = self.name() if self.peek() != "(" else f"{kind}_{len(module.instances)}"
            if self.peek() == "[":
                raise self.error(f"the array of instances {name!r} is not supported; write them one by one", self.at)
            self.expect("(")
            module.instances.append(Instance(kind, name, self._connections(name), at))
            if self.peek() != ",":
                break
            self.take()
        self.expect(";")

    def _connections(self, instance: str) -> list[tuple[str, Wire | None]]:
        pins: list[tuple[str, Wire | None]] = []
        while self.peek() != ")":
            if self.peek() == ".":
                self.take()
                pin = self.name()
                self.expect("(")
                wire = None if self.peek() == ")" else self.wire()
                self.expect(")")
                pins.append((pin, wire))
            else:
                pins.append(("", None if self.peek() == "," else self.wire()))
            if self.peek() == ",":
                self.take()
            elif self.peek() != ")":
                raise self.error(f"{self.peek()!r} in the connections of {instance!r}", self.at)
        self.take()
        return pins
