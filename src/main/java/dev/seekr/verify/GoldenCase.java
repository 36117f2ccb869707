package dev.seekr.verify;

import dev.seekr.Failure;
import dev.seekr.data.Sample;
import dev.seekr.data.SampledQueries;
import dev.seekr.model.LlamaConfig;
import dev.seekr.safetensors.Safetensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;

/**
 * Left-padded tensors of a reference folder as packed samples: {@code input_ids, attention_mask,
 * labels} [B,T], labels -100 outside the answer.
 */
record GoldenCase(List<Sample> samples, int width) {

  /**
   * {@code prefix}: "" or for example "task1.0." Throws Failure (65) where tensors are not of one
   * shape, labels are no suffix of a sequence, or a token is none of the V there are.
   */
  static GoldenCase read(Safetensors source, String prefix, int V) {
    String where = "%s: %sbatch".formatted(source.file(), prefix);
    long[] shape = source.shape(prefix + "input_ids");
    int[] ids = get(source, prefix + "input_ids", shape);
    int[] labels = get(source, prefix + "labels", shape),
        mask = get(source, prefix + "attention_mask", shape);
    int B = (int) shape[0], T = (int) shape[1];
    var samples = new ArrayList<Sample>();
    for (int b = 0; b < B; b++) {
      int row = b * T, first = 0;
      while (first < T && mask[row + first] == 0) first++;
      int answer = first;
      while (answer < T && labels[row + answer] < 0) answer++;
      int[] tokens = Arrays.copyOfRange(ids, row + first, row + T);
      for (int t = first; t < T; t++) {
        int id = ids[row + t];
        if (id < 0 || id >= V)
          throw Failure.data("%s row %d: expected tokens below %d, found %d", where, b, V, id);
        if (mask[row + t] != 1 || t >= answer && labels[row + t] != id) {
          throw Failure.data(
              "%s row %d: expected padding on the left and labels that are the last tokens",
              where, b);
        }
      }
      if (answer == first || answer == T)
        throw Failure.data(
            "%s row %d: expected a prompt and an answer, found %d and %d tokens",
            where, b, answer - first, T - answer);
      samples.add(new Sample(tokens, answer - first));
    }
    if (samples.isEmpty()) throw Failure.data("%s: expected rows, found none", where);
    return new GoldenCase(samples, T);
  }

  /** A tensor [B,T] of whole numbers, of a shape that others have too. */
  private static int[] get(Safetensors source, String name, long[] as) {
    long[] shape = source.shape(name);
    if (shape.length != 2 || !Arrays.equals(shape, as))
      throw Failure.data(
          "%s: %s: expected %s, found %s",
          source.file(),
          name,
          as.length == 2 ? Arrays.toString(as) : "[B, T]",
          Arrays.toString(shape));
    return source.ints(name);
  }

  /** Query rows [B,budget] of these samples as drawn. Throws Failure (65) where they are none. */
  List<SampledQueries> queries(Safetensors source, String name) {
    long[] shape = source.shape(name);
    if (shape.length != 2 || shape[0] != samples.size() || shape[1] < 1)
      throw Failure.data(
          "%s: %s: expected [%d, budget], found %s",
          source.file(), name, samples.size(), Arrays.toString(shape));
    int budget = Math.toIntExact(shape[1]);
    int[] flat = source.ints(name);
    var queries = new ArrayList<SampledQueries>();
    for (int b = 0; b < samples.size(); b++) {
      int[] drawn = Arrays.copyOfRange(flat, b * budget, (b + 1) * budget);
      int n = samples.get(b).length();
      if (Arrays.stream(drawn).anyMatch(row -> row < 0 || row >= n))
        throw Failure.data(
            "%s: %s: expected rows of the %d tokens of sample %d", source.file(), name, n, b);
      queries.add(SampledQueries.of(drawn));
    }
    return queries;
  }

  /**
   * Heads by layer of pairs [m,2] as (layer, head), ascending. Throws Failure (65) where they are
   * none of the model's, or one is there twice.
   */
  static int[][] heads(Safetensors source, String name, LlamaConfig config) {
    long[] shape = source.shape(name);
    if (shape.length != 2 || shape[1] != 2)
      throw Failure.data(
          "%s: %s: expected [heads, 2], found %s", source.file(), name, Arrays.toString(shape));
    int[] pairs = source.ints(name);
    var heads = new ArrayList<TreeSet<Integer>>();
    for (int l = 0; l < config.L(); l++) heads.add(new TreeSet<>());
    for (int i = 0; i < pairs.length; i += 2) {
      int l = pairs[i], h = pairs[i + 1];
      boolean known = l >= 0 && l < config.L() && h >= 0 && h < config.heads().NH();
      if (!known || !heads.get(l).add(h))
        throw Failure.data(
            "%s: %s: expected a layer and a head of it, once each, found (%d, %d)",
            source.file(), name, l, h);
    }
    return heads.stream()
        .map(layer -> layer.stream().mapToInt(Integer::intValue).toArray())
        .toArray(int[][]::new);
  }
}
