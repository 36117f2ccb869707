package dev.seekr.method;

import dev.seekr.data.SampledQueries;
import dev.seekr.ops.Ops;
import dev.seekr.ops.Queries;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * Lays out the sampled queries of a batch as the attention kernels read them; see {@link Queries}.
 * The layout is the same for all layers, which differ in their heads and probabilities.
 */
public final class PackedQueries {
  private final Memory memory;
  private final Ops ops;
  private final List<SampledQueries> queries;
  private final int R;
  private final Tensor rowStart, pos, prefix;

  /** queries: of each sequence of the batch. */
  public PackedQueries(List<SampledQueries> queries, Ops ops, Memory memory) {
    this.queries = queries;
    this.ops = ops;
    this.memory = memory;
    this.R = queries.stream().mapToInt(q -> q.pos().length).sum();
    rowStart = memory.allocate("rows", DType.I32, queries.size() + 1);
    pos = memory.allocate("rows", DType.I32, R);
    prefix = memory.allocate("rows", DType.I64, R);
    int r = 0;
    long entries = 0;
    for (int s = 0; s < queries.size(); s++) {
      for (int p : queries.get(s).pos()) {
        pos.set(r, p);
        prefix.set(r++, entries);
        entries += p + 1;
      }
      rowStart.set(s + 1, r);
    }
  }

  /** Entries of one head over all sampled rows of the batch. */
  public long entries() {
    return queries.stream().mapToLong(SampledQueries::entries).sum();
  }

  /**
   * Rows of one layer; row i of sequence s weighs {@code scale} times its multiplicity, divided by
   * the rows of its layer and sample: |heads| B_T.
   *
   * @param p [H * entries()] attention probabilities, read or written by the kernel; null where
   *     none are looked at
   */
  public Queries layer(int[] heads, double scale, Tensor p) {
    Tensor h = memory.allocate("rows", DType.I32, heads.length);
    h.copyFrom(heads);
    Tensor weight = device(weights(heads.length, scale));
    return new Queries(h, rowStart, pos, prefix, weight, p == null ? floats(0) : p);
  }

  /** [R] what rows of a layer of H heads weigh there. */
  float[] weights(int H, double scale) {
    double perHead = scale / Math.max(1, H);
    return weights(q -> perHead / q.budget());
  }

  /** Rows for comparing two models: every row weighs its multiplicity, all heads are looked at. */
  Queries counted() {
    Tensor none = memory.allocate("rows", DType.I32, 0);
    return new Queries(none, rowStart, pos, prefix, device(weights(_ -> 1)), floats(0));
  }

  /** [R] each row's multiplicity times what {@code each} says of its sequence. */
  private float[] weights(ToDoubleFunction<SampledQueries> each) {
    float[] values = new float[R];
    int r = 0;
    for (SampledQueries q : queries)
      for (int count : q.count()) values[r++] = (float) (each.applyAsDouble(q) * count);
    return values;
  }

  private Tensor device(float[] values) {
    Tensor t = floats(values.length);
    t.copyFrom(values);
    return t;
  }

  private Tensor floats(long n) {
    return ops.allocate(memory, "rows", ops.wide(), n);
  }
}
