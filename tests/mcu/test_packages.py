"""Arduino libraries and CMake modules: laid out, compiled as C and C++, verified, with names that end in no file."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier

from mlpress import Dataset, Design, MlpressError, compile, from_sklearn, verify  # noqa: A004
from mlpress.codegen import c
from mlpress.sim import mcu as sim
from mlpress.targets import read_target

STUB = """\
#include <stdio.h>
#include <stdint.h>
enum { OUTPUT = 1, HIGH = 1, LOW = 0, LED_BUILTIN = 13, A0 = 14 };
struct Port { void begin(long) {} void println(long v) { printf("%ld\\n", v); } };
static Port Serial;
static int given = 0;
static int analogRead(int) { return (given++ * 317) % 1024; }
static void pinMode(int, int) {}
static void digitalWrite(int, int) {}
static void delay(int) {}
"""
ROWS = 9


@pytest.fixture(scope="module")
def rows() -> Dataset:
    features = np.random.default_rng(0).uniform(0, 1, (90, 4))
    return Dataset(features, features[:, :3].argmax(axis=1), ("a", "b", "c", "d"), ("0", "1", "2"))


def made(rows: Dataset, package: str) -> Design:
    estimator = MLPClassifier((3,), max_iter=200, random_state=0, solver="lbfgs").fit(rows.features, rows.labels)
    return compile(from_sklearn(estimator), rows, target="rv32ec", prefix="../Iris 2", package=package)


@pytest.fixture(scope="module")
def arduino(rows: Dataset, tmp_path_factory: pytest.TempPathFactory) -> tuple[Design, Path]:
    design = made(rows, "arduino")
    return design, design.save(tmp_path_factory.mktemp("designs") / "build")


@pytest.fixture(scope="module")
def cmake(rows: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(rows, "cmake").save(tmp_path_factory.mktemp("designs") / "build")


def test_an_arduino_library_compiles_and_its_sketch_classifies(arduino: tuple[Design, Path], tmp_path: Path) -> None:
    design, folder = arduino
    library = folder / "arduino"
    found = sorted(str(path.relative_to(library)) for path in library.rglob("*") if path.is_file())
    assert found == ["examples/Classify/Classify.ino", "library.properties", "src/iris_2.c", "src/iris_2.h"]
    lines = dict(line.split("=", 1) for line in (library / "library.properties").read_text().splitlines())
    assert (lines["name"], lines["includes"], lines["architectures"]) == ("iris_2", "iris_2.h", "*")
    (tmp_path / "Arduino.h").write_text(STUB)
    sketch = tmp_path / "sketch.cpp"
    sketch.write_text(
        (library / "examples/Classify/Classify.ino").read_text()
        + f"int main() {{ setup(); for (int k = 0; k < {ROWS}; ++k) {{ loop(); }} }}\n"
    )
    model, program = tmp_path / "model.o", tmp_path / "program"
    flags = ["-Wall", "-Wextra", "-Werror", f"-I{tmp_path}", f"-I{library / 'src'}"]
    subprocess.run(
        [*sim.host_compiler("cc"), *flags, "-c", str(library / "src/iris_2.c"), "-o", str(model)], check=True
    )
    subprocess.run([*sim.host_compiler("c++"), *flags, str(sketch), str(model), "-o", str(program)], check=True)
    said = subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout.split()
    given = np.float32(np.arange(ROWS * 4) * 317 % 1024) / np.float32(1023)
    wanted = design.predict(given.reshape(ROWS, 4).astype(np.float64))
    assert said == [str(one) for one in wanted]
    assert len(set(said)) > 1


def test_a_package_is_verified_and_its_changes_are_noticed(arduino: tuple[Design, Path], tmp_path: Path) -> None:
    folder = tmp_path / "build"
    shutil.copytree(arduino[1], folder)
    assert all(result.equal for result in verify(Design.load(folder), rows=10))
    (folder / "arduino" / "library.properties").write_text("name=other\n")
    loaded = Design.load(folder)
    assert loaded.changed == ("arduino/library.properties",)
    assert [one.engine for one in verify(loaded, rows=10) if not one.equal] == ["C text"]


def test_a_cmake_module_names_files_that_compile(cmake: Path, tmp_path: Path) -> None:
    module = cmake / "cmake"
    found = sorted(str(path.relative_to(module)) for path in module.rglob("*") if path.is_file())
    assert found == ["CMakeLists.txt", "Kconfig", "include/iris_2.h", "src/iris_2.c", "zephyr/module.yml"]
    text = (module / "CMakeLists.txt").read_text()
    assert text.count("src/iris_2.c") == 2
    assert "CONFIG_MLPRESS_IRIS_2" in text
    assert "config MLPRESS_IRIS_2\n" in (module / "Kconfig").read_text()
    words = [*sim.host_compiler("cc"), *sim.WARNINGS, f"-I{module / 'include'}", "-c", str(module / "src/iris_2.c")]
    subprocess.run([*words, "-o", str(tmp_path / "model.o")], check=True)
    assert (tmp_path / "model.o").stat().st_size > 0


@pytest.mark.cross
@pytest.mark.parametrize("compiler", ["", "arm-none-eabi-gcc"])
def test_cmake_builds_the_module(cmake: Path, tmp_path: Path, compiler: str) -> None:
    for tool in ("cmake", *([compiler] if compiler else [])):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.13)\nproject(app C)\n"
        f'add_subdirectory("{cmake / "cmake"}" model)\n'
        "add_library(app STATIC app.c)\ntarget_link_libraries(app PRIVATE mlpress::iris_2)\n"
    )
    (tmp_path / "app.c").write_text('#include "iris_2.h"\nint app(const uint8_t *x);\nint app(const uint8_t *x)\n'
                                    "{ return iris_2_predict(x); }\n")  # fmt: skip
    cross = ["-DCMAKE_SYSTEM_NAME=Generic", f"-DCMAKE_C_COMPILER={compiler}", "-DCMAKE_C_FLAGS=-mcpu=cortex-m0plus"]
    static = "-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY"
    words = ["cmake", "-S", str(tmp_path), "-B", str(tmp_path / "out"), *([*cross, static] if compiler else [])]
    subprocess.run(words, check=True, capture_output=True)
    subprocess.run(["cmake", "--build", str(tmp_path / "out")], check=True, capture_output=True)
    assert (tmp_path / "out" / "model" / "libmlpress_iris_2.a").is_file()


def test_bad_packages_are_told() -> None:
    with pytest.raises(MlpressError, match="package is 'snap'; it must be one of none, arduino, cmake"):
        read_target("rv32ec", package="snap").check()


@pytest.mark.parametrize(("name", "wanted"), [("stdint", "m_stdint"), ("Arduino", "m_arduino"), ("a/../b", "a_b")])
def test_names_that_would_hide_headers_or_leave_the_folder(name: str, wanted: str) -> None:
    assert c.identifier(name) == wanted
    assert read_target("rv32ec", prefix=name).files == (f"{wanted}.c", f"{wanted}.h")
