"""Simulators of neural-graphics clusters: :mod:`mlpress.sim.ngpc.cycles` has the cycle models."""
