package dev.seekr.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.config.LoraSettings.Projection;
import dev.seekr.data.Batch;
import dev.seekr.data.Sample;
import dev.seekr.ops.Ops;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What of which row is dropped for which adapter. */
class ModelDropoutTest {
  private static final LlamaConfig CONFIG = TinyModel.config(31, 12, 20, 2, 4, 2, 6, true);
  private static final Dropout DROPOUT = new Dropout(0.25f, 17);
  private static final int IN = 200;

  private final Memory memory = new Memory("test");
  private final Ops ops = new ReferenceOps(DType.F64);

  @AfterEach
  void close() {
    memory.close();
  }

  private Dropout.Masks masks(Dropout dropout, List<Sample> samples) {
    var batch = new Batch(samples);
    return dropout.masks(ops, batch.tokens(), batch.cuSeqlens(), memory);
  }

  /** For each row of the samples, what an adapter reads in place of ones. */
  private List<List<Double>> read(Dropout dropout, List<Sample> samples, int l, Projection target) {
    int N = new Batch(samples).N();
    Tensor x = ops.allocate(memory, "x", N, IN);
    for (int i = 0; i < x.size(); i++) x.set(i, 1);
    double[] y = masks(dropout, samples).of(x, l, target, memory).toDoubles();
    var rows = new ArrayList<List<Double>>();
    for (int n = 0; n < N; n++) rows.add(Arrays.stream(y, n * IN, (n + 1) * IN).boxed().toList());
    return rows;
  }

  private List<List<Double>> read(List<Sample> samples) {
    return read(DROPOUT, samples, 1, Projection.o_proj);
  }

  @Test
  void itDoesNotMatterWhatElseIsInThePass() {
    List<Sample> samples = TinyModel.samples(3, 9, CONFIG.V(), 3);
    var together = read(samples);
    var alone = new ArrayList<List<Double>>();
    for (Sample sample : samples) alone.addAll(read(List.of(sample)));
    assertThat(alone).isEqualTo(together);
  }

  /** Rows, layers, targets, seeds, and sequences that begin alike. */
  @Test
  void allElseDrawsAnew() {
    var samples =
        List.of(new Sample(new int[] {5, 5, 5, 7}, 1), new Sample(new int[] {5, 5, 5}, 1));
    var all = new ArrayList<List<Double>>();
    for (int l = 0; l < 3; l++)
      for (Projection target : Projection.values())
        for (long seed : new long[] {1, 2})
          all.addAll(read(new Dropout(0.25f, seed), samples, l, target));
    assertThat(all).hasSize(3 * 7 * 2 * 7);
    assertThat(new HashSet<>(all)).hasSameSizeAs(all);
    double kept = 0;
    for (var row : all) {
      assertThat(row).containsOnly(0.0, 1 / 0.75);
      kept += row.stream().filter(v -> v != 0).count();
    }
    double n = (double) all.size() * IN;
    assertThat(kept / n).isCloseTo(0.75, within(5 * Math.sqrt(0.25 * 0.75 / n)));
  }

  /** y = s (D(x) A^T) B^T by loops: it is x that is dropped, before A. */
  @Test
  void whatAnAdapterAdds() {
    int r = 3, C = CONFIG.C();
    var lora = new Lora(CONFIG, new Lora.Shape(r, 6, List.of(Projection.o_proj)), ops, memory, "a");
    var random = new SplittableRandom(5);
    int N = 4, in = CONFIG.heads().NH() * CONFIG.heads().HS();
    Tensor x = ops.allocate(memory, "x", N, in), y = ops.allocate(memory, "y", N, C);
    for (Tensor t : List.of(lora.flat(), x))
      for (int i = 0; i < t.size(); i++) t.set(i, random.nextGaussian());
    var masks = masks(DROPOUT, List.of(new Sample(new int[] {4, 8, 2, 9}, 1)));
    lora.forward(Lora.Site.O, 1, y, x, masks);
    Tensor read = masks.of(x, 1, Projection.o_proj, memory);
    Tensor a = lora.downs().get(1);
    Tensor b = lora.byName().get("base_model.model.model.layers.1.self_attn.o_proj.lora_B.weight");
    int dropped = 0;
    for (int i = 0; i < x.size(); i++) {
      if (read.get(i) == 0) dropped++;
      else assertThat(read.get(i)).isCloseTo(x.get(i) / 0.75, within(1e-12));
    }
    assertThat(dropped).isBetween(N * in / 8, N * in / 2);
    for (int n = 0; n < N; n++)
      for (int c = 0; c < C; c++) {
        double sum = 0;
        for (int k = 0; k < r; k++)
          for (int i = 0; i < in; i++)
            sum += 2 * read.get(n * in + i) * a.get(k * in + i) * b.get(c * r + k);
        assertThat(y.get(n * C + c)).isCloseTo(sum, within(1e-9));
      }
  }
}
