"""Verilog to mapped netlists."""
