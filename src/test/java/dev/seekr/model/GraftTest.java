package dev.seekr.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.data.Batch;
import dev.seekr.data.Sample;
import dev.seekr.ops.Ops;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Another model's attention in a model's answers. */
class GraftTest {
  private static final LlamaConfig SHAPE = TinyModel.config();
  private static final int L = SHAPE.L(), NH = SHAPE.heads().NH(), NEW = 6;

  private final List<int[]> prompts =
      TinyModel.samples(4, 19, SHAPE.V(), 11).stream().map(Sample::tokens).toList();

  private static Ops open(String backend) {
    return switch (backend) {
      case "cpu" -> TinyModel.cpu();
      case "double" -> new ReferenceOps(DType.F64);
      default -> new ReferenceOps(DType.F32);
    };
  }

  /** Heads as named: all (null), none, some of those that share a key, or one layer's. */
  private static boolean[][] heads(String which) {
    if (which.equals("all")) return null;
    var random = new SplittableRandom(3);
    var heads = new boolean[L][NH];
    for (int l = 0; l < L; l++)
      for (int h = 0; h < NH; h++)
        heads[l][h] =
            switch (which) {
              case "none" -> false;
              case "every" -> true;
              case "layer" -> l == 1;
              default -> random.nextBoolean();
            };
    return heads;
  }

  /** Logits of all rows [N][V]. */
  private static double[][] logits(LlamaModel model, List<int[]> sequences, Memory memory) {
    var batch = new Batch(sequences.stream().map(t -> new Sample(t, 1)).toList());
    int N = batch.tokens().length, V = SHAPE.V();
    Tensor out = memory.allocate("logits", DType.F64, N, V);
    model.begin(batch, false).all().logits(out, IntStream.range(0, N).toArray());
    double[] flat = out.toDoubles();
    var rows = new double[N][];
    for (int n = 0; n < N; n++) rows[n] = Arrays.copyOfRange(flat, n * V, (n + 1) * V);
    return rows;
  }

  /** Every row of logits against loops that hold whole attention maps. */
  @ParameterizedTest
  @CsvSource({
    "double, all",
    "double, some",
    "double, layer",
    "double, none",
    "cpu, all",
    "cpu, some"
  })
  void logitsAreThoseOfNaiveLoops(String backend, String which) {
    boolean[][] heads = heads(which);
    try (Ops ops = open(backend);
        var memory = new Memory("test");
        LlamaModel old = TinyModel.random(SHAPE, ops, memory, 3, Recompute.none);
        LlamaModel last = TinyModel.random(SHAPE, ops, memory, 4, Recompute.none)) {
      double[][] found = logits(last.with(new Graft(old, heads)), prompts, memory);
      double close = backend.equals("cpu") ? 2e-4 : 1e-9;
      int n = 0;
      for (int[] tokens : prompts) {
        var naive = new NaiveModel(last.weights, tokens);
        double[][] expected = naive.logits(new NaiveModel(old.weights, tokens), heads);
        for (double[] row : expected) {
          double most = Arrays.stream(row).map(Math::abs).max().orElseThrow();
          for (int v = 0; v < row.length; v++)
            assertThat(found[n][v]).isFinite().isCloseTo(row[v], within(close * most));
          n++;
        }
      }
    }
  }

  /** Each token of an answer is the best after a whole grafted pass. */
  @ParameterizedTest
  @CsvSource({"cpu, all", "cpu, some", "cpu, every", "reference, all", "reference, some"})
  void cachesGiveWhatWholePassesGive(String backend, String which) {
    try (Ops ops = open(backend);
        var memory = new Memory("test");
        LlamaModel old = TinyModel.random(SHAPE, ops, memory, 3, Recompute.none);
        LlamaModel last = TinyModel.random(SHAPE, ops, memory, 4, Recompute.none)) {
      LlamaModel grafted = last.with(new Graft(old, heads(which)));
      var answers = new Generator(grafted).generate(prompts, NEW, Set.of());
      boolean differs = false;
      for (int i = 0; i < prompts.size(); i++) {
        int[] tokens = prompts.get(i);
        for (int step = 0; step < NEW; step++) {
          double[] z = logits(grafted, List.of(tokens), memory)[tokens.length - 1];
          int best = IntStream.range(0, z.length).reduce((a, b) -> z[b] > z[a] ? b : a).getAsInt();
          assertThat(answers.get(i)[step]).as("prompt %d, token %d", i, step).isEqualTo(best);
          tokens = Arrays.copyOf(tokens, tokens.length + 1);
          tokens[tokens.length - 1] = best;
        }
        int[] own = new Generator(last).generate(List.of(prompts.get(i)), NEW, Set.of()).getFirst();
        differs |= !Arrays.equals(own, answers.get(i));
      }
      assertThat(differs).as("the graft changes some answer").isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"cpu", "reference"})
  void ontoItselfItChangesNoBit(String backend) {
    try (Ops ops = open(backend);
        var memory = new Memory("test");
        LlamaModel model = TinyModel.random(SHAPE, ops, memory, 4, Recompute.none);
        LlamaModel same = model.like(model.weights)) {
      LlamaModel grafted = model.with(new Graft(same, null));
      assertThat(logits(grafted, prompts, memory)).isDeepEqualTo(logits(model, prompts, memory));
      assertThat(new Generator(grafted).generate(prompts, NEW, Set.of()))
          .usingRecursiveComparison()
          .isEqualTo(new Generator(model).generate(prompts, NEW, Set.of()));
    }
  }

  @Test
  void modelsOfAnotherShapeAreRefused() {
    try (Ops ops = TinyModel.cpu();
        var memory = new Memory("test");
        LlamaModel model = TinyModel.random(SHAPE, ops, memory, 4, Recompute.none);
        LlamaModel other =
            TinyModel.random(
                TinyModel.config(61, 24, 40, 2, 4, 2, 6, true), ops, memory, 4, Recompute.none);
        LlamaModel unshared =
            TinyModel.random(
                TinyModel.config(61, 24, 40, 3, 4, 4, 6, true), ops, memory, 4, Recompute.none)) {
      assertThatThrownBy(() -> model.with(new Graft(other, null))).hasMessage("layers: 2, not 3");
      assertThatThrownBy(() -> model.with(new Graft(unshared, null)))
          .hasMessageContaining("heads: Heads[NH=4, NKV=4, HS=6], not Heads[NH=4, NKV=2, HS=6]");
      assertThatThrownBy(() -> model.with(new Graft(model, null)))
          .hasMessageContaining("two rooms");
    }
  }

  /** What does not run the other model beside this one says so, and computes nothing wrong. */
  @Test
  void whatKnowsNoGraftsFails() {
    try (Ops ops = TinyModel.cpu();
        var memory = new Memory("test");
        LlamaModel old = TinyModel.random(SHAPE, ops, memory, 3, Recompute.none);
        LlamaModel last = TinyModel.random(SHAPE, ops, memory, 4, Recompute.none)) {
      LlamaModel grafted = last.with(new Graft(old, null));
      assertThatThrownBy(() -> Beginning.of(grafted, prompts.getFirst()))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("has not run layer 0");
      assertThatThrownBy(() -> grafted.forward(Batch.of(new Sample(prompts.getFirst(), 1))))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("answers alone");
    }
  }
}
