"""Technologies: their cells, from data files and liberty files."""
