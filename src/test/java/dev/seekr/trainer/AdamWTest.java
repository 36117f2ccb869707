package dev.seekr.trainer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.config.RunConfig;
import dev.seekr.model.PromptParameters;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class AdamWTest {
  private static final long[] SHAPE = {7, 9};

  /** The weights after steps too small for bfloat16 to show one by one. */
  private static float[] trained(DType dtype, int steps, boolean meddle) {
    var ops = new ReferenceOps(dtype);
    try (var memory = new Memory("test")) {
      var w = new PromptParameters(ops, memory, "weights", 0, SHAPE);
      var random = new SplittableRandom(3);
      float[] first = new float[63], gradient = new float[63];
      for (int i = 0; i < 63; i++) {
        first[i] = DType.fromBf16(DType.toBf16((float) random.nextGaussian()));
        gradient[i] = (float) random.nextGaussian();
      }
      w.rows().copyFrom(first);
      var optimizer = new AdamW(w, ops, RunConfig.DEFAULT.train(), memory);
      var g = w.like(ops, memory, "gradients");
      g.rows().copyFrom(gradient);
      for (int s = 0; s < steps; s++) {
        optimizer.step(g, Math.sqrt(ops.sumSquares(g.flat())), 1e-5);
        if (meddle && s == steps / 2) w.rows().rows(2, 3).copyFrom(new float[9]);
        if (meddle) optimizer.takeOver();
      }
      return w.rows().toFloats();
    }
  }

  @Test
  void smallStepsAddUpBesideNarrowWeights() {
    float[] start = trained(DType.BF16, 0, false);
    float[] full = trained(DType.F32, 400, false), narrow = trained(DType.BF16, 400, false);
    int moved = 0;
    for (int i = 0; i < full.length; i++) {
      assertThat(narrow[i]).as("weight %d", i).isEqualTo(DType.fromBf16(DType.toBf16(full[i])));
      if (narrow[i] != start[i]) moved++;
    }
    assertThat(moved).isGreaterThan(full.length / 4);
  }

  @Test
  void whatIsSetAnewIsTakenOverAndTheRestKeepsItsPrecision() {
    float[] plain = trained(DType.BF16, 400, false), meddled = trained(DType.BF16, 400, true);
    for (int i = 0; i < plain.length; i++) {
      if (i / 9 == 2) assertThat(Math.abs(meddled[i])).isLessThan(0.01f);
      else assertThat(meddled[i]).as("weight %d", i).isEqualTo(plain[i]);
    }
  }
}
