// Sum of num_inputs numbers of input_width bits side by side in INPUT, wrapping.
module DW02_sum (INPUT, SUM);
  parameter num_inputs = 4;
  parameter input_width = 4;
  input [num_inputs*input_width-1:0] INPUT;
  output reg [input_width-1:0] SUM;
  integer k;
  always @* begin
    SUM = 0;
    for (k = 0; k < num_inputs; k = k + 1) SUM = SUM + INPUT[k*input_width +: input_width];
  end
endmodule
