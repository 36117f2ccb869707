package dev.seekr.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.backends.Backends;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.RunConfig;
import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.config.TrainSettings.State;
import dev.seekr.disk.Disk;
import dev.seekr.method.Method;
import dev.seekr.method.SeqFT;
import dev.seekr.method.Setup;
import dev.seekr.model.LlamaConfig;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.Role;
import dev.seekr.model.StreamedGradients;
import dev.seekr.model.TinyModel;
import dev.seekr.model.Weights;
import dev.seekr.ops.Ops;
import dev.seekr.safetensors.SafetensorsWriter;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Place;
import dev.seekr.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code train.state}: how an optimizer holds what it needs of all weights. */
class TrainStateTest {
  /** Output layer and embedding apart, larger and smaller than a layer. */
  private static final LlamaConfig SHAPE = TinyModel.config(61, 24, 40, 3, 4, 2, 6, false);

  private static final LlamaConfig TIED = TinyModel.config(401, 12, 9, 2, 2, 1, 6, true);

  @TempDir Path folder;

  private static RunConfig config(String backend, String dtype, State state, String... more) {
    var settings =
        new ArrayList<>(
            List.of(
                "method.name=seqft",
                "run.backend=" + backend,
                "run.dtype=" + dtype,
                "train.state=" + state,
                "train.weight_decay=0.1",
                "run.threads=2"));
    settings.addAll(List.of(more));
    return ConfigReader.parse("", "test", settings);
  }

  /** A model that learns. */
  private static final class Learning implements AutoCloseable {
    final Memory memory = new Memory("test");
    final Ops ops;
    final LlamaModel model;
    final Method method;
    final Learner learner;

    Learning(LlamaConfig shape, RunConfig config) {
      ops = Backends.open(config.run());
      model = TinyModel.random(shape, ops, memory, 5, config.train().recompute());
      method = new SeqFT(new Setup(config, model, null));
      learner = new Learner(model, method, config.train());
    }

    /** Steps [from, to), each of two micro-batches. */
    Learning steps(int from, int to) {
      for (int i = from; i < to; i++) {
        var units = new ArrayList<Unit>();
        for (int b = 0; b < 2; b++)
          units.add(new Unit.Fresh(TinyModel.samples(3, 20, model.config.V(), 10 + 2 * i + b)));
        learner.step(i, units, 1e-3);
      }
      return this;
    }

    float[] weights() {
      return model.weights.flat().toFloats();
    }

    @Override
    public void close() {
      learner.close();
      model.close();
      memory.close();
      ops.close();
    }
  }

  private static float[] learned(LlamaConfig shape, RunConfig config) {
    try (var learning = new Learning(shape, config)) {
      return learning.steps(0, 3).weights();
    }
  }

  private static void assertNear(float[] actual, float[] expected, double error) {
    for (int i = 0; i < expected.length; i++)
      assertThat((double) actual[i])
          .as("weight %d", i)
          .isCloseTo(expected[i], within(error * (1 + Math.abs(expected[i]))));
  }

  /** A pass at a time, so that gradients are added up on the host, and all at once. */
  @ParameterizedTest
  @CsvSource({
    "reference, f32, 2048",
    "reference, bf16, 2048",
    "cpu, f32, 2048",
    "cuda, f32, 2048",
    "cuda, bf16, 2048",
    "cuda, bf16, 20"
  })
  void theHostStepsAsADeviceDoes(String backend, String dtype, int microTokens) {
    for (LlamaConfig shape : List.of(SHAPE, TIED)) {
      var tokens = "train.micro_tokens=" + microTokens;
      float[] there = learned(shape, config(backend, dtype, State.f32, tokens));
      float[] here;
      try (var learning = new Learning(shape, config(backend, dtype, State.host, tokens))) {
        here = learning.steps(0, 3).weights();
        assertThat(learning.learner.grads()).isInstanceOf(StreamedGradients.class);
        assertThat(learning.learner.weights().flat().place()).isSameAs(Place.HOST);
      }
      // Sums of passes are rounded in another order; weights of 8 bits then go to a neighbour.
      assertNear(here, there, dtype.equals("bf16") ? 0x1p-7 : 1e-5);
      int moved = 0;
      for (int i = 0; i < here.length; i++) if (Math.abs(here[i] - there[i]) > 1e-5) moved++;
      assertThat(moved).isLessThan(here.length / 50);
    }
  }

  @ParameterizedTest
  @CsvSource({"reference, f32", "reference, bf16", "cpu, f32", "cpu, bf16", "cuda, bf16"})
  void narrowStateLearnsWhatWideStateDoes(String backend, String dtype) {
    float[] start, wide, narrow;
    try (var none = new Learning(SHAPE, config(backend, dtype, State.f32))) {
      start = none.weights();
      wide = none.steps(0, 3).weights();
    }
    narrow = learned(SHAPE, config(backend, dtype, State.bf16));
    // Moments of 8 bits: the direction of a weight's step is a few thousandths off, or it is drawn.
    double same = 0, both = 0, alone = 0;
    for (int i = 0; i < start.length; i++) {
      double a = wide[i] - start[i], b = narrow[i] - start[i];
      same += a * b;
      both += b * b;
      alone += a * a;
    }
    assertThat(same / Math.sqrt(both * alone)).isGreaterThan(dtype.equals("bf16") ? 0.5 : 0.99);
    assertNear(narrow, wide, dtype.equals("bf16") ? 0x1p-6 : 3e-3);
  }

  @ParameterizedTest
  @CsvSource({
    "cpu, f32, bf16",
    "cpu, bf16, bf16",
    "reference, bf16, bf16",
    "reference, bf16, host",
    "cuda, bf16, bf16",
    "cuda, bf16, host"
  })
  void aLoadedStateGoesOnToTheSameBits(String backend, String dtype, State state) {
    var config = config(backend, dtype, state);
    try (var straight = new Learning(SHAPE, config).steps(0, 4);
        var first = new Learning(SHAPE, config).steps(0, 2);
        var second = new Learning(SHAPE, config)) {
      var to = new StateWriter();
      first.learner.save(to.section("optimizer"));
      Disk.write(
          folder.resolve(StateReader.fileOf("optimizer")),
          SafetensorsWriter.content(to.tensors().get("optimizer")));
      Disk.write(folder.resolve(StateReader.VALUES), to.values().toString());
      second.model.weights.copyFrom(first.model.weights);
      try (var from = StateReader.open(folder)) {
        second.learner.load(from.section("optimizer"));
      }
      assertThat(second.steps(2, 4).weights()).isEqualTo(straight.weights());
      assertThat(straight.weights()).isNotEqualTo(first.weights());
    }
  }

  @Test
  void anotherStateIsNotLoaded() {
    try (var wide = new Learning(SHAPE, config("cpu", "f32", State.f32)).steps(0, 1);
        var narrow = new Learning(SHAPE, config("cpu", "f32", State.bf16))) {
      var to = new StateWriter();
      wide.learner.save(to.section("optimizer"));
      Disk.write(
          folder.resolve(StateReader.fileOf("optimizer")),
          SafetensorsWriter.content(to.tensors().get("optimizer")));
      Disk.write(folder.resolve(StateReader.VALUES), to.values().toString());
      try (var from = StateReader.open(folder)) {
        assertThatThrownBy(() -> narrow.learner.load(from.section("optimizer")))
            .hasMessageContaining("expected tensor 'm' of BF16")
            .hasMessageContaining("found F32");
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1, auto", "3, auto", "2, avx2", "2, scalar"})
  void threadsAndInstructionSetsDoNotChangeDraws(int threads, String isa) {
    var usual = config("reference", "f32", State.bf16);
    float[] expected = moments(usual);
    float[] actual =
        moments(config("cpu", "f32", State.bf16, "run.threads=" + threads, "run.isa=" + isa));
    // The gradients are not the same to the bit, but what is drawn is: few come to a neighbour.
    int differ = 0;
    for (int i = 0; i < actual.length; i++) if (actual[i] != expected[i]) differ++;
    assertThat(differ).isLessThan(actual.length / 50);
  }

  /** m after one step. */
  private static float[] moments(RunConfig config) {
    try (var learning = new Learning(SHAPE, config).steps(0, 1)) {
      var to = new StateWriter();
      learning.learner.save(to.section("optimizer"));
      return to.tensors().get("optimizer").get("m").toFloats();
    }
  }

  /** Steps of a sixteenth of a unit, which rounding to the nearest would never take. */
  @Test
  void smallStepsAddUpWithoutWiderWeights() {
    var config = config("reference", "bf16", State.bf16, "train.weight_decay=0", "train.clip=0");
    try (var memory = new Memory("test");
        var ops = Backends.open(config.run())) {
      var w = new Weights(SHAPE, ops, memory, "weights");
      var g = Weights.narrowGradients(SHAPE, ops, memory, "gradients");
      for (var parameters : List.of(w, g))
        for (var block : parameters.blocks()) {
          float[] values = new float[(int) block.tensor().size()];
          Arrays.fill(values, parameters == w ? 1.5f : 0.25f);
          block.tensor().copyFrom(values);
        }
      var optimizer = new AdamW(w, ops, config.train(), memory);
      assertThat(optimizer.weights()).isSameAs(w);
      int steps = 40;
      double lr = 0x1p-11, unit = 0x1p-7;
      for (int s = 0; s < steps; s++) optimizer.step(g, 1, lr);
      double sum = 0, squares = 0;
      long n = 0;
      for (var block : w.blocks())
        for (float x : block.tensor().toFloats()) {
          sum += x - 1.5;
          squares += (x - 1.5) * (x - 1.5);
          n++;
        }
      double mean = sum / n, p = lr / unit, deviation = unit * Math.sqrt(steps * p * (1 - p));
      // Moments are drawn too, which shakes each step's length by 2^-8 of it, and less on the mean.
      assertThat(mean)
          .isCloseTo(-steps * lr, within(5 * deviation / Math.sqrt(n) + steps * lr / 500));
      assertThat(Math.sqrt(squares / n - mean * mean)).isCloseTo(deviation, within(deviation / 10));
    }
  }

  /** What is added up in several places stays wide. */
  @Test
  void gradientsOfMatricesAreNarrow() {
    var config = config("reference", "bf16", State.bf16);
    try (var learning = new Learning(SHAPE, config).steps(0, 1)) {
      for (var block : learning.learner.grads().blocks())
        assertThat(block.tensor().dtype())
            .isEqualTo(block.role() == Role.MATRIX ? DType.BF16 : DType.F32);
      assertThat(learning.learner.grads().vectors())
          .extracting(Tensor::dtype)
          .containsExactly(DType.BF16, DType.F32);
    }
  }

  @ParameterizedTest
  @CsvSource({"cpu, f32, bf16", "reference, bf16, bf16", "cuda, bf16, host", "cuda, bf16, bf16"})
  void whatIsNotFiniteIsNamed(String backend, String dtype, State state) {
    try (var learning = new Learning(SHAPE, config(backend, dtype, state)).steps(0, 1)) {
      learning.model.weights.lnf.set(0, Double.NaN);
      assertThatThrownBy(() -> learning.steps(1, 2))
          .isInstanceOf(Learner.NotFinite.class)
          .hasMessage("weights: model.norm.weight");
      learning.model.weights.lnf.set(0, 1);
      learning.steps(1, 2);
      for (float x : learning.weights()) assertThat(x).isFinite();
    }
  }

  @ParameterizedTest
  @CsvSource({"reference", "cuda"})
  void recomputingGivesTheSameBits(String backend) {
    float[] kept = learned(SHAPE, config(backend, "bf16", State.bf16));
    for (Recompute recompute : Recompute.values())
      assertThat(
              learned(SHAPE, config(backend, "bf16", State.bf16, "train.recompute=" + recompute)))
          .as("%s", recompute)
          .isEqualTo(kept);
  }
}
