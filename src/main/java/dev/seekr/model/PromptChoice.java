package dev.seekr.model;

import dev.seekr.ops.Ops;
import dev.seekr.ops.Product;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
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
   * of each prompt. Keys are looked at as they were when this was made.
   */
  final class ByKey implements PromptChoice {
    private final Ops ops;
    private final Tensor wte, keys;
    private final double[][] key; // [M][C]
    private final int length, picks;
    private final double[] penalty;

    /**
     * @param length rows of a prompt
     * @param picks prompts chosen
     * @param penalty [M], or null for none
     */
    public ByKey(Ops ops, Tensor wte, Tensor keys, int length, int picks, double[] penalty) {
      this.ops = ops;
      this.wte = wte;
      this.keys = keys;
      this.length = length;
      this.picks = picks;
      this.penalty = penalty;
      int C = (int) keys.dim(1);
      double[] all = keys.toDoubles();
      key = new double[(int) keys.dim(0)][];
      Arrays.setAll(key, m -> Arrays.copyOfRange(all, m * C, (m + 1) * C));
    }

    /** [M,C], where they are trained. */
    Tensor keys() {
      return keys;
    }

    int length() {
      return length;
    }

    int picks() {
      return picks;
    }

    /** [C] of prompt m. */
    public double[] key(int m) {
      return key[m];
    }

    @Override
    public int[] rows(String task, int[] tokens) {
      return Arrays.stream(prompts(query(tokens)))
          .flatMap(m -> IntStream.range(m * length, (m + 1) * length))
          .toArray();
    }

    /** The nearest prompts [picks], nearest first, of a query [C] of unit length. */
    public int[] prompts(double[] query) {
      double[] distance = new double[key.length];
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
      double[] q = sum(tokens);
      double norm = Math.sqrt(Arrays.stream(q).map(v -> v * v).sum());
      return Arrays.stream(q).map(v -> v / Math.max(norm, 1e-12)).toArray();
    }

    /** [C] of the tokens' embeddings: a product with ones, so that one row leaves the device. */
    private double[] sum(int[] tokens) {
      try (var memory = new Memory("query")) {
        Tensor ids = memory.allocate("query", DType.I32, tokens.length);
        ids.copyFrom(tokens);
        Tensor rows = ops.allocate(memory, "query", tokens.length, wte.dim(1));
        Tensor ones = ops.allocate(memory, "query", 1, tokens.length);
        float[] all = new float[tokens.length];
        Arrays.fill(all, 1);
        ones.copyFrom(all);
        Tensor sum = ops.allocate(memory, "query", ops.wide(), 1, wte.dim(1));
        ops.gather(rows, wte, ids);
        ops.matmul(new Product(sum, ones, rows, false, false, 1, false));
        return sum.toDoubles();
      }
    }

    /** Of a query [C] of unit length and the key of prompt m. */
    public double cosine(double[] query, int m) {
      double dot = 0, squares = 0;
      for (int c = 0; c < query.length; c++) {
        dot += query[c] * key[m][c];
        squares += key[m][c] * key[m][c];
      }
      return dot / Math.max(Math.sqrt(squares), 1e-12);
    }
  }
}
