package dev.seekr.bench;

import dev.seekr.model.Generator;
import dev.seekr.model.LlamaModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Times greedy answers to prompts of arbitrary tokens: token i of prompt b is 7919 (b T + i) mod
 * min(V, 40000), so that another program can be given the same.
 */
public final class GenerateBench {
  private GenerateBench() {}

  /** B prompts of T tokens, answered with {@code maxNew} tokens each. */
  public record Shape(int B, int T, int maxNew) {}

  /**
   * What came out.
   *
   * @param seconds of the prompts and all answers, by repeat
   * @param checksum sum of all new tokens' ids
   */
  public record Result(double[] seconds, long checksum) {}

  public static Result run(LlamaModel model, Shape shape, int warmup, int repeats) {
    var generator = new Generator(model);
    List<int[]> prompts = prompts(shape, model.config.V());
    var seconds = new double[repeats];
    long checksum = 0;
    for (int i = -warmup; i < repeats; i++) {
      long start = System.nanoTime();
      List<int[]> answers = generator.generate(prompts, shape.maxNew, Set.of());
      if (i >= 0) seconds[i] = (System.nanoTime() - start) / 1e9;
      checksum = answers.stream().flatMapToInt(IntStream::of).asLongStream().sum();
    }
    return new Result(seconds, checksum);
  }

  private static List<int[]> prompts(Shape shape, int V) {
    int range = Math.min(V, 40000);
    var prompts = new ArrayList<int[]>();
    for (int b = 0; b < shape.B; b++) {
      long first = (long) b * shape.T;
      prompts.add(
          IntStream.range(0, shape.T).map(i -> (int) (7919 * (first + i) % range)).toArray());
    }
    return prompts;
  }
}
