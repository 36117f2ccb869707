package dev.seekr.method;

import dev.seekr.data.ReplayBuffer;
import dev.seekr.data.ReplayBuffer.Signals;
import dev.seekr.data.Sample;
import dev.seekr.data.SampledQueries;
import dev.seekr.model.AttentionTap;
import dev.seekr.model.OutputLoss;
import dev.seekr.ops.Ops;
import dev.seekr.ops.Queries;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Turns the stored signals of replayed samples, all of one buffer, into what the model's losses
 * read.
 */
public final class Distillation {
  private Distillation() {}

  /**
   * Labels weighted wNll and stored logits weighted wDistill, each per row. Rows are all that
   * either needs: answer_start - 1 to the last but one for labels, those of the buffer's logits for
   * the teacher.
   *
   * @param shift the buffer's first row of logits, see {@link ReplayBuffer#logitsShift}
   * @param memory that of the result; the teacher lies where {@code ops} read it
   */
  public static OutputLoss output(
      List<? extends Signals> entries,
      int shift,
      double wNll,
      double wDistill,
      Ops.Distance distance,
      Ops ops,
      Memory memory) {
    int extra = shift + 1;
    int targets = entries.stream().mapToInt(e -> e.sample().targets()).sum();
    int R = targets + extra * entries.size();
    int[] rows = new int[R], target = new int[R], teacherRow = new int[R];
    float[] nll = new float[R], distill = new float[R];
    Signals first = entries.getFirst();
    Tensor teacher = ops.allocate(memory, "teacher logits", first.logitsType(), targets, first.V());
    int r = 0, start = 0, stored = 0;
    for (Signals entry : entries) {
      Sample sample = entry.sample();
      int answer = sample.answerStart(), n = sample.length();
      for (int t = answer - 1; t < n - 1 + extra; t++, r++) {
        rows[r] = start + t;
        boolean label = t < n - 1, taught = t >= answer + shift;
        target[r] = label ? sample.token(t + 1) : -1;
        nll[r] = label ? (float) wNll : 0;
        teacherRow[r] = taught ? stored + t - answer - shift : -1;
        distill[r] = taught ? (float) wDistill : 0;
      }
      entry.logits(teacher.rows(stored, stored + sample.targets()));
      stored += sample.targets();
      start += n;
    }
    return new OutputLoss(rows, target, nll, teacher, teacherRow, distill, distance, 1);
  }

  /**
   * Labels weighted {@code nll} and stored logits weighted {@code distill}, each a mean over rows.
   */
  static Objective labelsAndLogits(
      List<Replayed> replayed,
      double nll,
      double distill,
      Ops.Distance distance,
      Step step,
      Ops ops) {
    double wNll = nll * step.replayedToken(), wDistill = distill * step.replayedToken();
    int targets = Replayed.targets(replayed), shift = replayed.getFirst().buffer().logitsShift();
    var memory = new Memory("objective");
    OutputLoss output;
    try (var stored = Replayed.open(replayed)) {
      output = output(stored.signals(), shift, wNll, wDistill, distance, ops, memory);
    }
    return new Objective(
        Replayed.batch(replayed),
        output,
        AttentionTap.NONE,
        memory,
        (tapped, losses) -> book(tapped.losses(), targets, wNll, wDistill, losses));
  }

  /** Books both losses of {@link #output}. */
  static void book(
      OutputLoss.Result result, int targets, double wNll, double wDistill, Losses losses) {
    losses.add("replay", result.nllSum(), targets, wNll);
    losses.add("logits", result.distillSum(), targets, wDistill);
  }

  /**
   * Stored attention rows of each layer (null where a layer has none), weighted {@code scale} times
   * their share in the mean over rows of a layer and over layers.
   *
   * @param heads the buffer's, by layer
   */
  public static Taught attention(
      int[][] heads, List<? extends Signals> entries, double scale, Ops ops, Memory memory) {
    List<SampledQueries> queries = new ArrayList<>();
    for (Signals entry : entries) queries.add(entry.queries());
    var layout = new PackedQueries(queries, ops, memory);
    var rows = new Queries[heads.length];
    var weights = new float[heads.length][];
    double perLayer = scale / layers(heads);
    for (int l = 0; l < heads.length; l++) {
      if (heads[l].length == 0) continue;
      long entriesOfLayer = heads[l].length * layout.entries();
      Tensor p = ops.allocate(memory, "teacher rows", ops.wide(), entriesOfLayer);
      long from = 0;
      int layer = l, H = heads[l].length;
      for (float[] values :
          entries.parallelStream().map(e -> distributions(e, layer, H)).toList()) {
        p.view(from, values.length).copyFrom(values);
        from += values.length;
      }
      rows[l] = layout.layer(heads[l], perLayer, p);
      weights[l] = layout.weights(heads[l].length, perLayer);
    }
    return new Taught(rows, weights);
  }

  /** Layers that have selected heads. */
  public static int layers(int[][] heads) {
    int n = 0;
    for (int[] h : heads) if (h.length > 0) n++;
    return n;
  }

  /**
   * [H * entries] rows of layer l. Half precision rounds a row's sum away from 1; a distribution is
   * what is distilled.
   */
  private static float[] distributions(Signals entry, int l, int H) {
    float[] values = entry.rows(l);
    if (entry.rowsType(l) == DType.F16) renormalise(values, entry.queries(), H);
    return values;
  }

  private static void renormalise(float[] values, SampledQueries queries, int H) {
    int i = 0;
    for (int pos : queries.pos()) {
      for (int h = 0; h < H; h++, i += pos + 1) {
        double sum = 0;
        for (int j = 0; j <= pos; j++) sum += values[i + j];
        for (int j = 0; j <= pos; j++) values[i + j] = (float) (values[i + j] / sum);
      }
    }
  }

  /**
   * Stored attention rows as a backward pass is taught them.
   *
   * @param queries by layer, null where a layer has none
   * @param weights [R] of each layer's rows, as queries.weight has them on the device
   */
  public record Taught(Queries[] queries, float[][] weights) {
    /**
     * Weighted KL of a pass: sum over layers, rows and heads of weight times KL. Divided by {@code
     * scale} of {@link #attention} it is the sum over samples of L_ad as reduced there.
     *
     * @param kl [L][R*H] as the pass answered
     */
    public double weighted(double[][] kl) {
      double sum = 0;
      for (int l = 0; l < queries.length; l++) {
        if (queries[l] == null) continue;
        for (int i = 0; i < kl[l].length; i++) sum += weights[l][i / queries[l].H()] * kl[l][i];
      }
      return sum;
    }
  }
}
