// Adder with carry in and carry out.
module DW01_add (A, B, CI, SUM, CO);
  parameter width = 4;
  input [width-1:0] A, B;
  input CI;
  output [width-1:0] SUM;
  output CO;
  assign {CO, SUM} = {1'b0, A} + {1'b0, B} + CI;
endmodule
