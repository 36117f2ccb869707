package dev.seekr.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.config.ConfigReader;
import dev.seekr.config.RunConfig;
import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.data.Batch;
import dev.seekr.data.ReplayBuffer;
import dev.seekr.data.Sample;
import dev.seekr.data.SampledQueries;
import dev.seekr.disk.RunFolder;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.TinyModel;
import dev.seekr.model.Weights;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With every layer, head and row in its budgets, SEEKR is distillation of whole attention maps. */
class FullDistillationTest {
  @TempDir Path folder;

  @Test
  void allHeadsAndRowsAreTheWholeMap() {
    var config = TinyModel.config();
    int L = config.L(), NH = config.heads().NH();
    List<Sample> samples = TinyModel.samples(3, 40, config.V(), 4);
    var rows =
        samples.stream()
            .map(s -> SampledQueries.of(IntStream.range(0, s.length()).toArray()))
            .toList();
    RunConfig settings =
        ConfigReader.parse(
            "",
            "test",
            List.of(
                "method.name=seekr",
                "method.buffer_dtype=f32",
                "method.seekr.lambda2=7",
                "method.seekr.layers=" + L,
                "method.seekr.heads=" + L * NH));
    try (Ops ops = TinyModel.cpu();
        var memory = new Memory("test");
        LlamaModel teacher = TinyModel.random(config, ops, memory, 1, Recompute.none);
        LlamaModel student = TinyModel.random(config, ops, memory, 2, Recompute.none);
        var replay =
            new Seekr(
                new Setup(settings, teacher, new RunFolder(folder)), (context, chosen) -> rows)) {
      var context = new Method.Context(0, "task", samples, teacher.weights);
      replay.begin(context);
      replay.remember(context, samples);

      int[][] all = new int[L][];
      for (int l = 0; l < L; l++) all[l] = IntStream.range(0, NH).toArray();
      new Teacher(student, -1, all, DType.F32, 1000)
          .record(folder.resolve("student"), samples, rows);
      var students = ReplayBuffer.open(folder.resolve("student"));
      double expected = 0;
      for (Replayed taught : replay.replay()) {
        assertThat(taught.buffer().heads()).isDeepEqualTo(all);
        var said = students.read(taught.index(), memory);
        expected += meanKl(taught.read(memory), said) / samples.size();
      }
      var losses = new Losses();
      try (var objective = replay.rehearse(replay.replay(), Step.of(samples))) {
        var pass = student.forward(new Batch(samples));
        var grads = new Weights(config, ops, memory, "gradients");
        var tapped = pass.backward(objective.output(), objective.tap(), grads, true);
        objective.booking().book(tapped, losses);
      }
      assertThat(expected).isGreaterThan(0.1);
      assertThat(losses.means().get("attention")).isCloseTo(expected, within(1e-5 * expected));
    }
  }

  /** Mean over layers, heads and rows of KL(A || A') of two whole maps. */
  private static double meanKl(ReplayBuffer.Entry teacher, ReplayBuffer.Entry student) {
    double sum = 0;
    int T = teacher.sample().length(), L = teacher.rows().length;
    int NH = (int) (teacher.rows()[0].size() / teacher.queries().entries());
    for (int l = 0; l < L; l++) {
      double[] p = teacher.rows()[l].toDoubles(), q = student.rows()[l].toDoubles();
      assertThat(q).hasSameSizeAs(p);
      for (int i = 0; i < p.length; i++) if (p[i] > 0) sum += p[i] * Math.log(p[i] / q[i]);
    }
    return sum / (L * NH * T);
  }
}
