// A < B, or with LEQ A <= B; GE_GT is the opposite.  TC: two's complement.
module DW01_cmp2 (A, B, LEQ, TC, LT_LE, GE_GT);
  parameter width = 4;
  input [width-1:0] A, B;
  input LEQ, TC;
  output LT_LE, GE_GT;
  wire [width:0] difference = {TC & A[width-1], A} - {TC & B[width-1], B} - LEQ;
  assign LT_LE = difference[width];
  assign GE_GT = ~difference[width];
endmodule
