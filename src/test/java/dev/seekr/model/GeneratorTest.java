package dev.seekr.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.data.Batch;
import dev.seekr.data.Sample;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class GeneratorTest {
  private static final int NEW = 7;
  private final LlamaConfig config = TinyModel.config();
  private final List<int[]> prompts =
      TinyModel.samples(5, 33, config.V(), 11).stream().map(Sample::tokens).toList();

  @Test
  void cacheGivesWhatWholeForwardPassesGive() {
    try (Ops ops = TinyModel.cpu();
        var memory = new Memory("test");
        LlamaModel model = TinyModel.random(config, ops, memory, 3, Recompute.none)) {
      List<int[]> answers = new Generator(model).generate(prompts, NEW, Set.of());
      Tensor logits = memory.allocate("logits", DType.F32, 1, config.V());
      for (int i = 0; i < prompts.size(); i++) {
        int[] tokens = prompts.get(i);
        for (int step = 0; step < NEW; step++) {
          model.forward(Batch.of(new Sample(tokens, 1))).logits(logits, tokens.length - 1);
          float[] z = logits.toFloats();
          int best = 0;
          for (int v = 1; v < z.length; v++) if (z[v] > z[best]) best = v;
          assertThat(answers.get(i)[step]).as("prompt %d, token %d", i, step).isEqualTo(best);
          tokens = Arrays.copyOf(tokens, tokens.length + 1);
          tokens[tokens.length - 1] = best;
        }
      }
    }
  }

  @Test
  void answersDoNotDependOnTheBatch() {
    try (Ops ops = TinyModel.cpu();
        var memory = new Memory("test");
        LlamaModel model = TinyModel.random(config, ops, memory, 3, Recompute.none)) {
      var generator = new Generator(model);
      List<int[]> together = generator.generate(prompts, NEW, Set.of());
      for (int i = 0; i < prompts.size(); i++) {
        assertThat(generator.generate(List.of(prompts.get(i)), NEW, Set.of()).getFirst())
            .isEqualTo(together.get(i));
      }
    }
  }

  @Test
  void answersEndBeforeAStop() {
    try (Ops ops = TinyModel.cpu();
        var memory = new Memory("test");
        LlamaModel model = TinyModel.random(config, ops, memory, 3, Recompute.none)) {
      var generator = new Generator(model);
      int[] free = generator.generate(prompts, NEW, Set.of()).getFirst();
      int[] stopped = generator.generate(prompts, NEW, Set.of(free[2])).getFirst();
      int first = 0;
      while (free[first] != free[2]) first++;
      assertThat(stopped).isEqualTo(Arrays.copyOf(free, first));
    }
  }
}
