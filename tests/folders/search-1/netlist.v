module top (x0_ge2, x0_ge4, x0_ge6, x1_ge3, x1_ge5, x1_ge6, x1_ge7, y);
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
