package dev.seekr.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.tensor.Tensor;
import java.util.SplittableRandom;
import java.util.function.DoubleSupplier;

/** Gradients against central differences, some elements of every block; for double precision. */
final class Differences {
  private static final double STEP = 1e-5;

  private Differences() {}

  /** {@code loss} is what {@code grads} are the gradients of, with respect to {@code weights}. */
  static void assertGradients(Parameters weights, Parameters grads, DoubleSupplier loss) {
    var random = new SplittableRandom(6);
    assertThat(grads.blocks()).hasSameSizeAs(weights.blocks());
    for (int b = 0; b < grads.blocks().size(); b++) {
      Tensor w = weights.blocks().get(b).tensor(), g = grads.blocks().get(b).tensor();
      for (int k = 0; k < 3; k++) {
        long i = random.nextLong(w.size());
        double old = w.get(i);
        w.set(i, old + STEP);
        double up = loss.getAsDouble();
        w.set(i, old - STEP);
        double down = loss.getAsDouble();
        w.set(i, old);
        double numeric = (up - down) / (2 * STEP);
        assertThat(g.get(i))
            .as("block %d element %d", b, i)
            .isCloseTo(numeric, within(1e-6 * (1 + Math.abs(numeric))));
      }
    }
  }
}
