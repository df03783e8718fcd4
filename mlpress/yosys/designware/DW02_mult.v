// Product at full width.  TC: both factors are two's complement, else both are unsigned.
module DW02_mult (A, B, TC, PRODUCT);
  parameter A_width = 8;
  parameter B_width = 8;
  input [A_width-1:0] A;
  input [B_width-1:0] B;
  input TC;
  output [A_width+B_width-1:0] PRODUCT;
  wire signed [A_width:0] a = {TC & A[A_width-1], A};
  wire signed [B_width:0] b = {TC & B[B_width-1], B};
  wire signed [A_width+B_width+1:0] product = a * b;
  assign PRODUCT = product[A_width+B_width-1:0];
endmodule
