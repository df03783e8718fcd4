"""Area, timing, power, converters and power sources of mapped netlists."""
