// Self-checking test bench of top: 30 rows.
`timescale 1ns/1ns
module top_tb;
  reg [7:0] rows [0:29];
  reg [7:0] row;
  wire [1:0] x0 = row[7:6];
  wire [1:0] x1 = row[5:4];
  wire [1:0] x2 = row[3:2];
  wire [1:0] y;
  top dut(.x0(x0), .x1(x1), .x2(x2), .y(y));
  integer k;
  integer failed;
  initial begin
    rows[0] = 8'h7e;
    rows[1] = 8'hd4;
    rows[2] = 8'h8a;
    rows[3] = 8'h70;
    rows[4] = 8'hb0;
    rows[5] = 8'hf0;
    rows[6] = 8'h8a;
    rows[7] = 8'h46;
    rows[8] = 8'hd0;
    rows[9] = 8'h9e;
    rows[10] = 8'h1e;
    rows[11] = 8'ha0;
    rows[12] = 8'h30;
    rows[13] = 8'hdc;
    rows[14] = 8'h78;
    rows[15] = 8'h2a;
    rows[16] = 8'h90;
    rows[17] = 8'h8a;
    rows[18] = 8'h9e;
    rows[19] = 8'h1e;
    rows[20] = 8'h6a;
    rows[21] = 8'hf8;
    rows[22] = 8'hc8;
    rows[23] = 8'hd8;
    rows[24] = 8'h74;
    rows[25] = 8'h46;
    rows[26] = 8'hbc;
    rows[27] = 8'h70;
    rows[28] = 8'hc4;
    rows[29] = 8'h3e;
    failed = 0;
    for (k = 0; k < 30; k = k + 1) begin
      row = rows[k];
      #1;
      if (y !== row[1:0]) begin
        failed = failed + 1;
        $display("row %0d: y=%0d (expected %0d)", k, y, row[1:0]);
      end
    end
    if (failed == 0) $display("PASS: 30 rows");
    else $display("FAIL: %0d of 30 rows", failed);
    $finish;
  end
endmodule
