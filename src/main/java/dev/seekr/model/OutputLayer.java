package dev.seekr.model;

import dev.seekr.ops.LossRows;
import dev.seekr.ops.Ops;
import dev.seekr.ops.Product;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.Arrays;

/**
 * The output layer fused with its loss: logits exist for a chunk of label rows at a time and turn
 * into their own gradient, so that no [tokens, vocabulary] matrix is ever held.
 *
 * <pre>
 *   logits [c,V] = x[rows] head^T      dx[rows] = dlogits head      dhead += dlogits^T x[rows]
 * </pre>
 */
final class OutputLayer implements AutoCloseable {
  private final Ops ops;
  private final Memory memory = new Memory("output layer");
  private final Tensor logits; // [chunk,V]
  private final int chunk;

  OutputLayer(LlamaConfig config, Ops ops) {
    this.ops = ops;
    this.chunk = ops.logitRows(config.V());
    this.logits = ops.allocate(memory, "logits", chunk, config.V());
  }

  /**
   * Losses of {@code loss.rows()} of x [N,C]. With dx [N,C] not null also the gradient: dx is
   * overwritten, dhead [V,C] added to where {@code add}, else overwritten too (null: not wanted).
   */
  OutputLoss.Result run(
      OutputLoss loss, Tensor x, Tensor head, Tensor dhead, boolean add, Tensor dx) {
    int R = loss.R();
    long C = x.dim(1), V = head.dim(0);
    try (var step = new Memory("output rows")) {
      Tensor rows = ints(step, loss.rows()), target = ints(step, loss.target());
      Tensor teacherRow = ints(step, loss.teacherRow());
      Tensor wNll = floats(step, loss.wNll()), wDistill = floats(step, loss.wDistill());
      Tensor nll = step.allocate("losses", DType.F64, R),
          distill = step.allocate("losses", DType.F64, R);
      Tensor xr = ops.allocate(step, "rows", R, C);
      Tensor dxr = dx == null ? null : ops.allocate(step, "rows", R, C);
      // At a temperature, what is distilled takes products of its own: logits and gradients over T.
      boolean warm = loss.teacher() != null && loss.temperature() != 1;
      float cool = (float) (1 / loss.temperature());
      Tensor none = warm ? step.allocate("losses", DType.F64, R) : null;
      int[] noLabel = new int[R];
      Arrays.fill(noLabel, -1);
      Tensor unlabelled = warm ? ints(step, noLabel) : null;
      if (R == 0 && dhead != null && !add) ops.zero(dhead);
      ops.gather(xr, x, rows);
      for (int r = 0; r < R; r += chunk) {
        int end = Math.min(R, r + chunk);
        Tensor z = logits.view(0, end - r, V);
        ops.linearForward(z, xr.rows(r, end), head, false);
        ops.loss(
            new LossRows(
                nll.rows(r, end),
                distill.rows(r, end),
                z,
                target.rows(r, end),
                wNll.rows(r, end),
                warm ? null : loss.teacher(),
                teacherRow.rows(r, end),
                wDistill.rows(r, end),
                loss.distance(),
                dx != null));
        if (dx != null) {
          ops.linearBackwardInput(dxr.rows(r, end), z, head, false);
          if (dhead != null) ops.linearBackwardWeight(dhead, z, xr.rows(r, end), add || r > 0);
        }
        if (!warm) continue;
        ops.matmul(new Product(z, xr.rows(r, end), head, false, true, cool, false));
        ops.loss(
            new LossRows(
                none.rows(r, end),
                distill.rows(r, end),
                z,
                unlabelled.rows(r, end),
                wNll.rows(r, end),
                loss.teacher(),
                teacherRow.rows(r, end),
                wDistill.rows(r, end),
                loss.distance(),
                dx != null));
        if (dx == null) continue;
        ops.matmul(new Product(dxr.rows(r, end), z, head, false, false, cool, true));
        if (dhead != null)
          ops.matmul(new Product(dhead, z, xr.rows(r, end), true, false, cool, true));
      }
      if (dx != null) ops.scatter(dx, dxr, rows);
      return new OutputLoss.Result(nll.toDoubles(), distill.toDoubles());
    }
  }

  /** Logits of some rows of x [N,C], written to out [R,V] of any floating type. */
  void logits(Tensor out, int[] packedRows, Tensor x, Tensor head) {
    int R = packedRows.length;
    try (var step = new Memory("output rows")) {
      Tensor xr = ops.allocate(step, "rows", R, x.dim(1));
      ops.gather(xr, x, ints(step, packedRows));
      for (int r = 0; r < R; r += chunk) {
        int end = Math.min(R, r + chunk);
        Tensor z = logits.view(0, end - r, head.dim(0));
        ops.linearForward(z, xr.rows(r, end), head, false);
        out.rows(r, end).copyFrom(z);
      }
    }
  }

  /** Log-likelihood and rank of a target [R] beside each of some rows of x [N,C]. */
  Targets targets(int[] packedRows, int[] targets, Tensor x, Tensor head) {
    int R = packedRows.length;
    boolean[] best = new boolean[R];
    try (var step = new Memory("output rows")) {
      Tensor xr = ops.allocate(step, "rows", R, x.dim(1));
      Tensor nll = step.allocate("losses", DType.F64, R), target = ints(step, targets);
      ops.gather(xr, x, ints(step, packedRows));
      for (int r = 0; r < R; r += chunk) {
        int end = Math.min(R, r + chunk);
        Tensor z = logits.view(0, end - r, head.dim(0));
        ops.linearForward(z, xr.rows(r, end), head, false);
        ops.loss(
            new LossRows(
                nll.rows(r, end),
                null,
                z,
                target.rows(r, end),
                null,
                null,
                null,
                null,
                Ops.Distance.KL,
                false));
        for (int i = r; i < end; i++) best[i] = largest(z.rows(i - r, i - r + 1), targets[i]);
      }
      return new Targets(Arrays.stream(nll.toDoubles()).map(v -> -v).toArray(), best);
    }
  }

  /**
   * Whether no number of z [1,V] is larger than that at {@code at}, and none as large before it.
   */
  private static boolean largest(Tensor z, int at) {
    float[] values = z.toFloats();
    for (int i = 0; i < values.length; i++)
      if (values[i] > values[at] || i < at && values[i] == values[at]) return false;
    return true;
  }

  private static Tensor ints(Memory memory, int[] values) {
    Tensor t = memory.allocate("rows", DType.I32, values.length);
    t.copyFrom(values);
    return t;
  }

  private Tensor floats(Memory memory, float[] values) {
    Tensor t = ops.allocate(memory, "rows", ops.wide(), values.length);
    t.copyFrom(values);
    return t;
  }

  @Override
  public void close() {
    memory.close();
  }
}
