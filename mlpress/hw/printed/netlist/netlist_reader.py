"""Mapped structural Verilog as a flat :class:`Netlist`: hierarchy dissolved, aliases merged."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mlpress.errors import MlpressError
from mlpress.hw.printed.netlist.netlist import ONE, OPEN, ZERO, CellKind, Netlist, Port
from mlpress.hw.printed.netlist.netlist_text import Bits, Concat, Declaration, Instance, Module, Select, Source, Wire
from mlpress.progress import counted

LARGEST_FILE = 256 * 2**20
"""Bytes of a netlist file."""
MOST_CELLS = 2_000_000
"""Cells after flattening."""
MOST_NETS = 16_000_000
"""Nets, and instances of modules, while flattening."""
DEEPEST = 64
"""Modules within modules."""

_TIED = ("*Logic0*", "*Logic1*")
"""Nets by which Design Compiler may name the constants."""


def read_netlist(path: str | Path, top: str | None = None) -> Netlist:
    """Read the netlist in a Verilog file; :class:`MlpressError` names file and line where it is no mapped netlist."""
    file = Path(path)
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise MlpressError(f"{file} has over {LARGEST_FILE >> 20} MiB; that is no netlist of a printed circuit")
        text = file.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise MlpressError(f"cannot read {file}: {error.strerror}; give a Verilog file") from error
    try:
        return parse_netlist(text, top)
    except MlpressError as error:
        raise MlpressError(f"{file}: {error}") from None


def parse_netlist(text: str, top: str | None = None) -> Netlist:
    """Read the netlist of the Verilog ``text`` under module ``top`` (default: the one that no other instantiates)."""
    source = Source(text)
    return _Flattener(source).flatten(_top(source.modules, top))


def _top(modules: dict[str, Module], wanted: str | None) -> Module:
    if wanted is not None:
        if wanted not in modules:
            raise MlpressError(f"there is no module {wanted!r}; the file has {', '.join(modules)}")
        return modules[wanted]
    used = {instance.kind for module in modules.values() for instance in module.instances}
    free = [module for name, module in modules.items() if name not in used]
    if len(free) != 1:
        names = ", ".join(module.name for module in free) or "none, for all are instantiated"
        raise MlpressError(f"which module is the top one? candidates: {names}; say it with --top")
    return free[0]


Scope = dict[str, list[int]]


class _Flattener:
    """Nets are numbered as they are met; aliases join them (union-find, the lowest number stands for all)."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.parents = [ZERO, ONE]
        self.names = ["1'b0", "1'b1"]
        self.kinds: dict[str, tuple[int, dict[str, int]]] = {}
        self.cells: list[tuple[int, str, list[tuple[int, int]]]] = []
        self.modules = 0

    def flatten(self, top: Module) -> Netlist:
        scope = self._scope(top, "")
        inside = self._elaborate(top, scope, "", 0)
        find = self._find
        roots = np.array([find(net) for net in range(len(self.parents))], np.int32)
        used, dense = np.unique(np.concatenate([[ZERO, ONE], roots]), return_inverse=True)
        number = dense[2:].astype(np.int32)
        widest = max((len(pins) for _, pins in self.kinds.values()), default=0)
        pins = np.full((len(inside), widest), OPEN, np.int32)
        for row, (_, _, wires) in enumerate(inside):
            for pin, net in wires:
                pins[row, pin] = number[net]
        ports = tuple(self._port(top, name, scope, number) for name in top.ports)
        self._check_inputs(ports)
        return Netlist(
            name=top.name,
            ports=ports,
            nets=tuple(self.names[net] for net in used.tolist()),
            kinds=tuple(CellKind(name, tuple(pins)) for name, (_, pins) in self.kinds.items()),
            kind=np.array([kind for kind, _, _ in inside], np.int32),
            pins=pins,
            names=tuple(name for _, name, _ in inside),
        )

    def _port(self, top: Module, name: str, scope: Scope, number: np.ndarray[tuple[int], np.dtype[np.int32]]) -> Port:
        declared = top.nets[name]
        left, right = declared.span or (None, None)
        nets = tuple(int(number[net]) for net in scope[name])
        return Port(name, "input" if declared.direction == "input" else "output", nets, left, right)

    def _check_inputs(self, ports: tuple[Port, ...]) -> None:
        seen: dict[int, str] = {ZERO: "the constant 0", ONE: "the constant 1"}
        for port in ports:
            if port.direction == "input":
                for net in port.nets:
                    if net in seen:
                        raise MlpressError(f"input {port.name!r} is shorted to {seen[net]}; remove that assign")
                    seen[net] = f"input {port.name!r}"

    def _find(self, net: int) -> int:
        parents = self.parents
        root = net
        while parents[root] != root:
            root = parents[root]
        while parents[net] != root:
            parents[net], net = root, parents[net]
        return root

    def _join(self, one: int, other: int, token: int) -> None:
        low, high = sorted((self._find(one), self._find(other)))
        if (low, high) == (ZERO, ONE):
            raise self.source.error("a net is tied to both 0 and 1", token)
        self.parents[high] = low

    def _new(self, name: str) -> int:
        if len(self.names) >= MOST_NETS:
            raise MlpressError(f"the netlist has over {MOST_NETS} nets once flat; that is no printed circuit")
        self.parents.append(len(self.parents))
        self.names.append(name)
        return len(self.names) - 1

    def _scope(self, module: Module, prefix: str) -> Scope:
        """Return the nets of the module's declarations; those of ports come first, so that they keep their names."""
        names = dict.fromkeys([*module.ports, *module.nets])
        return {name: self._declared(prefix + name, module.nets[name]) for name in names}

    def _declared(self, name: str, declared: Declaration) -> list[int]:
        if name.endswith(_TIED):
            return [int(name[-2])]
        if declared.tie is not None:
            width = 1 if declared.span is None else abs(declared.span[0] - declared.span[1]) + 1
            return [declared.tie] * width
        if declared.span is None:
            return [self._new(name)]
        left, right = declared.span
        step = 1 if left >= right else -1
        return [self._new(f"{name}[{index}]") for index in range(right, left + step, step)]

    def _wire(self, wire: Wire, module: Module, scope: Scope, prefix: str, token: int) -> list[int]:
        """Return the nets of an expression, the least significant first."""
        match wire:
            case str():
                if wire not in scope:
                    scope[wire] = self._declared(prefix + wire, Declaration("", None))
                return scope[wire]
            case Bits(values):
                return list(values)
            case Concat(parts):
                return [net for part in reversed(parts) for net in self._wire(part, module, scope, prefix, token)]
            case Select(name, left, right):
                return self._select(name, left, right, module, scope, token)

    def _select(self, name: str, left: int, right: int, module: Module, scope: Scope, token: int) -> list[int]:
        declared = module.nets.get(name)
        if declared is None or declared.span is None:
            if left == right and f"{name}[{left}]" in scope:
                return scope[f"{name}[{left}]"]
            raise self.source.error(f"{name!r} is not a declared bus", token)
        first, last = declared.span
        falling = first >= last
        if not (min(first, last) <= min(left, right) and max(left, right) <= max(first, last)):
            raise self.source.error(f"{name}[{left}:{right}] lies outside of [{first}:{last}]", token)
        if left != right and (left > right) != falling:
            raise self.source.error(f"{name}[{left}:{right}] runs against its declaration [{first}:{last}]", token)
        low, high = (right - last, left - last) if falling else (last - right, last - left)
        return scope[name][low : high + 1]

    def _elaborate(
        self, module: Module, scope: Scope, prefix: str, depth: int
    ) -> list[tuple[int, str, list[tuple[int, int]]]]:
        if depth > DEEPEST:
            raise MlpressError(f"module {module.name!r} is instantiated over {DEEPEST} deep (or within itself)")
        for left, right, token in module.aliases:
            to = self._wire(left, module, scope, prefix, token)
            value = self._wire(right, module, scope, prefix, token)
            value = value[: len(to)] + [ZERO] * (len(to) - len(value))
            for one, other in zip(to, value, strict=True):
                self._join(one, other, token)
        for instance in module.instances:
            inner = self.source.modules.get(instance.kind)
            if inner is None:
                self._cell(instance, module, scope, prefix)
            else:
                self._instance(instance, inner, module, scope, prefix, depth)
        return self.cells

    def _instance(
        self, instance: Instance, inner: Module, module: Module, scope: Scope, prefix: str, depth: int
    ) -> None:
        self.modules += 1
        if self.modules > MOST_NETS:
            raise MlpressError(f"the netlist has over {MOST_NETS} module instances; that is no printed circuit")
        inside = f"{prefix}{instance.name}/"
        nets = self._scope(inner, inside)
        pins = instance.pins
        if pins and not pins[0][0]:
            if len(pins) > len(inner.ports):
                raise self.source.error(
                    f"{instance.name!r} has more connections than {inner.name!r} has ports", instance.at
                )
            pins = [(port, wire) for port, (_, wire) in zip(inner.ports, pins, strict=False)]
        for pin, wire in pins:
            if pin not in inner.nets or not inner.nets[pin].direction:
                raise self.source.error(f"{inner.name!r} has no port {pin!r}", instance.at)
            if wire is None:
                continue
            value = self._wire(wire, module, scope, prefix, instance.at)
            if inner.nets[pin].direction == "input":
                value = value + [ZERO] * (len(nets[pin]) - len(value))
            for one, other in zip(nets[pin], value, strict=False):
                self._join(one, other, instance.at)
        self._elaborate(inner, nets, inside, depth + 1)

    def _cell(self, instance: Instance, module: Module, scope: Scope, prefix: str) -> None:
        if len(self.cells) >= MOST_CELLS:
            raise MlpressError(f"the netlist has over {MOST_CELLS} cells once flat; that is no printed circuit")
        kind, known = self.kinds.setdefault(instance.kind, (len(self.kinds), {}))
        wires = []
        for pin, wire in instance.pins:
            if not pin:
                raise self.source.error(
                    f"{instance.name!r} connects {instance.kind!r} by position; name the pins (.A(n1))", instance.at
                )
            at = known.setdefault(pin, len(known))
            if wire is None:
                continue
            nets = self._wire(wire, module, scope, prefix, instance.at)
            if len(nets) != 1:
                raise self.source.error(
                    f"pin {pin!r} of {instance.name!r} is connected to {counted(len(nets), 'bit')}", instance.at
                )
            wires.append((at, nets[0]))
        self.cells.append((kind, prefix + instance.name, wires))
