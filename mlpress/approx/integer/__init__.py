"""The integer-level search: networks of approximate arithmetic by annealed NSGA-II."""
