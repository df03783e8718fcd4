// Rounding and saturation: bits msb_out .. lsb_out of din.  rnd adds half of the last place that is kept; where the
// result does not fit, ov is 1 and sat puts the nearest value that does.  tc: two's complement.
module DW01_satrnd (din, tc, sat, rnd, ov, dout);
  parameter width = 16;
  parameter msb_out = 15;
  parameter lsb_out = 0;
  localparam kept = msb_out - lsb_out + 1;
  localparam wide = width - lsb_out + 1;
  localparam half = lsb_out > 0 ? lsb_out - 1 : 0;

  input [width-1:0] din;
  input tc, sat, rnd;
  output ov;
  output [kept-1:0] dout;

  wire up = lsb_out > 0 && rnd && din[half];
  wire [wide-1:0] cut = {tc & din[width-1], din[width-1:lsb_out]};
  wire [wide-1:0] rounded = cut + up;
  wire negative = tc & din[width-1];
  wire [wide-1:kept-1] top = rounded[wide-1:kept-1];
  wire [wide-1:kept] above = rounded[wide-1:kept];

  assign ov = tc ? |top & ~&top : |above;
  assign dout = !(ov & sat) ? rounded[kept-1:0] : tc ? {kept{~negative}} ^ (1 << kept - 1) : {kept{1'b1}};
endmodule
