package dev.seekr.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.data.Batch;
import dev.seekr.data.Sample;
import dev.seekr.model.Continuations.Question;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What is shared changes nothing: each sequence is held against a whole forward pass of its own.
 */
class ContinuationsTest {
  private static final double CLOSE = 1e-5;
  private final LlamaConfig config = TinyModel.config();
  private final SplittableRandom random = new SplittableRandom(5);

  private int[] tokens(int n) {
    return random.ints(n, 3, config.V()).toArray();
  }

  private static int[] join(int[] a, int[] b) {
    return IntStream.concat(Arrays.stream(a), Arrays.stream(b)).toArray();
  }

  /** Prompts with several continuations, with one, with single tokens, and with both kinds. */
  private List<Question> questions() {
    return List.of(
        new Question(tokens(9), List.of(tokens(4), tokens(7))),
        new Question(tokens(1), List.of(tokens(3))),
        new Question(tokens(5), List.of(tokens(1), tokens(1), tokens(1))),
        new Question(tokens(2), List.of(tokens(1), tokens(6), tokens(1), tokens(2))));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 40})
  void likelihoodsAreThoseOfWholeSequences(int shared) {
    try (Ops ops = TinyModel.cpu();
        var memory = new Memory("test");
        LlamaModel model = TinyModel.random(config, ops, memory, 3, Recompute.none)) {
      int[] start = tokens(shared);
      var questions = questions();
      List<List<Continuations.Likelihood>> found;
      try (var beginning = Beginning.of(model, start)) {
        found = Continuations.likelihoods(model, beginning, questions);
      }
      int greedy = 0;
      for (int q = 0; q < questions.size(); q++) {
        int[] prompt = join(start, questions.get(q).prompt());
        var continuations = questions.get(q).continuations();
        assertThat(found.get(q)).hasSameSizeAs(continuations);
        for (int c = 0; c < continuations.size(); c++) {
          var expected = whole(model, memory, prompt, continuations.get(c));
          var actual = found.get(q).get(c);
          assertThat(actual.logLikelihood())
              .as("question %d, continuation %d", q, c)
              .isCloseTo(expected.logLikelihood(), within(CLOSE));
          assertThat(actual.greedy()).isEqualTo(expected.greedy());
          if (actual.greedy()) greedy++;
        }
      }
      assertThat(greedy).as("not every one is greedy").isLessThan(10);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 30})
  void whatIsGreedyIsFoundGreedy(int shared) {
    try (Ops ops = TinyModel.cpu();
        var memory = new Memory("test");
        LlamaModel model = TinyModel.random(config, ops, memory, 3, Recompute.none)) {
      int[] start = tokens(shared), prompt = tokens(6);
      int[] answer =
          new Generator(model).generate(List.of(join(start, prompt)), 5, Set.of()).getFirst();
      int[] other = answer.clone();
      other[4] = (other[4] + 1) % config.V();
      try (var beginning = Beginning.of(model, start)) {
        var question = new Question(prompt, List.of(answer, other));
        var found = Continuations.likelihoods(model, beginning, List.of(question)).getFirst();
        assertThat(found.get(0).greedy()).isTrue();
        assertThat(found.get(1).greedy()).isFalse();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 17, 100})
  void answersAreThoseToWholePrompts(int shared) {
    try (Ops ops = TinyModel.cpu();
        var memory = new Memory("test");
        LlamaModel model = TinyModel.random(config, ops, memory, 3, Recompute.none)) {
      int[] start = tokens(shared);
      var rest = List.of(tokens(3), tokens(1), tokens(20), tokens(8));
      var whole = rest.stream().map(r -> join(start, r)).toList();
      var generator = new Generator(model);
      List<int[]> expected = generator.generate(whole, 9, Set.of());
      try (var beginning = Beginning.of(model, start)) {
        var found = generator.generate(beginning, rest, 9, Set.of(), _ -> false);
        for (int b = 0; b < whole.size(); b++)
          assertThat(found.get(b)).as("prompt %d", b).isEqualTo(expected.get(b));
        var cut = generator.generate(beginning, rest, 9, Set.of(), t -> t.length == 4);
        for (int b = 0; b < whole.size(); b++)
          assertThat(cut.get(b)).isEqualTo(Arrays.copyOf(expected.get(b), 4));
      }
    }
  }

  /** More rows than are put together at a time, so that parts of both kinds are there. */
  @ParameterizedTest
  @ValueSource(ints = {450})
  void manySequencesArePutTogetherInParts(int shared) {
    try (Ops ops = TinyModel.cpu();
        var memory = new Memory("test");
        LlamaModel model = TinyModel.random(config, ops, memory, 3, Recompute.none)) {
      int[] start = tokens(shared);
      var questions = Stream.generate(this::questions).limit(3).flatMap(List::stream).toList();
      try (var beginning = Beginning.of(model, start)) {
        var together = Continuations.likelihoods(model, beginning, questions);
        for (int q = 0; q < questions.size(); q++) {
          var alone =
              Continuations.likelihoods(model, beginning, List.of(questions.get(q))).getFirst();
          for (int c = 0; c < alone.size(); c++)
            assertThat(together.get(q).get(c).logLikelihood())
                .as("question %d, continuation %d", q, c)
                .isCloseTo(alone.get(c).logLikelihood(), within(CLOSE));
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 7, 8, 12})
  void whatIsSharedIsCountedAndWorthIt(int same) {
    int[] start = tokens(same);
    var sequences = new ArrayList<int[]>();
    for (int i = 0; i < 3; i++) sequences.add(join(start, new int[] {i, 9, 9}));
    assertThat(Beginning.shared(sequences)).isEqualTo(same < 8 ? 0 : same);
    sequences.add(start);
    if (same > 8) assertThat(Beginning.shared(sequences)).isEqualTo(same - 1);
    if (same > 0) assertThat(Beginning.shared(List.of(start))).isZero();
  }

  private Continuations.Likelihood whole(
      LlamaModel model, Memory memory, int[] prompt, int[] continuation) {
    int[] all = join(prompt, continuation);
    var pass = model.forward(Batch.of(new Sample(all, 1)));
    double sum = 0;
    boolean greedy = true;
    try (var step = new Memory("whole")) {
      Tensor logits = step.allocate("logits", DType.F32, 1, config.V());
      for (int t = prompt.length; t < all.length; t++) {
        pass.logits(logits, t - 1);
        double[] z = logits.toDoubles();
        double most = Arrays.stream(z).max().orElseThrow();
        sum += z[all[t]] - most - Math.log(Arrays.stream(z).map(v -> Math.exp(v - most)).sum());
        greedy &= z[all[t]] == most;
      }
    }
    return new Continuations.Likelihood(sum, greedy);
  }
}
