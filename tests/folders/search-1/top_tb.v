// Self-checking test bench of top: 60 rows.
`timescale 1ns/1ns
module top_tb;
  reg [7:0] rows [0:59];
  reg [7:0] row;
  wire [0:0] x0_ge2 = row[7:7];
  wire [0:0] x0_ge4 = row[6:6];
  wire [0:0] x0_ge6 = row[5:5];
  wire [0:0] x1_ge3 = row[4:4];
  wire [0:0] x1_ge5 = row[3:3];
  wire [0:0] x1_ge6 = row[2:2];
  wire [0:0] x1_ge7 = row[1:1];
  wire [0:0] y;
  top dut(.x0_ge2(x0_ge2), .x0_ge4(x0_ge4), .x0_ge6(x0_ge6), .x1_ge3(x1_ge3), .x1_ge5(x1_ge5), .x1_ge6(x1_ge6), .x1_ge7(x1_ge7), .y(y));
  integer k;
  integer failed;
  initial begin
    rows[0] = 8'hde;
    rows[1] = 8'he0;
    rows[2] = 8'hf0;
    rows[3] = 8'h1c;
    rows[4] = 8'h9c;
    rows[5] = 8'h80;
    rows[6] = 8'h00;
    rows[7] = 8'h90;
    rows[8] = 8'hf8;
    rows[9] = 8'h80;
    rows[10] = 8'hc0;
    rows[11] = 8'hf0;
    rows[12] = 8'h10;
    rows[13] = 8'h18;
    rows[14] = 8'hc0;
    rows[15] = 8'hd0;
    rows[16] = 8'h1c;
    rows[17] = 8'he0;
    rows[18] = 8'h00;
    rows[19] = 8'hfe;
    rows[20] = 8'h80;
    rows[21] = 8'hdc;
    rows[22] = 8'h18;
    rows[23] = 8'he0;
    rows[24] = 8'hf0;
    rows[25] = 8'h18;
    rows[26] = 8'hfe;
    rows[27] = 8'h1c;
    rows[28] = 8'he0;
    rows[29] = 8'h10;
    rows[30] = 8'hc0;
    rows[31] = 8'h00;
    rows[32] = 8'h18;
    rows[33] = 8'hd8;
    rows[34] = 8'hf8;
    rows[35] = 8'h90;
    rows[36] = 8'he0;
    rows[37] = 8'h00;
    rows[38] = 8'hc0;
    rows[39] = 8'h98;
    rows[40] = 8'hdc;
    rows[41] = 8'h90;
    rows[42] = 8'h00;
    rows[43] = 8'h80;
    rows[44] = 8'hfc;
    rows[45] = 8'hf0;
    rows[46] = 8'hd0;
    rows[47] = 8'h80;
    rows[48] = 8'hdc;
    rows[49] = 8'hf0;
    rows[50] = 8'hf0;
    rows[51] = 8'he0;
    rows[52] = 8'h10;
    rows[53] = 8'hf0;
    rows[54] = 8'hd8;
    rows[55] = 8'h90;
    rows[56] = 8'h1e;
    rows[57] = 8'h98;
    rows[58] = 8'h90;
    rows[59] = 8'h9e;
    failed = 0;
    for (k = 0; k < 60; k = k + 1) begin
      row = rows[k];
      #1;
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
