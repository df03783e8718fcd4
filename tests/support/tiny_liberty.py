"""A liberty library small enough to compute by hand: delays, slews and energies are planes over slew and load."""

from __future__ import annotations


def plane(name: str, base: float, per_slew: float, per_load: float) -> str:
    """A 2 x 2 table of ``base + per_slew * slew + per_load * load`` at slews 10, 20 and loads 1, 3."""
    rows = [", ".join(str(base + per_slew * slew + per_load * load) for load in (1, 3)) for slew in (10, 20)]
    return f'{name} (delay_2x2) {{ values ("{rows[0]}", "{rows[1]}"); }}'


HEAD = """
library (tiny) {
  /* units differ from mlpress's own, so that conversion is tested */
  time_unit : "1us";
  leakage_power_unit : "1uW";
  voltage_unit : "1V";
  capacitive_load_unit (1000, ff);
  nom_voltage : 2.0;
  lu_table_template (delay_2x2) {
    variable_1 : input_net_transition;
    variable_2 : total_output_net_capacitance;
    index_1 ("10, 20");
    index_2 ("1, 3");
  }
  power_lut_template (energy_2) {
    variable_1 : input_transition_time;
    index_1 ("10, 20");
  }
"""

INVERTER = f"""
  cell (INV) {{
    area : 100;
    cell_leakage_power : 5;
    leakage_power () {{ value : 2; when : "A !Y"; related_pg_pin : VDD; }}
    leakage_power () {{ value : 1; when : "A !Y"; related_pg_pin : VSS; }}
    leakage_power () {{ value : 7; when : "!A Y"; related_pg_pin : VDD; }}
    pin (A) {{
      direction : input;
      capacitance : 2;
      rise_capacitance_range (1, 4);
      fall_capacitance_range (1, 5);
    }}
    pin (Y) {{
      direction : output;
      function : "A'";
      timing () {{
        related_pin : "A";
        timing_sense : negative_unate;
        {plane("cell_rise", 100, 0.5, 10)}
        {plane("rise_transition", 30, 0.25, 4)}
        {plane("cell_fall", 60, 0.1, 5)}
        {plane("fall_transition", 20, 0.2, 2)}
      }}
      internal_power () {{
        related_pin : "A";
        {plane("rise_power", 40, 0, 1)}
        {plane("fall_power", 20, 0, 2)}
      }}
    }}
  }}
"""

NAND = f"""
  cell (NAND) {{
    area : 150;
    cell_leakage_power : 10;
    leakage_power () {{ value : 20; when : "A*B*!Y"; }}
    leakage_power () {{ value : 4; when : "!A*!B*Y"; }}
    pin (A, B) {{
      direction : input;
      capacitance : 3;
      internal_power () {{
        when : "!Y";
        power (energy_2) {{ values ("8, 8"); }}
      }}
    }}
    pin (Y) {{
      direction : output;
      function : "(A B)'";
      timing () {{
        related_pin : "A B";
        {plane("cell_rise", 200, 0, 20)}
        {plane("rise_transition", 50, 0, 5)}
        {plane("cell_fall", 150, 1, 15)}
        {plane("fall_transition", 40, 0.5, 3)}
      }}
      internal_power () {{
        related_pin : "A";
        {plane("rise_power", 60, 0, 0)}
        {plane("fall_power", 60, 0, 0)}
      }}
      internal_power () {{
        related_pin : "B";
        {plane("rise_power", 120, 0, 0)}
        {plane("fall_power", 120, 0, 0)}
      }}
    }}
  }}
"""

TINY = HEAD + INVERTER + NAND + "}\n"
