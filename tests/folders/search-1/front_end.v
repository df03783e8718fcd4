// Thresholds are taps of a resistor ladder between the two ends of each feature's full scale; a tap costs the same wherever it is, and the ladder itself is not counted, as in the literature.
// Behaviour only, not to be synthesised: each value is the 64 bits of a real ($realtobits).
// x0_value: a
// x1_value: b
module front_end(x0_value, x1_value, x0_ge2, x0_ge4, x0_ge6, x1_ge3, x1_ge5, x1_ge6, x1_ge7);
  input [63:0] x0_value;
  input [63:0] x1_value;
  output x0_ge2;
  output x0_ge4;
  output x0_ge6;
  output x1_ge3;
  output x1_ge5;
  output x1_ge6;
  output x1_ge7;
  real x0_place;
  always @* x0_place = $bitstoreal(x0_value) * (2.0191822311963654) + (3.9919232710752146);
  real x1_place;
  always @* x1_place = $bitstoreal(x1_value) * (2.038216560509554) + (4.019363057324841);
  assign x0_ge2 = x0_place >= 2.0;
  assign x0_ge4 = x0_place >= 4.0;
  assign x0_ge6 = x0_place >= 6.0;
  assign x1_ge3 = x1_place >= 3.0;
  assign x1_ge5 = x1_place >= 5.0;
  assign x1_ge6 = x1_place >= 6.0;
  assign x1_ge7 = x1_place >= 7.0;
endmodule
