package dev.seekr.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.config.ConfigReader;
import dev.seekr.config.RunConfig;
import dev.seekr.data.Sample;
import dev.seekr.method.SeqFT;
import dev.seekr.method.Setup;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.TinyModel;
import dev.seekr.model.Weights;
import dev.seekr.ops.cuda.CudaOps;
import dev.seekr.run.BytePlan;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Place;
import dev.seekr.tensor.Tensor;
import dev.seekr.trainer.Learner;
import dev.seekr.trainer.Unit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The device's memory: the arena, what is reserved of it, and copies that go ahead. */
@Tag("device")
class CudaMemoryTest {
  private static CudaOps open(DType dtype, long chunk) {
    String before = System.getProperty("seekr.cuda.chunk");
    System.setProperty("seekr.cuda.chunk", String.valueOf(chunk));
    try {
      return CudaOps.open(dtype);
    } finally {
      if (before == null) System.clearProperty("seekr.cuda.chunk");
      else System.setProperty("seekr.cuda.chunk", before);
    }
  }

  private static float[] numbers(int n, long seed) {
    var random = new SplittableRandom(seed);
    float[] x = new float[n];
    for (int i = 0; i < n; i++) x[i] = (float) random.nextGaussian();
    return x;
  }

  @Test
  void tensorsShareChunksAndAreZeroedEachTime() {
    try (var ops = open(DType.F32, 1 << 20)) {
      for (int round = 0; round < 3; round++) {
        try (var memory = new Memory("test")) {
          var tensors = new ArrayList<Tensor>();
          for (int n : new int[] {0, 1, 63, 5000, 100_001})
            tensors.add(ops.allocate(memory, "t", n));
          for (int i = 0; i < tensors.size(); i++) {
            Tensor t = tensors.get(i);
            assertThat(t.toFloats()).containsOnly(t.size() == 0 ? new float[0] : new float[] {0});
            t.copyFrom(numbers((int) t.size(), i));
          }
          for (int i = 0; i < tensors.size(); i++)
            assertThat(tensors.get(i).toFloats())
                .isEqualTo(numbers((int) tensors.get(i).size(), i));
        }
      }
      assertThat(ops.device().driverAllocations()).isEqualTo(1);
    }
  }

  @Test
  void copiesLargerThanTheirPinnedMemoryArriveWhole() {
    try (var ops = open(DType.F32, 0);
        var memory = new Memory("test")) {
      int n = (40 << 20) / 4 + 3;
      Tensor t = ops.allocate(memory, "t", n);
      float[] x = numbers(n, 5);
      t.copyFrom(x);
      assertThat(Arrays.equals(t.toFloats(), x)).isTrue();
    }
  }

  /**
   * Streams of the emulated device run only when someone waits for them, so work that does not wait
   * for a copy is seen not to have it.
   */
  @Test
  void whatGoesAheadArrivesWhenItIsJoined() {
    try (var ops = open(DType.F32, 1 << 20);
        var memory = new Memory("test")) {
      float[] x = numbers(1000, 1);
      Tensor busy = ops.allocate(memory, "busy", 1000);
      busy.copyFrom(x);
      var early = new Tensor[1];
      Place.Ahead ahead =
          ops.place()
              .ahead(
                  () -> {
                    early[0] = ops.allocate(memory, "early", 1000);
                    early[0].copyFrom(x);
                  });
      double squares = ops.sumSquares(busy); // waits for the stream of computing, not for the copy
      if (ops.description().contains("stand-in"))
        assertThat(early[0].toFloats()).as("before it is waited for").isNotEqualTo(x);
      ahead.join();
      assertThat(early[0].toFloats()).isEqualTo(x);
      assertThat(ops.sumSquares(early[0])).isEqualTo(squares).isPositive();
    }
  }

  /** Who computes while preparing finds what was copied so far. */
  @Test
  void preparingMayCompute() {
    try (var ops = open(DType.F32, 1 << 20);
        var memory = new Memory("test")) {
      float[] x = numbers(1000, 1);
      double[] squares = new double[2];
      ops.place()
          .ahead(
              () -> {
                for (int i = 0; i < 2; i++) {
                  Tensor t = ops.allocate(memory, "early", 1000);
                  t.copyFrom(x);
                  squares[i] = ops.sumSquares(t);
                }
              })
          .join();
      double sum = 0;
      for (float v : x) sum += (double) v * v;
      assertThat(squares[0]).isEqualTo(squares[1]).isCloseTo(sum, within(1e-9 * sum));
    }
  }

  private static org.assertj.core.data.Offset<Double> within(double error) {
    return org.assertj.core.data.Offset.offset(error);
  }

  /** A step takes from the driver what was reserved by the plan, and nothing more. */
  @Test
  void thePlanIsWhatAStepTakes() {
    var shape = TinyModel.config();
    RunConfig config =
        ConfigReader.parse(
            "",
            "test",
            List.of(
                "method.name=seqft",
                "run.backend=cuda",
                "run.dtype=bf16",
                "data.max_prompt=40",
                "data.max_answer=9",
                "train.micro_tokens=100"));
    var plan = BytePlan.of(config, shape);
    try (var ops = open(DType.BF16, 512);
        var memory = new Memory("model")) {
      long opened = ops.device().used();
      ops.reserve(plan.bytes());
      var weights = new Weights(shape, ops, memory, "weights");
      weights.randomize(new SplittableRandom(1));
      try (var model = new LlamaModel(shape, weights, ops, config.train().recompute());
          var learner =
              new Learner(model, new SeqFT(new Setup(config, model, null)), config.train())) {
        var samples = List.of(new Sample(new int[49], 40), new Sample(new int[49], 40));
        for (int i = 0; i < 2; i++) learner.step(0, List.of(new Unit.Fresh(samples)), 1e-3);
      }
      assertThat(ops.device().driverAllocations()).isEqualTo(1);
      // A GPU's driver takes what it likes.
      if (!ops.description().contains("stand-in")) return;
      long beside = ops.device().used() - opened - plan.bytes();
      assertThat(beside)
          .isBetween(
              1L << 20, // a first table
              plan.beside().get("kernels' scratch") + plan.beside().get("tables of indices"));
    }
  }

  /** What every context holds is known too: the workspace, and nothing that was not asked for. */
  @Test
  void openingTakesTheWorkspace() {
    try (var first = open(DType.F32, 0)) {
      long one = first.device().used();
      if (!first.description().contains("stand-in")) return;
      try (var second = open(DType.F32, 0)) {
        assertThat(second.device().used() - one)
            .isBetween(32L << 20, (32L << 20) + 4096)
            .isGreaterThanOrEqualTo(CudaOps.beside(1, 1, 1).get("cuBLAS workspace"));
      }
      assertThat(first.device().used()).isEqualTo(one);
    }
  }
}
