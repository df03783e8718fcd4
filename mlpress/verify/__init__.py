"""Verification of an artifact against its program: row by row in every engine, and proofs for all inputs.

``mlpress.verify(design)`` runs :func:`mlpress.verify.rows.verify`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpress._lazy import callable_door, lazy_door

if TYPE_CHECKING:
    from mlpress.verify.equivalence import OutOfTime, Proven, Refuted, Side, Verdict, prove_equal
    from mlpress.verify.probes import probe_rows, worth_rows
    from mlpress.verify.proofs import Counterexample, Proof, check_proofs, prove, prove_soon
    from mlpress.verify.rows import EngineResult, Values, port_values, require_equal, verify
    from mlpress.verify.unrolled import Machine

_MODULES = {
    "equivalence": ("OutOfTime", "Proven", "Refuted", "Side", "Verdict", "prove_equal"),
    "probes": ("probe_rows", "worth_rows"),
    "proofs": ("Counterexample", "Proof", "check_proofs", "prove", "prove_soon"),
    "rows": ("EngineResult", "Values", "port_values", "require_equal", "verify"),
    "unrolled": ("Machine",),
}

__all__ = [
    "Counterexample",
    "EngineResult",
    "Machine",
    "OutOfTime",
    "Proof",
    "Proven",
    "Refuted",
    "Side",
    "Values",
    "Verdict",
    "check_proofs",
    "port_values",
    "probe_rows",
    "prove",
    "prove_equal",
    "prove_soon",
    "require_equal",
    "verify",
    "worth_rows",
]

__getattr__ = lazy_door(__name__, {name: module for module, names in _MODULES.items() for name in names})
callable_door(__name__, "verify")
