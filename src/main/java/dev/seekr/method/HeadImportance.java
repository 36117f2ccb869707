package dev.seekr.method;

import dev.seekr.config.SeekrSettings.Variant;
import dev.seekr.data.Batch;
import dev.seekr.data.Batcher;
import dev.seekr.data.Sample;
import dev.seekr.data.SampledQueries;
import dev.seekr.model.AttentionTap;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.OutputLoss;
import dev.seekr.ops.AttentionChange;
import dev.seekr.ops.Queries;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Which attention heads matter (paper section 3.2). For a finished task k and its replay samples:
 *
 * <pre>
 *   S_lh = E ||dL/dA_lh||_F, normalised to sum 1 in each layer     task sensitivity, Eq. 7
 *   F_lh = E ||A^k_lh - A^{k-1}_lh||_F                             forgettability, Eq. 9
 * </pre>
 *
 * L is each sample's own mean loss. The released code takes squared norms for S, and for F the mean
 * square over the sampled rows.
 */
public final class HeadImportance {
  private HeadImportance() {}

  /** Raw sums over samples, [L][NH]: of ||dL/dA||_F and of its square. */
  public record Sensitivity(double[][] norm, double[][] square) {}

  /** Sensitivities of all heads: a forward and backward pass without weight gradients. */
  public static Sensitivity sensitivity(LlamaModel model, List<Sample> samples, int microTokens) {
    int L = model.config.L(), NH = model.config.heads().NH();
    double[][] norm = new double[L][NH], square = new double[L][NH];
    for (List<Sample> chunk : Batcher.pack(samples, Sample::length, microTokens)) {
      Batch batch = new Batch(chunk);
      float[] weight = new float[chunk.size()];
      for (int s = 0; s < weight.length; s++) weight[s] = 1f / chunk.get(s).targets();
      double[][] squares =
          model
              .forward(batch)
              .backward(OutputLoss.labels(batch, weight), AttentionTap.SENSITIVITY, null, false)
              .sensitivity();
      for (int l = 0; l < L; l++) {
        for (int i = 0; i < chunk.size() * NH; i++) {
          norm[l][i % NH] += Math.sqrt(squares[l][i]) / samples.size();
          square[l][i % NH] += squares[l][i] / samples.size();
        }
      }
    }
    return new Sensitivity(norm, square);
  }

  /** Each layer divided by its sum; a layer of zeros stays so. */
  public static double[][] normalise(double[][] s) {
    double[][] out = new double[s.length][];
    for (int l = 0; l < s.length; l++) {
      double sum = java.util.Arrays.stream(s[l]).sum();
      out[l] = java.util.Arrays.stream(s[l]).map(v -> sum == 0 ? 0 : v / sum).toArray();
    }
    return out;
  }

  /**
   * Mean over samples, [L][NH]: of ||A - A'||_F, and of its square, over all rows or the sampled
   * ones.
   */
  public record Change(double[][] norm, double[][] square) {}

  /**
   * How far attention moved between two models. Both run forward layer by layer, side by side, so
   * that no layer's attention inputs outlive it. {@code queries} null: all rows.
   */
  public static Change change(
      LlamaModel after,
      LlamaModel before,
      List<Sample> samples,
      List<SampledQueries> queries,
      int microTokens) {
    int L = after.config.L(), NH = after.config.heads().NH();
    double[][] norm = new double[L][NH], square = new double[L][NH];
    var all = IntStream.range(0, samples.size()).boxed().toList();
    for (List<Integer> chunk : Batcher.pack(all, i -> samples.get(i).length(), microTokens)) {
      Batch batch = new Batch(chunk.stream().map(samples::get).toList());
      try (var memory = new Memory("forgettability")) {
        Queries rows =
            queries == null
                ? null
                : new PackedQueries(chunk.stream().map(queries::get).toList(), after.ops(), memory)
                    .counted();
        Tensor diff = memory.allocate("diff", DType.F64, batch.S(), NH);
        var now = after.begin(batch, false);
        var then = before.begin(batch, false);
        for (int l = 0; l < L; l++) {
          now.layer(l);
          then.layer(l);
          var ops = after.ops();
          var other = then.attention(l);
          ops.attentionDifference(
              new AttentionChange(diff, now.attention(l), other.qkv(), other.lse(), rows));
          for (int i = 0; i < diff.size(); i++) {
            norm[l][i % NH] += Math.sqrt(diff.get(i)) / samples.size();
            square[l][i % NH] += diff.get(i) / samples.size();
          }
        }
      }
    }
    return new Change(norm, square);
  }

  /**
   * S and F of one task, as the variant defines them; F of the released code is per entry of a row
   * padded to {@code width}.
   */
  public record Scores(double[][] s, double[][] f) {}

  public static Scores scores(
      Variant variant,
      LlamaModel after,
      LlamaModel before,
      List<Sample> samples,
      List<SampledQueries> queries,
      int microTokens) {
    return scores(variant, after, before, samples, queries, false, microTokens);
  }

  /**
   * @param all the queries are all rows; the released code then divides by those of padding too, in
   *     which nothing changes
   */
  static Scores scores(
      Variant variant,
      LlamaModel after,
      LlamaModel before,
      List<Sample> samples,
      List<SampledQueries> queries,
      boolean all,
      int microTokens) {
    Sensitivity s = sensitivity(after, samples, microTokens);
    after.release();
    if (variant == Variant.paper) {
      return new Scores(
          normalise(s.norm()), change(after, before, samples, null, microTokens).norm());
    }
    double[][] f = change(after, before, samples, queries, microTokens).square();
    int width = paddedWidth(samples);
    double entries = (double) (all ? width : queries.getFirst().budget()) * width;
    for (double[] layer : f) for (int h = 0; h < layer.length; h++) layer[h] /= entries;
    return new Scores(normalise(s.square()), f);
  }

  /** The released code pads a batch on the left to a multiple of 8 tokens. */
  static int paddedWidth(List<Sample> samples) {
    int longest = samples.stream().mapToInt(Sample::length).max().orElse(0);
    return (longest + 7) / 8 * 8;
  }
}
