"""Programs as Verilog: the text, its test bench, its audit, its simulation."""
