"""The generated C on this computer, with the sanitizers of undefined behaviour and of memory where they are there."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mlpress.codegen.c import CSource
from mlpress.errors import MlpressError, OutOfTimeError
from mlpress.sim.mcu.toolchain import SECONDS, WARNINGS, run, write_sources

MAIN = """\
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
    const int which = (argc > 1) ? atoi(argv[1]) : 0;
    switch (which) {
%s
    default: return 2;
    }
}
"""


def host_compiler(language: Literal["cc", "c++"]) -> list[str]:
    """Return the first words of a command that compiles for this computer: gcc, clang or the Zig wheel's clang."""
    names = ("gcc", "clang") if language == "cc" else ("g++", "clang++")
    found = next((one for one in names if shutil.which(one)), None)
    return [found] if found else [sys.executable, "-m", "ziglang", language]


def _case(index: int, source: CSource) -> str:
    """Return the case that reads features and codes row by row, and writes codes, class and scores as int64."""
    name, n, m = source.name, source.inputs, source.scores
    score = source.score_type or "int32_t"
    lines = [
        f"    case {index}: {{",
        f"        float f[{n}]; {source.code_type} x[{n}], q[{n}]; int64_t out; int k;",
        "        while (fread(f, sizeof f, 1, stdin) == 1 && fread(x, sizeof x, 1, stdin) == 1) {",
        f"            {name}_quantize(f, q);",
        f"            for (k = 0; k < {n}; ++k) {{ out = q[k]; fwrite(&out, 8, 1, stdout); }}",
    ]
    if source.decides:
        lines.append(f"            out = {name}_predict(x); fwrite(&out, 8, 1, stdout);")
    if source.score_type is not None:
        lines.append(f"            {{ {score} s[{m}]; {name}_scores(x, s);")
        lines.append(f"            for (k = 0; k < {m}; ++k) {{ out = s[k]; fwrite(&out, 8, 1, stdout); }} }}")
    return "\n".join([*lines, "        }", "        return 0;", "    }"])


class HostProgram:
    """Sources compiled into one program, which is removed at the end of a ``with`` statement or of the object."""

    def __init__(self, sources: Sequence[CSource]) -> None:
        """Compile ``sources`` with all warnings as errors and, with gcc or clang, UBSan and ASan."""
        self._sources = tuple(sources)
        made = tempfile.TemporaryDirectory()
        self._remove = weakref.finalize(self, made.cleanup)
        folder = Path(made.name)
        whole = write_sources(self._sources, folder)
        main = folder / "host-main.c"
        includes = "".join(f'#include "{source.name}.h"\n' for source in self._sources)
        cases = "\n".join(_case(index, source) for index, source in enumerate(self._sources))
        main.write_text(includes + MAIN % cases, encoding="ascii")
        self._program = folder / "program"
        words = host_compiler("cc")
        found = len(words) == 1
        checks = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"] if found else ["-fsanitize=undefined"]
        self.compiler = f"{words[0]} with UBSan and ASan" if found else "zig cc with UBSan"
        flags = [*words, "-O1", *checks]
        run([*flags, *WARNINGS, "-c", str(whole), "-o", str(folder / "all.o")])
        run([*flags, str(main), str(folder / "all.o"), "-o", str(self._program)])

    def __enter__(self) -> HostProgram:
        return self

    def __exit__(self, *_: object) -> None:
        self._remove()

    def run(
        self, index: int, codes: NDArray[Any], features: NDArray[Any] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64] | None, NDArray[np.int64] | None]:
        """Run source ``index`` on rows; return the codes of the features, the classes and the scores, all int64."""
        source = self._sources[index]
        rows = np.ascontiguousarray(codes, dtype=source.code_type.removesuffix("_t"))
        given = np.zeros(rows.shape, np.float32) if features is None else features.astype(np.float32)
        data = b"".join(f.tobytes() + x.tobytes() for f, x in zip(given, rows, strict=True))
        words = [str(self._program), str(index)]
        try:
            done = subprocess.run(words, input=data, capture_output=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise OutOfTimeError(f"{source.name} did not end on the host within {SECONDS} s") from None
        if done.returncode:
            lines = done.stderr.decode(errors="replace").splitlines()
            raise MlpressError(f"{source.name} fails on the host: {lines[0] if lines else done.returncode}")
        outputs = np.frombuffer(done.stdout, np.int64).reshape(len(rows), -1)
        n = source.inputs
        classes = outputs[:, n] if source.decides else None
        scores = outputs[:, n + source.decides :] if source.score_type is not None else None
        return outputs[:, :n], classes, scores
