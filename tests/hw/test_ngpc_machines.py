"""Machines and applications of neural graphics as data, and frames: what the paper publishes comes out."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from mlpress import MlpressError
from mlpress.hw.ngpc import (
    MODES,
    application,
    application_figures,
    applications,
    encoding_figures,
    encodings,
    fused,
    gpu,
    machine,
    machine_figures,
    machine_names,
)
from mlpress.sim.ngpc import cycles


def frame(name: str, processors: int, pixels: int = 1920 * 1080, mode: str = "paper") -> cycles.Frame:
    work = cycles.workload(application(name), encodings(name)["hashgrid"])
    found = machine(f"ngpc:{processors}", mode)  # type: ignore[arg-type]
    return cycles.frame(application(name), work, found, cycles.trace(work, found, 2048), pixels)


def test_every_figure_has_a_label_and_a_source() -> None:
    found = [one for name in machine_names() for mode in MODES for one in machine_figures(name, mode)]
    found += [one for app in applications() for one in (*application_figures(app.name), *encoding_figures(app.name))]
    assert {one.label for one in found} == {"published", "reviewed", "fitted", "assumed"}
    assert all(len(one.source) > 5 for one in found)
    assert {one.name for one in found if one.uncertainty} == {"area_mm2", "power_w"}
    fitted = {
        (app.name, one.name) for app in applications() for one in application_figures(app.name) if one.label == "fitted"
    }
    assert fitted == {(name, "share") for name in ("nerf", "nsdf", "nvr", "gia")} | {
        (name, "samples_per_pixel") for name in ("nerf", "nsdf", "nvr")
    }
    assert [one.name for one in machine_figures("ngpc", "paper") if one.label == "fitted"] == ["streamed"]
    assert not [one for one in machine_figures("ngpc", "physical") if one.label == "fitted"]
    assert not [one for mode in MODES for one in machine_figures("neurex-server", mode) if one.label == "fitted"]


def test_encodings_are_those_of_their_figures() -> None:
    for app in applications():
        shapes = encodings(app.name)
        for one in encoding_figures(app.name):
            key, field = one.name.split()
            assert getattr(shapes[key], field) == one.value
    assert encodings("gia")["hashgrid"].growth == pytest.approx((56718 / 2 / 16) ** (1 / 15), abs=5e-5)
    assert encodings("nvr")["hashgrid"].growth == pytest.approx(32 ** (1 / 15), abs=5e-5)
    assert encodings("gia")["densegrid"] == replace(encodings("nerf")["densegrid"], dimensions=2)


def test_modes_are_two_machines() -> None:
    paper, physical = machine("ngpc:8", "paper"), machine("ngpc:8", "physical")
    assert (paper.ideal, paper.streamed, physical.ideal, physical.streamed) == (True, True, False, False)
    with pytest.raises(MlpressError, match="no mode 'mixed'; there are paper, physical"):
        machine("ngpc:8", "mixed")  # type: ignore[arg-type]


def test_published_numbers_of_a_processor() -> None:
    found = machine("ngpc:1", "paper")
    assert (found.engines, found.sram_bytes, found.mac_inputs, found.mac_outputs) == (16, 1 << 20, 64, 64)


@pytest.mark.parametrize(("processors", "area", "power"), [(8, 4.52, 2.75), (64, 36.18, 22.06)])
def test_area_and_power_shares_are_the_published_ones(processors: int, area: float, power: float) -> None:
    cost = cycles.cost(machine(f"ngpc:{processors}", "paper"))
    assert 100 * cost.area_share == pytest.approx(area, rel=2e-3)
    assert 100 * cost.power_share == pytest.approx(power, rel=3e-3)


def test_the_published_area_is_less_than_its_srams_bit_cells_in_7_nm() -> None:
    found = machine("ngpc:64", "physical")
    assert cycles.least_sram_mm2(found) == pytest.approx(64 * 16 * 2**23 * 0.027e-6)
    assert cycles.least_sram_mm2(found) > found.area_mm2


@pytest.mark.parametrize(("processors", "published"), [(8, 12), (16, 20), (32, 33), (64, 39)])
def test_end_to_end_speedups_are_within_5_percent_of_the_published_ones(processors: int, published: float) -> None:
    mean = sum(frame(app.name, processors).speedup for app in applications()) / 4
    assert mean == pytest.approx(published, rel=0.05)


def test_the_largest_speedup_and_the_mean_share_are_the_published_ones() -> None:
    assert max(frame(app.name, 64).speedup for app in applications()) == pytest.approx(58, rel=0.05)
    assert sum(app.share for app in applications()) / 4 == pytest.approx(0.7237, rel=0.05)


@pytest.mark.parametrize(("name", "published"), [("nerf", 64), ("nsdf", 32), ("nvr", 16)])
def test_plateaus_are_the_published_ones(name: str, published: int) -> None:
    assert frame(name, published // 2).bound == "cluster"
    assert frame(name, published).bound == "rest"
    assert frame(name, published).speedup == frame(name, 256).speedup


@pytest.mark.parametrize(
    ("name", "times", "rate"), [("nerf", 4, 30), ("nsdf", 16, 120), ("nvr", 16, 120), ("gia", 16, 120)]
)
def test_frame_rates_are_reached(name: str, times: int, rate: float) -> None:
    assert 1 / frame(name, 64, times * 1920 * 1080).seconds >= rate


def test_a_physical_machine_is_slower_and_both_baselines_are_stated() -> None:
    paper, physical = frame("nerf", 64), frame("nerf", 64, mode="physical")
    assert physical.seconds > 5 * paper.seconds
    app = application("nerf")
    assert paper.gpu == pytest.approx(0.231)
    assert paper.rest == pytest.approx(0.231 * (1 - app.share) / 9.94)
    assert paper.gpu_fused == pytest.approx(0.231 * app.share + paper.rest)
    assert paper.speedup_over_fused < paper.speedup
    assert paper.seconds == max(paper.rest, paper.cluster)
    limit = cycles.amdahl(app.share)
    assert paper.speedup == pytest.approx(limit.fused)  # NeRF's plateau
    assert limit.fused == pytest.approx(fused() * limit.unfused)


def test_a_roofline_is_never_passed() -> None:
    for app in applications():
        for mode in MODES:
            work = cycles.workload(app, encodings(app.name)["hashgrid"])
            found = machine("ngpc:64", mode)
            roof = cycles.roofline(work, found, cycles.trace(work, found, 2048))
            assert roof.reached <= min(roof.roof, roof.slope) * 1.001


def test_neurex_is_the_same_model_with_other_numbers() -> None:
    found = machine("neurex-server", "paper")
    assert (found.area_mm2, found.power_w, found.processors) == (21.37, 6.1, 1)
    work = cycles.workload(application("nerf"), encodings("nerf")["hashgrid"])
    trace = cycles.trace(work, found, 2048)
    assert trace.placing.turns == 2  # 16 levels on 64 look-ups per cycle
    assert cycles.pace(work, found, trace).step == 2
    assert cycles.tiles(work, found) == (2, 2, 2, 4, 2)


def test_the_gpu_is_the_rtx_3090() -> None:
    assert (gpu().die_mm2, gpu().power_w, gpu().dram_bandwidth) == (628.4, 350.0, 936e9)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ngpc:0", "cluster ngpc:0: processors is 0; it must be within 1..256"),
        ("ngpc:257", "cluster ngpc:257: processors is 257; it must be within 1..256"),
        ("ngpc", "no machine 'ngpc'; write ngpc:N, N the number of processors"),
        ("ngpc:x", "no machine 'ngpc:x'; write ngpc:N, N the number of processors"),
        ("icarus", "no machine 'icarus'; there are ngpc, neurex-server"),
        ("neurex-server:2", "neurex-server has one size; leave out ':2'"),
    ],
)
def test_other_names_and_sizes_are_refused_in_one_line(name: str, said: str) -> None:
    with pytest.raises(MlpressError, match=f"^{re.escape(said)}$"):
        machine(name, "paper")
    with pytest.raises(MlpressError, match="banks is 0; it must be above 0"):
        machine("ngpc:1", "physical", banks=0)


def test_an_unknown_application_is_refused() -> None:
    with pytest.raises(MlpressError, match="no application 'doom'; there are nerf, nsdf, nvr, gia"):
        application("doom")
