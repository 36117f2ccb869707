package dev.seekr.model;

import dev.seekr.data.Batch;
import dev.seekr.ops.AttentionRows;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;

/**
 * A LLaMA over packed sequences. {@link #forward} and {@link #backward} read in execution order;
 * shapes as in {@link Weights} and {@link Activations}. Layer by layer, with x the residual stream
 * [N,C]:
 *
 * <pre>
 *   x1 = x                          qkv = rope(norm(x1) Wqkv^T)      o = attention(qkv)
 *   x2 = x1 + o Wo^T                gu = norm(x2) Wgu^T              x  = x2 + swiglu(gu) Wdown^T
 * </pre>
 */
public final class LlamaModel implements AutoCloseable {
  public final LlamaConfig config;
  public final Weights weights;
  private final Ops ops;
  private final boolean recompute;
  private final OutputLayer output;
  private final Memory ropeMemory = new Memory("rope");
  private Rope.Table rope;
  private Activations acts;
  private Memory batchMemory;
  private Tensor cu; // [S+1] I32
  private int S;

  /**
   * {@code recompute}: keep only each layer's input, and compute the rest again in the backward
   * pass.
   */
  public LlamaModel(LlamaConfig config, Weights weights, Ops ops, boolean recompute) {
    this.config = config;
    this.weights = weights;
    this.ops = ops;
    this.recompute = recompute;
    this.output = new OutputLayer(config, ops);
  }

  public Ops ops() {
    return ops;
  }

  /** Runs the batch through all layers and keeps what {@link #backward} needs. */
  public void forward(Batch batch) {
    begin(batch, true);
    for (int l = 0; l < config.L(); l++) forwardLayer(l);
    finish();
  }

  /**
   * Starts a forward pass: embeds the tokens. Follow with {@link #forwardLayer} for each layer,
   * then {@link #finish}.
   */
  public void begin(Batch batch, boolean training) {
    begin(batch.tokens(), batch.positions(), batch.cuSeqlens(), training);
  }

  void begin(int[] tokens, int[] positions, int[] cuSeqlens, boolean training) {
    int N = tokens.length, longest = 0;
    for (int p : positions) longest = Math.max(longest, p + 1);
    prepare(N, longest, training);
    S = cuSeqlens.length - 1;
    cu = batchMemory.allocate("tokens", DType.I32, S + 1);
    cu.copyFrom(cuSeqlens);
    acts.tokens.copyFrom(tokens);
    acts.positions.copyFrom(positions);
    ops.embeddingForward(acts.layers[0].x1(), acts.tokens, weights.wte);
  }

  /** One layer; afterwards {@link #qkv}, {@link #lse} and {@link #capture} speak of it. */
  public void forwardLayer(int l) {
    attentionInput(l);
    ops.attentionForward(
        acts.layers[l].o(), acts.layers[l].lse(), acts.layers[l].qkv(), cu, config.heads());
    attentionOutput(l);
  }

  /**
   * Everything before attention: norm, projection, rotation. The residual stream of layers after
   * the first gains its branch.
   */
  void attentionInput(int l) {
    var a = acts.layers[l];
    var w = weights.layer(l);
    Tensor stream = l == 0 ? a.x1() : acts.layers[l - 1].x2();
    ops.rmsnormForward(
        acts.y, a.x1(), a.rstd1(), stream, l == 0 ? null : acts.branch, w.ln1(), config.eps());
    ops.linearForward(a.qkv(), acts.y, w.qkv(), false);
    ops.ropeForward(a.qkv(), acts.positions, rope.cos(), rope.sin(), config.heads());
  }

  /**
   * Everything after attention; leaves what the feed-forward adds to the stream in {@code
   * acts.branch}.
   */
  void attentionOutput(int l) {
    feedForwardInput(l);
    ops.swigluForward(acts.h, acts.layers[l].gu());
    ops.linearForward(acts.branch, acts.h, weights.layer(l).down(), false);
  }

  private void feedForwardInput(int l) {
    var a = acts.layers[l];
    var w = weights.layer(l);
    ops.linearForward(acts.branch, a.o(), w.wo(), false);
    ops.rmsnormForward(acts.y, a.x2(), a.rstd2(), a.x1(), acts.branch, w.ln2(), config.eps());
    ops.linearForward(a.gu(), acts.y, w.gu(), false);
  }

  /** The final norm. */
  public void finish() {
    Tensor x2 = acts.layers[config.L() - 1].x2();
    ops.rmsnormForward(acts.yf, acts.xf, acts.rstdf, x2, acts.branch, weights.lnf, config.eps());
  }

  /** Losses of the batch last run forward, without gradients. */
  public OutputLoss.Result loss(OutputLoss loss) {
    return output.run(loss, acts.yf, weights.head, null, null);
  }

  /**
   * Losses and gradients of the batch last run forward. {@code grads} is added to; null computes no
   * weight gradients, which suffices for {@link AttentionTap#sensitivity}.
   */
  public OutputLoss.Result backward(OutputLoss loss, AttentionTap tap, Weights grads) {
    if (acts.keep == Activations.Keep.NOTHING)
      throw new IllegalStateException("the forward pass kept nothing");
    var result =
        output.run(loss, acts.yf, weights.head, grads == null ? null : grads.head, acts.dy);
    ops.zero(acts.dx);
    ops.rmsnormBackward(
        acts.dx, grads == null ? null : grads.lnf, acts.dy, acts.xf, acts.rstdf, weights.lnf);
    for (int l = config.L() - 1; l >= 0; l--)
      backwardLayer(l, tap, grads == null ? null : grads.layer(l));
    if (grads != null) ops.embeddingBackward(grads.wte, acts.tokens, acts.dx);
    return result;
  }

  private void backwardLayer(int l, AttentionTap tap, Weights.Layer g) {
    var a = acts.layers[l];
    var w = weights.layer(l);
    if (acts.keep == Activations.Keep.INPUTS) recompute(l);
    Tensor dx = acts.dx, dy = acts.dy, y = acts.y, dh = acts.h;

    // x = x2 + swiglu(gu) Wdown^T
    ops.linearBackwardInput(dh, dx, w.down(), false);
    ops.swigluBackward(acts.dgu, dh, a.gu());
    Tensor h = dh;
    if (g != null) ops.linearBackwardWeight(g.down(), dx, h);
    // gu = norm(x2) Wgu^T
    ops.linearBackwardInput(dy, acts.dgu, w.gu(), false);
    if (g != null) {
      ops.rmsnormForward(y, null, a.rstd2(), a.x2(), null, w.ln2(), config.eps());
      ops.linearBackwardWeight(g.gu(), acts.dgu, y);
    }
    ops.rmsnormBackward(dx, g == null ? null : g.ln2(), dy, a.x2(), a.rstd2(), w.ln2());

    // x2 = x1 + o Wo^T
    ops.linearBackwardInput(acts.dout, dx, w.wo(), false);
    if (g != null) ops.linearBackwardWeight(g.wo(), dx, a.o());
    attentionBackward(l, tap);
    ops.ropeBackward(acts.dqkv, acts.positions, rope.cos(), rope.sin(), config.heads());
    // qkv = norm(x1) Wqkv^T
    ops.linearBackwardInput(dy, acts.dqkv, w.qkv(), false);
    if (g != null) {
      ops.rmsnormForward(y, null, a.rstd1(), a.x1(), null, w.ln1(), config.eps());
      ops.linearBackwardWeight(g.qkv(), acts.dqkv, y);
    }
    ops.rmsnormBackward(dx, g == null ? null : g.ln1(), dy, a.x1(), a.rstd1(), w.ln1());
  }

  private void attentionBackward(int l, AttentionTap tap) {
    var a = acts.layers[l];
    AttentionRows rows = tap.rows[l];
    try (var step = new Memory("taps")) {
      Tensor sens =
          tap.sensitivity == null ? null : step.allocate("taps", DType.F64, S, config.heads().NH());
      Tensor kl = rows == null ? null : step.allocate("taps", DType.F64, rows.R(), rows.H());
      ops.attentionBackward(
          acts.dqkv,
          sens,
          kl,
          acts.dout,
          a.qkv(),
          a.o(),
          a.lse(),
          cu,
          config.heads(),
          rows,
          tap.eps);
      if (sens != null) tap.sensitivity[l] = sens.toDoubles();
      if (kl != null) tap.kl[l] = kl.toDoubles();
    }
  }

  /** Fills layer l's shared buffers again from its kept input. */
  private void recompute(int l) {
    var a = acts.layers[l];
    var w = weights.layer(l);
    ops.rmsnormForward(acts.y, null, a.rstd1(), a.x1(), null, w.ln1(), config.eps());
    ops.linearForward(a.qkv(), acts.y, w.qkv(), false);
    ops.ropeForward(a.qkv(), acts.positions, rope.cos(), rope.sin(), config.heads());
    ops.attentionForward(a.o(), a.lse(), a.qkv(), cu, config.heads());
    feedForwardInput(l);
  }

  /** Writes the sampled attention rows of layer l, the one last run forward, into rows.p(). */
  public void capture(int l, AttentionRows rows) {
    ops.attentionCapture(rows, qkv(l), lse(l), cu, config.heads());
  }

  /**
   * Rotated queries, keys and values of layer l [N, (NH+2NKV) HS]; valid until the next layer runs
   * unless it was kept.
   */
  public Tensor qkv(int l) {
    return acts.layers[l].qkv();
  }

  /** Log-sum-exp of layer l's attention scores [N,NH]; valid as long as {@link #qkv}. */
  public Tensor lse(int l) {
    return acts.layers[l].lse();
  }

  /** [S+1] I32 sequence bounds of the batch last begun. */
  public Tensor cu() {
    return cu;
  }

  /** Logits of packed rows of the batch last run forward, converted into out [R,V]. */
  public void logits(Tensor out, int... rows) {
    output.logits(out, rows, acts.yf, weights.head);
  }

  Activations activations() {
    return acts;
  }

  private void prepare(int N, int longest, boolean training) {
    var keep =
        !training
            ? Activations.Keep.NOTHING
            : recompute ? Activations.Keep.INPUTS : Activations.Keep.ALL;
    boolean enough = acts != null && acts.capacity >= N && acts.keep.compareTo(keep) >= 0;
    // A batch without a backward pass may use larger buffers, but never hold ones that keep less
    // than it needs.
    if (!enough) {
      int capacity = Math.max(N, acts == null ? 0 : acts.capacity);
      if (acts != null) acts.close();
      acts = new Activations(config, ops, keep, capacity);
    }
    acts.fit(N);
    if (rope == null || rope.cos().dim(0) < longest) {
      rope =
          config
              .rope()
              .table(
                  Math.max(longest, Math.min(2 * longest, config.maxPositions())), ops, ropeMemory);
    }
    if (batchMemory != null) batchMemory.close();
    batchMemory = new Memory("batch");
  }

  /** Frees the activations; the next batch allocates them again. */
  public void release() {
    if (acts != null) acts.close();
    acts = null;
  }

  @Override
  public void close() {
    release();
    if (batchMemory != null) batchMemory.close();
    ropeMemory.close();
    output.close();
  }
}
