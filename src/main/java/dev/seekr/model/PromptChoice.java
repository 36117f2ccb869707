package dev.seekr.model;

import dev.seekr.tensor.Tensor;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Map;
import java.util.stream.IntStream;

/** Which soft prompts go before an input, and in which order. */
public sealed interface PromptChoice {
  /** Rows of the table for an input (token ids, not empty) of a task. */
  int[] rows(String task, int[] tokens);

  /**
   * The same rows for all inputs of a task; {@code byTask} may name some, {@code others} get
   * theirs.
   */
  record ByTask(Map<String, int[]> byTask, int[] others) implements PromptChoice {
    @Override
    public int[] rows(String task, int[] tokens) {
      return byTask.getOrDefault(task, others);
    }
  }

  /**
   * L2P's choice (Wang et al. 2022): of M prompts, those whose keys [M,C] are nearest to the query,
   * which is the mean embedding of the input. Near is a small 1 - cos(query, key), times a penalty
   * of each prompt.
   *
   * @param length rows of a prompt
   * @param picks prompts chosen
   * @param penalty [M], or null for none
   */
  record ByKey(Tensor wte, Tensor keys, int length, int picks, double[] penalty)
      implements PromptChoice {
    @Override
    public int[] rows(String task, int[] tokens) {
      return Arrays.stream(prompts(query(tokens)))
          .flatMap(m -> IntStream.range(m * length, (m + 1) * length))
          .toArray();
    }

    /** The nearest prompts, nearest first. */
    public int[] prompts(double[] query) {
      double[] distance = new double[(int) keys.dim(0)];
      for (int m = 0; m < distance.length; m++)
        distance[m] = (1 - cosine(query, m)) * (penalty == null ? 1 : penalty[m]);
      return IntStream.range(0, distance.length)
          .boxed()
          .sorted(Comparator.comparingDouble(m -> distance[m]))
          .limit(picks)
          .mapToInt(m -> m)
          .toArray();
    }

    /** [C] of unit length. */
    public double[] query(int[] tokens) {
      double[] q = new double[(int) wte.dim(1)];
      for (int token : tokens) {
        double[] row = wte.rows(token, token + 1).toDoubles();
        for (int c = 0; c < q.length; c++) q[c] += row[c];
      }
      double norm = Math.sqrt(Arrays.stream(q).map(v -> v * v).sum());
      return Arrays.stream(q).map(v -> v / Math.max(norm, 1e-12)).toArray();
    }

    /** Of a query of unit length and the key of prompt m. */
    public double cosine(double[] query, int m) {
      double dot = 0, squares = 0;
      double[] key = keys.rows(m, m + 1).toDoubles();
      for (int c = 0; c < query.length; c++) {
        dot += query[c] * key[c];
        squares += key[c] * key[c];
      }
      return dot / Math.max(Math.sqrt(squares), 1e-12);
    }
  }
}
