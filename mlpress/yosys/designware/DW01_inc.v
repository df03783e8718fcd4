// A + 1, wrapping.
module DW01_inc (A, SUM);
  parameter width = 4;
  input [width-1:0] A;
  output [width-1:0] SUM;
  assign SUM = A + 1'b1;
endmodule
