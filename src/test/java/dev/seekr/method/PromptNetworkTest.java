package dev.seekr.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.model.PromptParameters;
import dev.seekr.model.TinyModel;
import dev.seekr.ops.Ops;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class PromptNetworkTest {
  private static final int n = 3, C = 7, H = 5;

  private final Memory memory = new Memory("test");

  private PromptParameters parameters(Ops ops) {
    return new PromptParameters(ops, memory, "test", 0, PromptNetwork.shapes(n, C, H));
  }

  private static void fill(Tensor t, SplittableRandom random) {
    double[] x = new double[(int) t.size()];
    for (int i = 0; i < x.length; i++) x[i] = random.nextDouble(-1.5, 1.5);
    t.copyFrom(x);
  }

  /** Every element of every gradient against central differences of sum k P, k at random. */
  @Test
  void gradientByDifferences() {
    var random = new SplittableRandom(3);
    try (Ops ops = new ReferenceOps(DType.F64);
        memory) {
      var w = parameters(ops);
      for (var block : w.blocks()) fill(block.tensor(), random);
      var network = new PromptNetwork(ops, w, memory);
      Tensor p = ops.allocate(memory, "test", n, C), k = ops.allocate(memory, "test", n, C);
      fill(k, random);
      var g = w.like(ops, memory, "test");
      g.rows().copyFrom(k);
      for (int b = 1; b < g.blocks().size(); b++)
        g.blocks().get(b).tensor().copyFrom(filled(g.blocks().get(b).tensor(), 0.25));
      network.forward(p);
      network.backward(g);
      double step = 1e-6;
      for (int b = 0; b < w.blocks().size(); b++) {
        Tensor x = w.blocks().get(b).tensor();
        double before = b == 0 ? 0 : 0.25; // what the network adds to
        for (int i = 0; i < x.size(); i++) {
          double here = x.get(i);
          x.set(i, here + step);
          double up = dot(network, p, k);
          x.set(i, here - step);
          double down = dot(network, p, k);
          x.set(i, here);
          assertThat(g.blocks().get(b).tensor().get(i) - before)
              .as("block %d, element %d", b, i)
              .isCloseTo((up - down) / (2 * step), within(1e-7));
        }
      }
    }
  }

  private static double[] filled(Tensor like, double value) {
    double[] x = new double[(int) like.size()];
    Arrays.fill(x, value);
    return x;
  }

  private static double dot(PromptNetwork network, Tensor p, Tensor k) {
    network.forward(p);
    double sum = 0;
    for (int i = 0; i < p.size(); i++) sum += p.get(i) * k.get(i);
    return sum;
  }

  /** Uniform within 1/sqrt(inputs), as linear layers begin, and a norm that only normalises. */
  @Test
  void begins() {
    try (Ops ops = TinyModel.cpu();
        memory) {
      var w = parameters(ops);
      var network = new PromptNetwork(ops, w, memory);
      network.randomize(new SplittableRandom(1));
      for (int b = 0; b < 4; b++) {
        double bound = 1 / Math.sqrt(b < 2 ? C : H);
        double[] x = w.more(b).toDoubles();
        assertThat(x).doesNotHaveDuplicates();
        assertThat(Arrays.stream(x).map(Math::abs).max().orElseThrow()).isBetween(bound / 2, bound);
      }
      assertThat(w.more(4).toDoubles()).containsOnly(1);
      assertThat(w.more(5).toDoubles()).containsOnly(0);
      Tensor p = ops.allocate(memory, "test", n, C);
      network.forward(p);
      for (int r = 0; r < n; r++) { // E is zero: P is a row of mean 0 and, but for eps, variance 1
        double[] row = p.rows(r, r + 1).toDoubles();
        assertThat(Arrays.stream(row).sum()).isCloseTo(0, within(1e-5));
        assertThat(Arrays.stream(row).map(v -> v * v).sum() / C).isCloseTo(1, within(1e-3));
      }
    }
  }

  @Test
  void onlyMatricesDecay() {
    try (Ops ops = TinyModel.cpu();
        memory) {
      assertThat(parameters(ops).blocks().stream().map(b -> b.role().decays()))
          .containsExactly(true, true, false, true, false, false, false);
    }
  }
}
