"""Cycle models of neural-graphics clusters: addresses, SRAM, both models, each against something plainer."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mlpress import MlpressError
from mlpress.hw.ngpc import Machine, application, encodings, machine
from mlpress.ir import GridShape
from mlpress.sim.ngpc import cycles
from mlpress.sim.ngpc.cycles import CAUSES, Level

SHAPES = (
    GridShape("hash", 3, 5, 2, 16, 1.6, 4096),
    GridShape("hash", 3, 5, 2, 16, 1.6, 3001),
    GridShape("dense", 3, 4, 2, 7, 1.4),
    GridShape("tiled", 3, 3, 8, 9, 1.5),
)


def plain_entries(level: Level, x: np.ndarray) -> np.ndarray:
    """The specification, sample by sample, in Python's own integers."""
    primes = (1, 2654435761, 805459861, 3674653429)
    found = []
    for sample in x:
        base = [int(np.floor(np.float32(v * np.float32(level.scale)) + np.float32(0.5))) for v in sample]
        row = []
        for corner in range(2 ** len(base)):
            vertex = [b + (corner >> axis & 1) for axis, b in enumerate(base)]
            if level.index == "hash":
                index = 0
                for v, prime in zip(vertex, primes, strict=False):
                    index ^= v * prime % 2**32
            else:
                index = sum(v * level.resolution**axis for axis, v in enumerate(vertex)) % 2**32
            row.append(index % level.entries)
        found.append(row)
    return np.array(found, np.uint32)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dimensions", [1, 2, 3, 4])
def test_entries_are_those_of_the_specification(shape: GridShape, dimensions: int) -> None:
    x = np.random.default_rng(dimensions).random((20, dimensions), dtype=np.float32)
    for number in range(shape.levels):
        level = cycles.level_of(replace(shape, dimensions=dimensions), number, 2)
        assert np.array_equal(cycles.entries(level, x), plain_entries(level, x))


def test_levels_are_those_of_the_specification() -> None:
    hashed = encodings("nerf")["hashgrid"]
    levels = [cycles.level_of(hashed, number, 2) for number in range(16)]
    assert (levels[0].scale, levels[0].resolution, levels[0].entries, levels[0].index) == (15.0, 16, 4096, "dense")
    assert (levels[15].resolution, levels[15].entries, levels[15].index) == (2048, 1 << 19, "hash")
    assert levels[15].table_bytes == 2 << 20  # float16: more than the 1 MB of an engine
    tiled = cycles.level_of(encodings("nerf")["lowres"], 1, 2)
    assert (tiled.entries, tiled.index, tiled.entry_bits) == (128**3, "dense", 128)


@pytest.mark.parametrize("order", ["rays", "sphere", "volume", "raster"])
@pytest.mark.parametrize("dimensions", [1, 2, 3, 4])
def test_positions_are_within_the_cube_and_the_same_for_a_seed(order: Any, dimensions: int) -> None:
    x = cycles.positions(order, dimensions, 1000, 7.0, seed=3)
    assert x.shape == (1000, dimensions) and x.dtype == np.float32
    assert x.min() >= 0 and x.max() < 1
    assert np.array_equal(x, cycles.positions(order, dimensions, 1000, 7.0, seed=3))


def work_of(name: str, encoding: str) -> cycles.Workload:
    return cycles.workload(application(name), encodings(name)[encoding])


def test_engines_take_passes_and_samples_side_by_side_as_published() -> None:
    found = machine("ngpc:1", "paper")
    nerf, hashed = application("nerf"), encodings("nerf")["hashgrid"]
    for levels, turns, lanes in ((16, 1, 1), (8, 1, 2), (2, 1, 8), (5, 1, 3), (20, 2, 1), (33, 3, 1)):
        placed = cycles.placing(cycles.workload(nerf, replace(hashed, levels=levels)), found)
        assert (placed.turns, placed.lanes) == (turns, lanes)


def test_a_physical_table_fits_or_is_split_or_cached() -> None:
    found = machine("ngpc:1", "physical")
    hashed = cycles.placing(work_of("nerf", "hashgrid"), found)
    assert [place.misses for place in hashed.places] == [False] * 5 + [True] * 11
    assert all(place.engines == 1 for place in hashed.places)
    dense = cycles.placing(work_of("nerf", "densegrid"), found)
    assert [place.engines for place in dense.places] == [1, 1, 1, 1, 1, 3, 1, 1]
    assert [place.misses for place in dense.places] == [False] * 6 + [True] * 2
    assert dense.places[6].first == 8


def plain_trace(work: cycles.Workload, found: Machine, samples: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Conflicts, lines and far lines in dictionaries and lists, for works of one lane whose levels are not split."""
    placed = cycles.placing(work, found)
    x = cycles.positions(work.order, work.dimensions, 2 * samples, work.samples_per_pixel)
    shape = (2 * samples, placed.stride)
    busy, lines, far = (np.zeros(shape, int) for _ in range(3))
    looked = [cycles.entries(level, x) for level in work.levels]
    tags: list[dict[int, int]] = [{} for _ in work.levels]
    sets = found.l2_bytes // (found.line_bytes * found.l2_ways)
    l2: list[list[int]] = [[] for _ in range(sets)]
    per_line = [8 * found.line_bytes // level.entry_bits for level in work.levels]
    bases = np.cumsum([0] + [-(-lv.entries // n) for lv, n in zip(work.levels, per_line, strict=True)])
    for s in range(2 * samples):
        for number, place in enumerate(placed.places):
            banks = [entry % found.banks for entry in {int(e) for e in looked[number][s]}]
            busy[s, place.first] += -(-max(banks.count(bank) for bank in banks) // found.ports)
            for entry in looked[number][s] if place.misses else ():
                line = int(entry) // per_line[number]
                row = line % (place.cached // found.line_bytes)
                if tags[number].get(row, row) == line:
                    continue
                tags[number][row] = line
                lines[s, place.first] += 1
                ways = l2[int(bases[number] + line) % sets]
                far[s, place.first] += int(bases[number]) + line not in ways
                if int(bases[number]) + line in ways:
                    ways.remove(int(bases[number]) + line)
                ways.append(int(bases[number]) + line)
                del ways[: -found.l2_ways]
    return busy[samples:], lines[samples:], far[samples:]


@pytest.mark.parametrize(("name", "levels", "banks", "ports"), [("nvr", 16, 8, 1), ("gia", 20, 4, 2)])
def test_a_trace_counts_conflicts_and_misses(name: str, levels: int, banks: int, ports: int) -> None:
    shape = replace(encodings(name)["hashgrid"], levels=levels, growth=1.4, entries=100003)
    work = cycles.workload(application(name), shape)
    found = machine("ngpc:1", "physical", banks=banks, ports=ports, sram_bytes=1 << 14, l2_bytes=1 << 16)
    trace = cycles.trace(work, found, 150)
    busy, lines, far = plain_trace(work, found, 150)
    assert np.array_equal(trace.cycles, busy)
    assert np.array_equal(trace.lines, lines)
    assert np.array_equal(trace.far, far)
    assert lines.sum() > far.sum() > 0


def test_many_passes_are_counted_in_full() -> None:
    shape = GridShape("hash", 3, 256, 1, 16, 1.0, 8)
    found = machine("ngpc:1", "physical", engines=4, banks=1)
    trace = cycles.trace(cycles.workload(replace(application("nerf"), dimensions=4), shape), found, 16)
    assert trace.placing.turns == 64
    assert trace.cycles.max() > 255


def test_hashed_levels_take_as_many_cycles_in_eight_banks_as_measured_before() -> None:
    work = work_of("nerf", "hashgrid")
    trace = cycles.trace(work, machine("ngpc:1", "physical"), 4096)
    hashed = [number for number, level in enumerate(work.levels) if level.index == "hash"]
    assert trace.cycles[:, hashed].mean() == pytest.approx(1.63, abs=0.03)


def test_networks_follow_the_published_law() -> None:
    work = work_of("nerf", "hashgrid")
    found = machine("ngpc:1", "physical")
    assert cycles.tiles(work, found) == (1, 1, 1, 1, 1)
    assert cycles.mlp_cycles(work, found, 256) == 5 * (256 + 64) + 64  # loads hide behind the tile before
    slow = replace(found, load_cycles=400)
    assert cycles.mlp_cycles(work, slow, 256) == 5 * 400 + 400
    wide = cycles.workload(replace(application("nerf"), networks=((32, 200, 65),)), encodings("nerf")["hashgrid"])
    assert cycles.tiles(wide, found) == (4, 8)
    paper = machine("ngpc:1", "paper")
    assert cycles.mlp_cycles(work, paper, 256) == 256
    assert cycles.mlp_cycles(wide, paper, 256) == 8 * 256


def plain_run(work: cycles.Workload, found: Machine, trace: cycles.Trace, batches: int) -> float:
    """One processor's run, sample by sample, with no event and no other processor: the time of the last result."""
    size = found.batch // trace.placing.lanes
    rates = [found.l2_bandwidth / found.clock_hz, found.dram_bandwidth / found.clock_hz]
    near = far = 0.0
    samples = size * trace.placing.lanes
    came, left = work.input_bytes * samples / rates[0], work.output_bytes * samples / rates[0]
    near += came
    fetched = near + found.l2_latency
    issued, networks, end = fetched - trace.placing.turns, 0.0, 0.0
    done = np.zeros(trace.cycles.shape[1])
    through: list[float] = []
    free: list[float] = []
    handed = 0
    for s in range(size * batches):
        time = issued + trace.placing.turns
        if s >= found.queue:
            time = max(time, through[s - found.queue])
        if s % size == 0:
            time = max(time, fetched, free[s // size - 2] if s >= 2 * size else 0.0)
        while handed < len(free) and free[handed] <= time:
            near, handed = max(near, time) + left, handed + 1
            end = max(end, near)
        issued, row = time, s % trace.groups
        for engine in range(len(done)):
            ready = time
            if trace.lines[row, engine]:
                near = max(near, time) + int(trace.lines[row, engine]) * found.line_bytes / rates[0]
                ready = near + found.l2_latency
                if trace.far[row, engine]:
                    far = max(far, near) + int(trace.far[row, engine]) * found.line_bytes / rates[1]
                    ready = far + found.l2_latency + found.dram_latency
            done[engine] = max(done[engine], ready) + int(trace.cycles[row, engine])
        through.append(float(done.max()))
        if s % size == 0:
            near = max(near, time) + came
            fetched = near + found.l2_latency
        if (s + 1) % size == 0:
            networks = max(networks, through[-1]) + cycles.mlp_cycles(work, found, samples)
            free.append(networks)
    for due in free[handed:]:
        near = max(near, due) + left
        end = max(end, near)
    return end


@pytest.mark.parametrize(("name", "encoding"), [("nvr", "hashgrid"), ("gia", "hashgrid"), ("nvr", "lowres")])
@pytest.mark.parametrize("queue", [16, 300])
def test_the_event_model_of_one_processor_is_the_plain_recurrence(name: str, encoding: str, queue: int) -> None:
    work, found = work_of(name, encoding), machine("ngpc:1", "physical", queue=queue, batch=64)
    trace = cycles.trace(work, found, 512)
    timing = cycles.simulate(work, found, trace, 512)
    assert timing.samples == 512
    assert timing.cycles == pytest.approx(plain_run(work, found, trace, 8), rel=1e-12)


THINNED = list(islice(cycles.configurations(), 3, None, 7))


@pytest.mark.parametrize("one", THINNED, ids=lambda one: f"{one.name}-{one.machine.name}-{one.machine.mode}")
def test_both_models_agree_within_5_percent(one: cycles.Configuration) -> None:
    found = cycles.compare(one)
    assert abs(found.difference) < 0.05
    assert sum(found.event.causes.values()) == pytest.approx(found.event.cycles)
    assert sum(found.analytic.causes.values()) == pytest.approx(found.analytic.cycles)
    assert min(found.event.causes.values()) >= 0
    assert set(found.event.causes) == set(found.analytic.causes) == set(CAUSES)


def test_on_machines_drawn_at_random_nine_in_ten_agree_and_none_is_far_off() -> None:
    found = [abs(cycles.compare(one, 2048).difference) for one in cycles.random_configurations(60, 2)]
    assert sum(difference < 0.05 for difference in found) >= 54
    assert max(found) < 0.25


def test_the_sweep_is_wide_enough() -> None:
    every = list(cycles.configurations())
    assert len(every) >= 200
    assert {one.machine.processors for one in every} >= {1, 8, 16, 32, 64, 256}
    assert {one.work.dimensions for one in every} == {1, 2, 3, 4}
    assert any(16 % len(one.work.levels) for one in every)
    assert any(max(map(max, one.work.networks)) > 64 for one in every)
    assert any(level.entries & (level.entries - 1) for one in every for level in one.work.levels)
    assert {one.machine.mode for one in every} == {"paper", "physical"}
    assert any(one.switch for one in every)


def test_processors_contend_for_memory_and_for_nothing_else() -> None:
    work = work_of("gia", "hashgrid")
    trace = cycles.trace(work, machine("ngpc:1", "physical"), 2048)
    steady = {n: cycles.simulate(work, machine(f"ngpc:{n}", "physical"), trace, 2048) for n in (1, 4, 64, 128)}
    assert steady[4].cycles == pytest.approx(steady[1].cycles, rel=0.03)
    assert steady[128].cycles == pytest.approx(2 * steady[64].cycles, rel=0.03)
    assert steady[128].bound == "bandwidth"
    served = steady[128].far_bytes / machine("ngpc:1", "physical").seconds(steady[128].cycles)
    assert 0.9 < served / 936e9 <= 1
    same = cycles.simulate(work, machine("ngpc:64", "physical"), trace, 2048)
    assert same == steady[64]


def test_a_new_scene_brings_every_processors_tables() -> None:
    work, found = work_of("nvr", "densegrid"), machine("ngpc:8", "physical")
    trace = cycles.trace(work, found, 1024)
    near, far = cycles.preload_bytes(work, found)
    assert far == sum(level.table_bytes for level in work.levels) + 2 * work.weights
    kept, switched = (cycles.simulate(work, found, trace, 1024, switch) for switch in (False, True))
    assert switched.near_bytes - kept.near_bytes == 8 * near
    assert switched.cycles - kept.cycles == pytest.approx(8 * near / 2048 + far / 936, rel=0.01)


def test_a_faster_part_never_makes_it_slower_and_the_slowest_part_sets_the_pace() -> None:
    work, found = work_of("nvr", "hashgrid"), machine("ngpc:16", "physical")
    trace = cycles.trace(work, found, 2048)
    base = cycles.simulate(work, found, trace, 2048).cycles
    for change in ({"l2_latency": 50}, {"dram_bandwidth": 2e12}, {"queue": 1024}, {"fill_cycles": 0}):
        assert cycles.simulate(work, replace(found, **change), trace, 2048).cycles <= base * 1.001
    pace = cycles.pace(work, found, trace)
    assert pace.step >= max(pace.issue, pace.banks, pace.bandwidth, pace.networks)


def kernel(*grids: Any) -> Any:
    """What :class:`cycles.Workload` reads of a kernel."""
    cluster = SimpleNamespace(name="few", processors=4, engines=8, sram_bytes=1000, mac_inputs=32, mac_outputs=16)
    layers = tuple(SimpleNamespace(inputs=i, outputs=o) for i, o in ((6, 64), (64, 3)))
    return SimpleNamespace(
        precision="float16",
        batch=128,
        inputs=("x", "y"),
        outputs=("r", "g", "b"),
        weights=layers,
        cluster=cluster,
        grids=lambda: grids,
    )


def test_a_kernel_is_a_work_and_a_machine() -> None:
    levels = tuple(
        SimpleNamespace(scale=15.0, resolution=16, entries=n, index=index, bits=bits)
        for n, index, bits in ((256, "dense", 8), (100, "tiled", 3), (99, "hash", 16))
    )
    made = kernel(SimpleNamespace(dimensions=2, features=2, levels=levels))
    work = cycles.Workload.of(made, "raster")
    assert [(level.index, level.entry_bits) for level in work.levels] == [("dense", 16), ("dense", 6), ("hash", 32)]
    assert [level.table_bytes for level in work.levels] == [512, 75, 396]
    assert (work.dimensions, work.layers, work.input_bytes, work.output_bytes) == (2, ((6, 64), (64, 3)), 4, 6)
    found = cycles.machine_of(made, "physical")
    assert (found.processors, found.engines, found.sram_bytes, found.batch) == (4, 8, 1000, 128)
    assert cycles.tiles(work, found) == (4, 2)
    assert cycles.simulate(work, found, cycles.trace(work, found, 256), 256).cycles > 0
    (two, three) = (SimpleNamespace(dimensions=n, features=2, levels=levels) for n in (2, 3))
    with pytest.raises(MlpressError, match=re.escape("grids of one number of coordinates; these have [2, 3]")):
        cycles.Workload.of(kernel(two, three))


def test_a_kernel_without_grids_is_as_slow_as_its_networks() -> None:
    made = kernel()
    work, found = cycles.Workload.of(made), cycles.machine_of(made, "physical")
    costs = cycles.trace(work, found, 1024)
    timing = cycles.simulate(work, found, costs, 1024)
    assert timing.bound == "networks"
    assert timing.steady == pytest.approx(cycles.mlp_cycles(work, found, 128) / 128, rel=0.05)
    assert cycles.estimate(work, found, costs, 1024).cycles == pytest.approx(timing.cycles, rel=0.05)


def test_what_the_models_do_not_take_is_refused_in_one_line() -> None:
    nerf, hashed = application("nerf"), encodings("nerf")["hashgrid"]
    with pytest.raises(MlpressError, match=re.escape("5 coordinates; an encoding engine takes 1 to 4")):
        cycles.workload(nerf, replace(hashed, dimensions=5, levels=2))
    many = cycles.workload(nerf, hashed).levels * 17
    with pytest.raises(MlpressError, match="272 levels; give 256 at most"):
        replace(cycles.workload(nerf, hashed), levels=many)
    with pytest.raises(MlpressError, match=r"level [0-9]+ has a scale of"):
        cycles.workload(nerf, replace(hashed, growth=9.0))
    with pytest.raises(MlpressError, match="a network needs two widths or more"):
        cycles.workload(replace(nerf, networks=((32,),)), hashed)
