package dev.seekr.method;

import dev.seekr.config.SeekrSettings.Variant;
import dev.seekr.data.Batch;
import dev.seekr.data.Batcher;
import dev.seekr.data.Sample;
import dev.seekr.data.SampledQueries;
import dev.seekr.distributed.Collectives;
import dev.seekr.model.AttentionTap;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.OutputLoss;
import dev.seekr.ops.AttentionChange;
import dev.seekr.ops.Queries;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.Arrays;
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
    return sensitivity(model, samples, microTokens, Collectives.ALONE);
  }

  /** The same by several processes, each of which takes some passes. */
  static Sensitivity sensitivity(
      LlamaModel model, List<Sample> samples, int microTokens, Collectives all) {
    var chunks = Batcher.pack(samples, Sample::length, microTokens);
    var means = means(model, all.each(chunks.size(), c -> squares(model, chunks.get(c))));
    return new Sensitivity(means.norm, means.square);
  }

  /** ||dL/dA_lh||_F^2 of each of the samples, [L, S, NH]. */
  private static double[] squares(LlamaModel model, List<Sample> chunk) {
    Batch batch = new Batch(chunk);
    float[] weight = new float[chunk.size()];
    for (int s = 0; s < weight.length; s++) weight[s] = 1f / chunk.get(s).targets();
    double[][] squares =
        model
            .forward(batch)
            .backward(OutputLoss.labels(batch, weight), AttentionTap.SENSITIVITY, null, false)
            .sensitivity();
    return Arrays.stream(squares)
        .flatMapToDouble(l -> Arrays.stream(l, 0, chunk.size() * model.config.heads().NH()))
        .toArray();
  }

  /** Of squares [L, S, NH] of each chunk: means over all samples of their roots, and of them. */
  private static Change means(LlamaModel model, double[][] chunks) {
    int L = model.config.L(), NH = model.config.heads().NH();
    double[][] norm = new double[L][NH], square = new double[L][NH];
    long samples = 0;
    for (double[] chunk : chunks) samples += chunk.length / L / NH;
    for (double[] chunk : chunks) {
      int each = chunk.length / L;
      for (int i = 0; i < chunk.length; i++) {
        norm[i / each][i % NH] += Math.sqrt(chunk[i]) / samples;
        square[i / each][i % NH] += chunk[i] / samples;
      }
    }
    return new Change(norm, square);
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
    return change(after, before, samples, queries, microTokens, Collectives.ALONE);
  }

  /** The same by several processes, each of which takes some passes. */
  static Change change(
      LlamaModel after,
      LlamaModel before,
      List<Sample> samples,
      List<SampledQueries> queries,
      int microTokens,
      Collectives all) {
    var places = IntStream.range(0, samples.size()).boxed().toList();
    var chunks = Batcher.pack(places, i -> samples.get(i).length(), microTokens);
    double[][] squares =
        all.each(
            chunks.size(),
            c -> {
              var some = chunks.get(c).stream().map(samples::get).toList();
              var rows = queries == null ? null : chunks.get(c).stream().map(queries::get).toList();
              return squares(after, before, some, rows);
            });
    return means(after, squares);
  }

  /** ||A - A'||_F^2 of each of the samples, [L, S, NH]. */
  private static double[] squares(
      LlamaModel after, LlamaModel before, List<Sample> samples, List<SampledQueries> queries) {
    int L = after.config.L(), NH = after.config.heads().NH();
    Batch batch = new Batch(samples);
    double[] squares = new double[L * batch.S() * NH];
    try (var memory = new Memory("forgettability")) {
      Queries rows =
          queries == null ? null : new PackedQueries(queries, after.ops(), memory).counted();
      Tensor diff = memory.allocate("diff", DType.F64, batch.S(), NH);
      var now = after.begin(batch, false);
      var then = before.begin(batch, false);
      for (int l = 0; l < L; l++) {
        now.layer(l);
        then.layer(l);
        var other = then.attention(l);
        after
            .ops()
            .attentionDifference(
                new AttentionChange(diff, now.attention(l), other.qkv(), other.lse(), rows));
        double[] layer = diff.toDoubles();
        System.arraycopy(layer, 0, squares, l * layer.length, layer.length);
      }
    }
    return squares;
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
    return scores(variant, after, before, samples, queries, false, microTokens, Collectives.ALONE);
  }

  /**
   * @param allRows the queries are all rows; the released code then divides by those of padding
   *     too, in which nothing changes
   */
  static Scores scores(
      Variant variant,
      LlamaModel after,
      LlamaModel before,
      List<Sample> samples,
      List<SampledQueries> queries,
      boolean allRows,
      int microTokens,
      Collectives all) {
    Sensitivity s = sensitivity(after, samples, microTokens, all);
    after.release();
    if (variant == Variant.paper) {
      return new Scores(
          normalise(s.norm()), change(after, before, samples, null, microTokens, all).norm());
    }
    double[][] f = change(after, before, samples, queries, microTokens, all).square();
    int width = paddedWidth(samples);
    double entries = (double) (allRows ? width : queries.getFirst().budget()) * width;
    for (double[] layer : f) for (int h = 0; h < layer.length; h++) layer[h] /= entries;
    return new Scores(normalise(s.square()), f);
  }

  /** The released code pads a batch on the left to a multiple of 8 tokens. */
  static int paddedWidth(List<Sample> samples) {
    int longest = samples.stream().mapToInt(Sample::length).max().orElse(0);
    return (longest + 7) / 8 * 8;
  }
}
