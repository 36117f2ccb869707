package dev.seekr.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.data.Batch;
import dev.seekr.model.OutputLoss;
import dev.seekr.model.TinyModel;
import dev.seekr.model.Weights;
import dev.seekr.ops.Ops;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LwfTest {
  /**
   * float32 has 24 bits, 6e-8 of a number: what the same sum of some hundred products is apart by
   * in another order, after a few layers, of numbers of about one.
   */
  private static final double OTHER_ORDER = 1e-5;

  /** Of central differences in double: 1e-5 squared, and 1e-16 over 1e-5, times what curves. */
  private static final double DIFFERENCES = 1e-6;

  @TempDir Path folder;

  private TwoTasks run(Ops ops, String cache) {
    return new TwoTasks(
        folder.resolve(cache),
        ops,
        1e-3,
        "method.name=lwf",
        "method.buffer_dtype=f32",
        "method.lwf.lambda=2",
        "method.lwf.cache=" + cache);
  }

  private static double[] teacher(TwoTasks run, Batch batch) {
    try (var memory = new Memory("test")) {
      int[] rows = OutputLoss.labels(batch, 1).rows();
      return ((Lwf) run.method).previous().logits(batch, rows, 1, memory).toDoubles();
    }
  }

  private static double[] student(TwoTasks run, Batch batch) {
    var pass = run.model.forward(batch);
    int[] rows = OutputLoss.labels(batch, 1).rows();
    Tensor out = run.memory.allocate("test", DType.F32, rows.length, TwoTasks.SHAPE.V());
    pass.logits(out, rows);
    return out.toDoubles();
  }

  @ParameterizedTest
  @ValueSource(strings = {"disk", "none"})
  void theTeacherStaysWhileTheModelMoves(String cache) {
    try (Ops ops = TinyModel.cpu();
        var run = run(ops, cache)) {
      var lwf = (Lwf) run.method;
      run.begin(0);
      assertThat(lwf.previous()).isNull();
      assertThat(run.steps(0, 2).means()).containsOnlyKeys("task");
      run.end(0);

      var batch = new Batch(run.context(1).samples());
      double[] before = student(run, batch);
      run.begin(1);
      double[] taught = teacher(run, batch);
      // A sample's logits come from a product of its own rows alone, which may add up in another
      // order.
      assertThat(taught).containsExactly(before, within(OTHER_ORDER));
      assertThat(folder.resolve(cache).resolve("recorded/02").toFile().exists())
          .isEqualTo(cache.equals("disk"));
      assertThat(run.steps(1, 3).means().get("lwf")).isGreaterThan(1e-4);
      assertThat(teacher(run, batch)).isEqualTo(taught);
      assertThat(student(run, batch)).isNotEqualTo(before);
      run.end(1);
      assertThat(lwf.previous()).isNull();
      assertThat(run.method.storedBytes()).isZero();
    }
  }

  @Test
  void storedAndComputedLogitsGiveTheSameLosses() {
    try (Ops ops = TinyModel.cpu();
        var disk = run(ops, "disk");
        var none = run(ops, "none")) {
      for (int stage = 0; stage < 2; stage++) {
        disk.begin(stage);
        none.begin(stage);
        for (int i = 0; i < 4; i++) {
          var a = disk.steps(stage, 1);
          var b = none.steps(stage, 1);
          assertThat(a.means().keySet()).isEqualTo(b.means().keySet()).hasSize(1 + stage);
          a.means()
              .forEach(
                  (name, mean) ->
                      assertThat(mean).isCloseTo(b.means().get(name), within(OTHER_ORDER * mean)));
          assertThat(a.total()).isCloseTo(b.total(), within(OTHER_ORDER * a.total()));
        }
        disk.end(stage);
        none.end(stage);
      }
    }
  }

  @Test
  void gradientIsThatOfTheLoss() {
    try (Ops ops = new ReferenceOps(DType.F64);
        var run = run(ops, "none")) {
      run.begin(1);
      var random = new SplittableRandom(3);
      Tensor w = run.model.weights.flat();
      for (var block : run.model.weights.blocks())
        for (int i = 0; i < block.tensor().size(); i++)
          block.tensor().add(i, 0.02 * random.nextGaussian());
      var batch = new Batch(run.context(1).samples().subList(0, 2));
      var with = new Weights(TwoTasks.SHAPE, ops, run.memory, "gradients");
      var without = new Weights(TwoTasks.SHAPE, ops, run.memory, "gradients");
      double task = run.pass(new SeqFT(run.method.setup()), batch, without).total();
      var losses = run.pass(run.method, batch, with);
      double kl = losses.means().get("lwf");
      assertThat(kl).isGreaterThan(1e-3);
      assertThat(losses.total()).isCloseTo(task + 2 * kl, within(1e-6 * losses.total()));
      double[] gradient = with.flat().toDoubles();
      double most = 0;
      for (int i = 0; i < gradient.length; i++) {
        gradient[i] -= without.flat().get(i);
        most = Math.max(most, Math.abs(gradient[i]));
      }
      for (int k = 0; k < 60; k++) {
        int i = random.nextInt(gradient.length);
        double h = 1e-5, at = w.get(i);
        w.set(i, at + h);
        double up = 2 * run.pass(run.method, batch, null).means().get("lwf");
        w.set(i, at - h);
        double down = 2 * run.pass(run.method, batch, null).means().get("lwf");
        w.set(i, at);
        assertThat(gradient[i]).isCloseTo((up - down) / (2 * h), within(DIFFERENCES * most));
      }
    }
  }
}
