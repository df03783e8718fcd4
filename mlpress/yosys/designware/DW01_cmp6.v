// All six comparisons of A and B.  TC: two's complement.
module DW01_cmp6 (A, B, TC, LT, GT, EQ, LE, GE, NE);
  parameter width = 4;
  input [width-1:0] A, B;
  input TC;
  output LT, GT, EQ, LE, GE, NE;
  wire signed [width:0] a = {TC & A[width-1], A};
  wire signed [width:0] b = {TC & B[width-1], B};
  assign LT = a < b;
  assign EQ = a == b;
  assign GT = ~LT & ~EQ;
  assign LE = LT | EQ;
  assign GE = ~LT;
  assign NE = ~EQ;
endmodule
