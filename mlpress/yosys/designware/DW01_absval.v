// Absolute value of a two's complement number, unsigned: that of -2**(width - 1) is 2**(width - 1).
module DW01_absval (A, ABSVAL);
  parameter width = 4;
  input [width-1:0] A;
  output [width-1:0] ABSVAL;
  assign ABSVAL = (A ^ {width{A[width-1]}}) + A[width-1];
endmodule
