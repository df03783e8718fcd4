"""Search over fields: bits of tables, levels that are left out, weights that are powers of two."""
