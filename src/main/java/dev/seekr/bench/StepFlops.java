package dev.seekr.bench;

import dev.seekr.model.LlamaConfig;

/**
 * Floating-point operations of one pass over S sequences of T tokens with R label rows each, a
 * multiplication and an addition counted as two. Elementwise work is not counted.
 *
 * <pre>
 *   layers      2 N P forward, as much again for the inputs' gradient and for the weights'     N = S T
 *               P = L (C (NH+2NKV) HS + C NH HS + 3 C F)
 *   attention   2 products forward, 5 backward, of 2 HS T(T+1)/2 for each head and sequence
 *   output      2 S R C V, thrice
 * </pre>
 */
public record StepFlops(double forward, double inputs, double weights) {

  public static StepFlops of(LlamaConfig config, long S, long T, long R) {
    var heads = config.heads();
    double C = config.C(), o = (double) heads.NH() * heads.HS();
    double layer = C * heads.qkvWidth() + C * o + 3 * C * config.F();
    double linear = 2.0 * S * T * config.L() * layer;
    double map = 2.0 * heads.HS() * (T * (T + 1) / 2.0) * S * heads.NH() * config.L();
    double output = 2.0 * S * R * C * config.V();
    return new StepFlops(linear + 2 * map + output, linear + 5 * map + output, linear + output);
  }

  /** Of a whole training step. */
  public double total() {
    return forward + inputs + weights;
  }
}
