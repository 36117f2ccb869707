package dev.seekr.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.data.Batch;
import dev.seekr.data.Sample;
import dev.seekr.model.TinyModel;
import dev.seekr.ops.Ops;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import dev.seekr.trainer.Unit;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Samples of no task: how many, and what they teach. */
class GeneralTest {
  /** float32 has 24 bits, 6e-8 of a number: means of log-probabilities of some units. */
  private static final double ROUNDING = 1e-6;

  @TempDir Path folder;
  private final Ops ops = new ReferenceOps(DType.F32);
  private final List<Sample> samples = TinyModel.samples(5, 20, TwoTasks.SHAPE.V(), 99);

  private TwoTasks run(String... more) {
    var settings =
        Stream.concat(
            Stream.of("data.general=x", "method.buffer_dtype=f32", "method.prompt.length=3"),
            Stream.of(more));
    return new TwoTasks(folder, ops, 1e-2, settings.toArray(String[]::new));
  }

  @ParameterizedTest
  @CsvSource({"0.5, 9, 9", "0.1, 90, 10", "0.2, 7, 2", "0.75, 3, 9", "0.1, 1, 0"})
  void theirShareOfBoth(String share, int n, int general) {
    try (var run = run("method.name=seqft", "data.general_share=" + share)) {
      assertThat(General.of(run.method.setup(), samples).count(n)).isEqualTo(general);
    }
  }

  @Test
  void noneWithoutSamples() {
    try (var run = run("method.name=seqft")) {
      assertThat(General.of(run.method.setup(), List.of())).isNull();
    }
  }

  /** All of them before one comes again; in another order elsewhere, in the same one again. */
  @Test
  void drawn() {
    try (var run = run("method.name=seqft")) {
      var general = General.of(run.method.setup(), samples);
      var drawn = general.draw(12, 1, 2);
      assertThat(drawn).hasSize(12);
      assertThat(new HashSet<>(drawn.subList(0, 5))).hasSize(5);
      assertThat(new HashSet<>(drawn.subList(5, 10))).hasSize(5);
      assertThat(general.draw(12, 1, 2)).isEqualTo(drawn);
      assertThat(general.draw(3, 1, 2)).isEqualTo(drawn.subList(0, 3));
      var others = new HashSet<List<Sample>>();
      for (int i = 0; i < 8; i++) others.add(general.draw(5, i, 0));
      for (int i = 1; i < 8; i++) others.add(general.draw(5, 0, i));
      assertThat(others).hasSizeGreaterThan(10);
    }
  }

  /** Losses and gradient norm of a step of general samples alone. */
  private record Alone(double loss, double norm) {}

  private Alone alone(TwoTasks run, General general) {
    var losses = new Losses();
    run.learner.gradients(0, List.of(new Unit.OfNoTask(general, samples)), losses);
    assertThat(losses.means().keySet()).containsOnly("general");
    assertThat(losses.weights().get("general")).isCloseTo(1, within(1e-12));
    double norm = Math.sqrt(ops.sumSquares(run.learner.grads().flat()));
    return new Alone(losses.total(), norm);
  }

  /** KL to the initial model is 0 until something is learnt, and then what its logits say. */
  @ParameterizedTest
  @ValueSource(strings = {"seqft", "replay", "derpp", "lora"})
  void divergenceFromTheInitialModel(String method) {
    try (var run = run("method.name=" + method, "data.general_loss=kl")) {
      var general = General.of(run.method.setup(), samples);
      double[][] before = logProbabilities(run);
      general.begin();
      run.begin(0);
      Alone first = alone(run, general);
      assertThat(first.loss).isBetween(-1e-9, 1e-9);
      assertThat(first.norm).isLessThan(1e-5);
      run.steps(0, 2);
      run.end(0);
      general.begin(); // records nothing anew
      run.begin(1);
      Alone later = alone(run, general);
      double[][] now = logProbabilities(run);
      double sum = 0;
      for (int r = 0; r < now.length; r++)
        for (int v = 0; v < now[r].length; v++)
          sum += Math.exp(before[r][v]) * (before[r][v] - now[r][v]);
      assertThat(later.loss).isGreaterThan(1e-4).isCloseTo(sum / now.length, within(ROUNDING));
      assertThat(later.norm).isGreaterThan(1e-4);
    }
  }

  /** [rows][V] at the rows that predict answer tokens of all samples. */
  private double[][] logProbabilities(TwoTasks run) {
    var rows = new ArrayList<double[]>();
    try (var memory = new Memory("test")) {
      for (Sample s : samples) {
        int[] at = IntStream.range(s.answerStart() - 1, s.length() - 1).toArray();
        Tensor z = memory.allocate("x", DType.F32, at.length, TwoTasks.SHAPE.V());
        run.method.model().begin(Batch.of(s), false).all().logits(z, at);
        for (int r = 0; r < at.length; r++) {
          double[] one = z.rows(r, r + 1).toDoubles();
          double all = Math.log(Arrays.stream(one).map(Math::exp).sum());
          rows.add(Arrays.stream(one).map(v -> v - all).toArray());
        }
      }
    }
    return rows.toArray(double[][]::new);
  }

  /** Labels teach the answers. */
  @Test
  void labels() {
    try (var run = run("method.name=seqft")) {
      var general = General.of(run.method.setup(), samples);
      general.begin();
      run.begin(0);
      double[][] p = logProbabilities(run);
      double sum = 0;
      int r = 0;
      for (Sample s : samples)
        for (int t = s.answerStart(); t < s.length(); t++) sum -= p[r++][s.tokens()[t]];
      assertThat(alone(run, general).loss).isCloseTo(sum / r, within(ROUNDING));
      assertThat(run.method.setup().folder().general()).doesNotExist();
    }
  }

  /** With soft prompts before them, which learn from them. */
  @ParameterizedTest
  @CsvSource({"pp, labels", "pp, kl", "l2p, labels", "l2p, kl", "lfpt5, labels", "lfpt5, kl"})
  void behindSoftPrompts(String method, String loss) {
    try (var run =
        run("method.name=" + method, "data.general_loss=" + loss, "method.prompt.lr=0.05")) {
      var general = General.of(run.method.setup(), samples);
      general.begin();
      run.begin(0);
      Alone first = alone(run, general);
      assertThat(first.loss).isGreaterThan(1e-3);
      assertThat(first.norm).isGreaterThan(1e-6);
      var units = List.<Unit>of(new Unit.OfNoTask(general, samples));
      double last = 0;
      for (int i = 0; i < 20; i++) last = run.learner.step(i, units, 0.05).losses().total();
      assertThat(last).isLessThan(first.loss);
    }
  }
}
