package dev.seekr.method;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.config.ConfigReader;
import dev.seekr.config.RunConfig;
import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.data.Batch;
import dev.seekr.data.Sample;
import dev.seekr.data.SampledQueries;
import dev.seekr.disk.RunFolder;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.TinyModel;
import dev.seekr.model.Weights;
import dev.seekr.ops.Ops;
import dev.seekr.report.ResidentMemory;
import dev.seekr.tensor.Ledger;
import dev.seekr.tensor.Memory;
import dev.seekr.trainer.Learner;
import dev.seekr.trainer.Unit;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Memory grows with tokens, not with their square, and not with steps. */
class LongSequenceTest {
  private static final int TOKENS = 16_384;
  private static final long BUDGET = 1L << 30;

  @TempDir Path folder;

  /** A map of one head alone would take exactly the budget here: 16,384 squared floats. */
  @Test
  void scoresAndDistilsLongSequences() {
    var config = TinyModel.config(256, 32, 64, 2, 2, 1, 16, true);
    var settings = settings(100);
    try (Ops ops = TinyModel.cpu();
        var memory = new Memory("test");
        LlamaModel before = TinyModel.random(config, ops, memory, 1, Recompute.layers);
        LlamaModel model = TinyModel.random(config, ops, memory, 2, Recompute.layers);
        var method = new Seekr(new Setup(settings, model, new RunFolder(folder)))) {
      var grads = new Weights(config, ops, memory, "gradients");
      var random = new SplittableRandom(3);
      var sample = new Sample(random.ints(TOKENS, 3, config.V()).toArray(), TOKENS - 64);
      long start = ResidentMemory.now();
      Ledger.PROCESS.resetPeak();
      long held = Ledger.PROCESS.peak();

      var context = new Method.Context(0, "long", List.of(sample), model.weights);
      method.begin(context);
      method.remember(context, List.of(sample));
      try (var objective = method.rehearse(method.replay(), Step.of(List.of(sample)))) {
        var pass = model.forward(Batch.of(sample));
        var losses = new Losses();
        var tapped = pass.backward(objective.output(), objective.tap(), grads, true);
        objective.booking().book(tapped, losses);
        // The student is the teacher: every distance is rounding, of half-precision storage at
        // most.
        assertThat(losses.means().get("attention")).isBetween(-1e-6, 1e-4);
        assertThat(losses.means().get("replay")).isPositive().isFinite();
      }
      assertThat(method.replay().getFirst().read(memory).queries().budget()).isEqualTo(100);
      assertThat(ops.sumSquares(grads.flat())).isPositive().isFinite();

      var moved =
          HeadImportance.change(
              model, before, List.of(sample), List.of(SampledQueries.of(5, TOKENS - 1)), TOKENS);
      assertThat(IntStream.range(0, 2).mapToDouble(l -> moved.norm()[l][0]))
          .allMatch(v -> v > 0 && v < 3);
      assertThat(Ledger.PROCESS.peak() - held).isLessThan(BUDGET);
      assertThat(ResidentMemory.now() - start).isLessThan(BUDGET);
    }
  }

  @Test
  void nativeMemoryIsFlatOverAThousandSteps() {
    var config = TinyModel.config();
    try (Ops ops = TinyModel.cpu();
        var memory = new Memory("test");
        LlamaModel model = TinyModel.random(config, ops, memory, 1, Recompute.none);
        var method = new Seekr(new Setup(settings(5), model, new RunFolder(folder)));
        var learner = new Learner(model, method, settings(5).train())) {
      List<Sample> samples = TinyModel.samples(40, 40, config.V(), 4);
      var context = new Method.Context(0, "task", samples, model.weights);
      method.begin(context);
      method.end(context);
      long before = 0, after = Long.MAX_VALUE;
      for (int step = 0; step < 1200; step++) {
        int at = step % 36;
        Unit unit =
            step % 2 == 0
                ? new Unit.Fresh(samples.subList(at, at + 4))
                : new Unit.Rehearsal(method.replay());
        learner.step(0, List.of(unit), 1e-4);
        if (step == 199) before = allocated();
        if (step >= 1099 && step % 25 == 24) after = Math.min(after, allocated());
      }
      // The virtual machine's own compiler takes and gives back some MiB meanwhile, so that the
      // least
      // of several looks counts; a tensor of activations a step would come to more than 8.
      assertThat(after - before).isLessThan(8L << 20);
    }
  }

  /**
   * What the process holds outside Java's heap, which grows and shrinks by itself: glibc's count of
   * what was allocated from it and not freed, in arenas and mapped.
   */
  private static long allocated() {
    System.gc(); // frees what waits to be collected with a Java object
    var size = ValueLayout.JAVA_LONG;
    var linker = Linker.nativeLinker();
    var mallinfo2 =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("mallinfo2"),
            FunctionDescriptor.of(
                MemoryLayout.structLayout(
                    Collections.nCopies(10, size).toArray(MemoryLayout[]::new))));
    try (var arena = Arena.ofConfined()) {
      var info = (MemorySegment) mallinfo2.invokeExact((SegmentAllocator) arena);
      long mapped = info.getAtIndex(size, 4), used = info.getAtIndex(size, 7);
      return mapped + used;
    } catch (Throwable t) {
      throw new AssertionError(t);
    }
  }

  private static RunConfig settings(int queries) {
    return ConfigReader.parse(
        "",
        "test",
        List.of(
            "method.name=seekr",
            "method.replay_samples=4",
            "method.seekr.lambda2=10",
            "method.seekr.heads=4",
            "method.seekr.queries=" + queries));
  }
}
