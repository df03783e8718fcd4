// A 3-2-3 network pressed by mlpress (flat).
//
// Inputs (unsigned codes):
//   x0: p, 2 bits = floor(value * 4.0 + 0.0), clipped
//   x1: q, 2 bits = floor(value * 4.0 + 0.0), clipped
//   x2: r, 2 bits = floor(value * 4.0 + 0.0), clipped
//
// Outputs:
//   y: class index; 0 = 0, 1 = 1, 2 = 2
//
// Layers:
//   0: 2 neurons, sum >> 2 clipped to 0 .. 3
//   1: 3 neurons, raw sums


module top(x0, x1, x2, y);
  input [1:0] x0;
  wire [1:0] x0;
  input [1:0] x1;
  wire [1:0] x1;
  input [1:0] x2;
  wire [1:0] x2;
  output [1:0] y;
  wire [1:0] y;
  wire _00_;
  wire _01_;
  wire _02_;
  wire _03_;
  wire _04_;
  wire _05_;
  wire _06_;
  wire _07_;
  wire _08_;
  wire _09_;
  wire _10_;
  wire _11_;
  wire _12_;
  wire _13_;
  wire _14_;
  wire _15_;
  wire _16_;
  wire [1:0] h0_0;
  wire [1:0] h0_0_and_5;
  wire h0_0_sum_and_2;
  wire h0_0_sum_and_3;
  wire h0_0_sum_and_4;
  wire h0_0_sum_maj_1;
  wire h0_0_sum_maj_2;
  wire h0_0_sum_xor3_1;
  wire h0_0_sum_xor3_2;
  wire h0_0_sum_xor_3;
  wire h0_0_sum_xor_4;
  wire h0_1;
  wire s_0_sum;
  wire [1:0] s_1_sum;
  wire [4:0] s_2_sum;
  wire s_2_sum_xor_6;
  assign _00_ = x0[0] ^ x1[1];
  assign h0_0_sum_xor3_1 = _00_ ^ x2[0];
  assign _09_ = x0[0] & x1[1];
  assign _10_ = ~ x2[0];
  assign _11_ = x0[0] ^ x1[1];
  assign _12_ = _10_ & _11_;
  assign h0_0_sum_maj_1 = _09_ | _12_;
  assign _13_ = ~ h0_0_sum_xor3_1;
  assign h0_0_sum_and_2 = x1[0] & _13_;
  assign _14_ = x0[1] ^ x2[1];
  assign h0_0_sum_xor3_2 = _14_ ^ h0_0_sum_maj_1;
  assign _15_ = ~ x2[1];
  assign _16_ = x0[1] & _15_;
  assign _01_ = ~ x2[1];
  assign _02_ = x0[1] ^ _01_;
  assign _03_ = h0_0_sum_maj_1 & _02_;
  assign h0_0_sum_maj_2 = _16_ | _03_;
  assign h0_0_sum_xor_3 = h0_0_sum_and_2 ^ h0_0_sum_xor3_2;
  assign _04_ = ~ h0_0_sum_and_2;
  assign h0_0_sum_and_3 = _04_ & h0_0_sum_xor3_2;
  assign h0_0_sum_xor_4 = h0_0_sum_maj_2 ^ h0_0_sum_and_3;
  assign _05_ = ~ h0_0_sum_and_3;
  assign h0_0_sum_and_4 = h0_0_sum_maj_2 & _05_;
  assign _06_ = ~ h0_0_sum_xor_3;
  assign _07_ = ~ h0_0_sum_and_4;
  assign h0_0[0] = _06_ & _07_;
  assign _08_ = ~ h0_0_sum_and_4;
  assign h0_0[1] = h0_0_sum_xor_4 & _08_;
  assign s_2_sum_xor_6 = h0_0[0] ^ h0_0[1];
  assign y = { s_2_sum_xor_6, 1'h0 };
  assign s_2_sum[0] = 1'h0;
  assign s_1_sum = 2'h2;
  assign s_0_sum = 1'h1;
  assign h0_1 = 1'h0;
  assign h0_0_and_5 = h0_0;
endmodule
