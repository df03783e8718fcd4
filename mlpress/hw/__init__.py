"""Hardware as data, and what it costs: one package per kind of target."""
