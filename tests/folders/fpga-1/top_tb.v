// Self-checking test bench of top: 60 rows.
`timescale 1ns/1ns
module top_tb;
  reg clk = 0;
  reg rst = 0;
  always #5 clk = ~clk;
  reg [9:0] rows [0:59];
  reg [9:0] row;
  wire [2:0] x0 = row[9:7];
  wire [2:0] x1 = row[6:4];
  wire [2:0] x2 = row[3:1];
  wire [0:0] y;
  top dut(.clk(clk), .rst(rst), .x0(x0), .x1(x1), .x2(x2), .y(y));
  integer k;
  integer failed;
  initial begin
    rows[0] = 10'h273;
    rows[1] = 10'h3a6;
    rows[2] = 10'h338;
    rows[3] = 10'h068;
    rows[4] = 10'h165;
    rows[5] = 10'h196;
    rows[6] = 10'h0ac;
    rows[7] = 10'h13e;
    rows[8] = 10'h3d9;
    rows[9] = 10'h11e;
    rows[10] = 10'h20a;
    rows[11] = 10'h34e;
    rows[12] = 10'h046;
    rows[13] = 10'h05c;
    rows[14] = 10'h22c;
    rows[15] = 10'h24c;
    rows[16] = 10'h0ea;
    rows[17] = 10'h31c;
    rows[18] = 10'h08c;
    rows[19] = 10'h377;
    rows[20] = 10'h10a;
    rows[21] = 10'h2e5;
    rows[22] = 10'h0dc;
    rows[23] = 10'h396;
    rows[24] = 10'h3b8;
    rows[25] = 10'h05e;
    rows[26] = 10'h37b;
    rows[27] = 10'h0e3;
    rows[28] = 10'h30c;
    rows[29] = 10'h0b4;
    rows[30] = 10'h296;
    rows[31] = 10'h026;
    rows[32] = 10'h056;
    rows[33] = 10'h2d6;
    rows[34] = 10'h35c;
    rows[35] = 10'h143;
    rows[36] = 10'h392;
    rows[37] = 10'h02c;
    rows[38] = 10'h284;
    rows[39] = 10'h1d6;
    rows[40] = 10'h26a;
    rows[41] = 10'h134;
    rows[42] = 10'h014;
    rows[43] = 10'h128;
    rows[44] = 10'h3ed;
    rows[45] = 10'h34e;
    rows[46] = 10'h2c1;
    rows[47] = 10'h191;
    rows[48] = 10'h265;
    rows[49] = 10'h343;
    rows[50] = 10'h3b4;
    rows[51] = 10'h30a;
    rows[52] = 10'h0b3;
    rows[53] = 10'h33e;
    rows[54] = 10'h2d8;
    rows[55] = 10'h13e;
    rows[56] = 10'h0fd;
    rows[57] = 10'h156;
    rows[58] = 10'h1c1;
    rows[59] = 10'h1f5;
    failed = 0;
    for (k = 0; k < 60; k = k + 1) begin
      row = rows[k];
      repeat (2) @(posedge clk); #1;
      if (y !== row[0:0]) begin
        failed = failed + 1;
        $display("row %0d: y=%0d (expected %0d)", k, y, row[0:0]);
      end
    end
    if (failed == 0) $display("PASS: 60 rows");
    else $display("FAIL: %0d of 60 rows", failed);
    $finish;
  end
endmodule
