"""Answers that a student may give and that the checks must refuse, by lab and question."""

WRONG: dict[str, dict[str, tuple[str, ...]]] = {
    "lab1_onnx_to_circuit": {
        "q1": ("multiplications = sum(layer.weight.size + layer.bias.size for layer in model.layers)",),
        "q2": (
            "def codes(x): return np.floor(x * scales + offsets).astype(int)\n"
            "scales, offsets = ([getattr(f, n) for f in net.inputs] for n in ('scale', 'offset'))",
            "def codes(x): return np.clip(np.rint(x * scales + offsets), 0, 15).astype(int)\n"
            "scales, offsets = ([getattr(f, n) for f in net.inputs] for n in ('scale', 'offset'))",
        ),
        "q3": (
            "def sums(x): return [sum(t.sign * ((int(x[t.source]) & t.mask) << t.shift) for t in n.terms)"
            " for n in net.layers[0].neurons]",
            "def sums(x): return [n.bias + sum((int(x[t.source]) & t.mask) << t.shift for t in n.terms)"
            " for n in net.layers[0].neurons]",
        ),
        "q4": ("static_share = estimate['voltages'][0]['static_mw'] / estimate['voltages'][0]['total_mw']",),
        "q5": ("chosen = max(tried)", "tried = {b: (1.0 / b, 1.0) for b in (2, 3, 4)}; chosen = 4"),
        "q6": ("broken = design; refuted = mp.prove(design)[0]",),
    },
    "lab2_approximate_arithmetic": {
        "q1": ("def digits(w): return [(1, k) for k in range(12) if w >> k & 1]",),
        "q2": (
            "def thinned(network, most): return network",
            "def thinned(network, most): return replace(network, layers=tuple(ir.Layer(tuple("
            "replace(n, terms=n.terms[:most]) for n in layer.neurons)) for layer in network.layers))",
        ),
        "q3": ("def front(points): return sorted(set(points), key=lambda p: p[1])",),
        "q4": (
            "def child(one, other, rng): return np.where(rng.random(len(one)) < 0.5, one, other)",
            "def survivors(judged, count): return judged[:count]",
            "evolved = evolve(0)",
        ),
        "q5": ("ratio = 0.5", "cheapest = min(row['area_cm2'] for row in found.front.rows()) / 2"),
    },
    "lab3_evolving_gates": {
        "q1": ("share = len(train) / 2**circuit.input_bits",),
        "q2": (
            "def simulate(ands, outputs, words, rows):\n"
            "    values = [0, *words]\n"
            "    for a, b in ands:\n"
            "        values.append(values[a >> 1] & values[b >> 1])\n"
            "    return [values[o >> 1] for o in outputs]",
        ),
        "q3": ("small = list(ands)", "small = [(0, 0)] * len(ands)"),
        "q4": ("before = 0.5", "after = 1.25 - before"),
        "q5": ("factor = 1 + evolved.cost['area'] / exact.cost['area']", "levels = levels[::-1]"),
    },
    "lab4_sensor_to_class": {
        "q1": ("def thermometer(code, levels): return [int(code > level) for level in levels]",),
        "q2": ("share = 0.5", "comparator_mw = system['comparators']['count'] * 46.07"),
        "q3": ("def ports(row): return {each['port']: 1 for each in comparators}",),
        "q4": ("mean = copy_accuracy(0.0, rng)", "def copy_accuracy(sigma, rng): return design.accuracy"),
        "q5": ("critical = comparators[int(np.argmax(means))]['port']",),
    },
    "lab5_hardware_in_the_loop": {
        "q1": ("chosen = max(tried, key=lambda b: tried[b][0])",),
        "q2": ("per_second = 12e6 / design.cost['cycles']",),
        "q3": (
            "def stuffed(data): return b''.join(bytes([min(len(p) + 1, 255)]) + p for p in data.split(b'\\0'))",
            "def stuffed(data): return data",
        ),
        "q4": ("def crc(data): return sum(data) & 0xFFFF",),
        "q5": ("by_bits = dict.fromkeys(by_bits, design.accuracy)", "noisy = by_bits[8]"),
    },
    "lab6_neural_graphics": {
        "q1": ("def entry(level, q): return (q[0] + q[1] * level.resolution) % level.entries",),
        "q2": (
            "def features(level, p):\n"
            "    q = np.floor(np.asarray(p) * level.scale + 0.5).astype(int)\n"
            "    return np.asarray(level.table[entry(level, (int(q[0]), int(q[1])))], float)",
        ),
        "q3": ("def psnr(wanted, found): return 10 * np.log10(1 / np.mean((wanted - found) ** 2))", "quality = 99.0"),
        "q4": (
            "smallest = next(b for b in stored if b != smallest)",
            "stored = dict.fromkeys((2, 4, 8), (1, 99.0)); smallest = 2",
        ),
        "q5": (
            "def speedup(share, per_processor, n): return 1 / ((1 - share) / 9.94 + per_processor / n)",
            "enough = 256",
        ),
    },
}
