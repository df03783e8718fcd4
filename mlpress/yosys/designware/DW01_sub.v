// Subtractor: CI is the borrow in, CO the borrow out.
module DW01_sub (A, B, CI, DIFF, CO);
  parameter width = 4;
  input [width-1:0] A, B;
  input CI;
  output [width-1:0] DIFF;
  output CO;
  assign {CO, DIFF} = {1'b0, A} - {1'b0, B} - CI;
endmodule
