package dev.seekr.verify;

import dev.seekr.Failure;
import dev.seekr.data.Sample;
import dev.seekr.tensor.Tensor;
import dev.seekr.tensor.TensorSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Left-padded tensors of a reference folder as packed samples: {@code input_ids, attention_mask,
 * labels} [B,T], labels -100 outside the answer.
 */
record GoldenCase(List<Sample> samples, int width) {

  /**
   * {@code prefix}: "" or for example "task1.0." Throws Failure (65) where tensors are not of one
   * shape, labels are no suffix of a sequence, or a token is none of the V there are.
   */
  static GoldenCase read(TensorSource source, String prefix, int V) {
    Tensor ids = get(source, prefix + "input_ids", null);
    Tensor labels = get(source, prefix + "labels", ids),
        mask = get(source, prefix + "attention_mask", ids);
    int B = (int) ids.dim(0), T = (int) ids.dim(1);
    var samples = new ArrayList<Sample>();
    for (int b = 0; b < B; b++) {
      int first = 0;
      while (first < T && mask.getInt((long) b * T + first) == 0) first++;
      int answer = first;
      while (answer < T && labels.getInt((long) b * T + answer) < 0) answer++;
      int[] tokens = new int[T - first];
      for (int t = first; t < T; t++) {
        long i = (long) b * T + t;
        tokens[t - first] = ids.getInt(i);
        if (ids.getInt(i) < 0 || ids.getInt(i) >= V)
          throw Failure.data(
              "%sbatch row %d: expected tokens below %d, found %d", prefix, b, V, ids.getInt(i));
        if (mask.getInt(i) != 1 || t >= answer && labels.getInt(i) != ids.getInt(i)) {
          throw Failure.data(
              "%sbatch row %d: expected padding on the left and labels that are the last tokens",
              prefix, b);
        }
      }
      if (answer == first || answer == T)
        throw Failure.data(
            "%sbatch row %d: expected a prompt and an answer, found %d and %d tokens",
            prefix, b, answer - first, T - answer);
      samples.add(new Sample(tokens, answer - first));
    }
    return new GoldenCase(samples, T);
  }

  /** A tensor of two dimensions, those of another one (null: any). */
  private static Tensor get(TensorSource source, String name, Tensor as) {
    long[] shape = source.shape(name);
    if (shape.length != 2 || as != null && !Arrays.equals(shape, as.shape()))
      throw Failure.data(
          "%s: expected %s, found %s",
          name, as == null ? "[B, T]" : Arrays.toString(as.shape()), Arrays.toString(shape));
    return source.get(name);
  }
}
