"""Machine code that is kept on disk, when several processes compile at the same moment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

KERNEL = """
from mlpress.jit import compiled

@compiled
def total(values):
    found = 0.0
    for k in range(len(values)):
        found += values[k]
    return found
"""
CALL = """
import sys, time
import numpy as np
from numba.core.caching import IndexDataCacheFile
from kernel import total
kept = IndexDataCacheFile._save_index
IndexDataCacheFile._save_index = lambda *words: (time.sleep(1.0), kept(*words))  # until the others are here too
print("ready", flush=True)
sys.stdin.readline()  # all begin together
print(total(np.arange(100).astype(sys.argv[1])))
"""
TYPES = ("float64", "int32")


def test_each_type_has_its_own_code(tmp_path: Path) -> None:
    (tmp_path / "kernel.py").write_text(KERNEL)
    (tmp_path / "call.py").write_text(CALL)
    for _ in range(2):  # compiled, then loaded
        started = [
            subprocess.Popen(
                [sys.executable, "call.py", kind],
                cwd=tmp_path,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for kind in TYPES
        ]
        for process in started:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
        for process in started:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        ended = [process.communicate(timeout=60) for process in started]
        assert [out.strip() for out, _ in ended] == ["4950.0"] * len(TYPES), ended
        assert len(list((tmp_path / "__pycache__").glob("kernel.total-*.nbc"))) == len(TYPES)
