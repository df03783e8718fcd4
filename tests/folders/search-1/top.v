// A circuit of 0 and-gates made by mlpress.
//
// Inputs (unsigned codes; x0_ge3 says whether code x0 is 3 or more):
//   x0: a, 3 bits = floor(value * 2.0191822311963654 + 3.9919232710752146), clipped, kept levels 2, 4, 6
//   x1: b, 3 bits = floor(value * 2.038216560509554 + 4.019363057324841), clipped, kept levels 3, 5, 6, 7
//   x2: c, 3 bits = floor(value * 2.074688796680498 + 4.0103734439834025), clipped, kept levels
//
// Outputs:
//   y: class index; 0 = 0, 1 = 1

module top(x0_ge2, x0_ge4, x0_ge6, x1_ge3, x1_ge5, x1_ge6, x1_ge7, y);
  input x0_ge2;
  input x0_ge4;
  input x0_ge6;
  input x1_ge3;
  input x1_ge5;
  input x1_ge6;
  input x1_ge7;
  output y;
  assign y = 1'b0;
endmodule
