// Adder (ADD_SUB = 0) and subtractor (ADD_SUB = 1): CI and CO are carries, or borrows.
module DW01_addsub (A, B, CI, ADD_SUB, SUM, CO);
  parameter width = 4;
  input [width-1:0] A, B;
  input CI, ADD_SUB;
  output [width-1:0] SUM;
  output CO;
  wire [width:0] total = {1'b0, A} + {1'b0, B ^ {width{ADD_SUB}}} + (CI ^ ADD_SUB);
  assign SUM = total[width-1:0];
  assign CO = total[width] ^ ADD_SUB;
endmodule
