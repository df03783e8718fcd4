"""The arithmetic of encodings that have no table, in float32: each operator below rounds once, in the order written.

The functions take NumPy arrays of float32, or anything else with the operators ``*``, ``+`` and ``-``.
"""

from __future__ import annotations

from typing import Any

PRIMES = (1, 2654435761, 805459861, 3674653429)
"""Factors of a vertex's coordinates in its hash; 32-bit primes but for the first (instant-ngp's)."""

WAVE = (-6.283185160001264, 41.341655021548185, -81.60100369222363, 76.54977528279548, -39.536656292634916)
"""``-sin(2 * pi * v) = v * (WAVE[0] + v**2 * (WAVE[1] + ...))`` for ``|v| <= 1/4``: the minimax fit, within 4e-9."""


def harmonics(x: Any, y: Any, z: Any) -> list[Any]:
    """Return the 16 real spherical harmonics of bands 0 to 3; ``x``, ``y``, ``z`` within 0..1 stand for -1..1.

    Constants and polynomials are those of P.-P. Sloan, "Efficient Spherical Harmonic Evaluation" (JCGT, 2013).
    """
    x, y, z = (axis * 2.0 - 1.0 for axis in (x, y, z))
    xx, yy, zz = x * x, y * y, z * z
    xy, xz, yz = x * y, x * z, y * z
    five = zz * -5.0 + 1.0
    return [
        x * 0.0 + 0.28209479177387814,
        y * -0.48860251190291987,
        z * 0.48860251190291987,
        x * -0.48860251190291987,
        xy * 1.0925484305920792,
        yz * -1.0925484305920792,
        zz * 0.94617469575755997 - 0.31539156525251999,
        xz * -1.0925484305920792,
        (xx - yy) * 0.54627421529603959,
        y * (xx * -3.0 + yy) * 0.59004358992664352,
        xy * z * 2.8906114426405538,
        y * five * 0.45704579946446572,
        z * (zz * 5.0 - 3.0) * 0.3731763325901154,
        x * five * 0.45704579946446572,
        z * (xx - yy) * 1.4453057213202769,
        x * (yy * 3.0 - xx) * 0.59004358992664352,
    ]
