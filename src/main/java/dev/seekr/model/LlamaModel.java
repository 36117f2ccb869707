package dev.seekr.model;

import dev.seekr.Stop;
import dev.seekr.data.Batch;
import dev.seekr.ops.AttentionRows;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.Arrays;

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
  private Stop stop = Stop.NEVER;
  private Lora lora; // null: none
  private Tensor prompts; // [R,C] soft prompts; null: none
  private boolean add; // gradients of weights are added to, in the backward pass under way
  private int[] prompted; // [N] row of the table that stands at each place, -1: a token

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

  /**
   * Who may stop a pass: it is given up between two layers, and what it was to yield is undefined.
   * At first nobody.
   */
  public void stop(Stop stop) {
    this.stop = stop;
  }

  public Stop stop() {
    return stop;
  }

  /**
   * A second model of this shape, with other weights, for inference; who stops this one stops it.
   */
  public LlamaModel like(Weights others) {
    var model = new LlamaModel(config, others, ops, false);
    model.stop(stop);
    return model;
  }

  /** Adapters that take part from now on; null: none. They stay the caller's. */
  public void adapt(Lora adapters) {
    lora = adapters;
  }

  /**
   * Soft prompts that take part from now on: token id -1 - r stands for row r of {@code table}
   * [R,C]; null: none. It stays the caller's.
   */
  public void prompt(Tensor table) {
    prompts = table;
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
    stop.poll();
    int N = tokens.length, longest = 0;
    for (int p : positions) longest = Math.max(longest, p + 1);
    prepare(N, longest, training);
    S = cuSeqlens.length - 1;
    cu = ints(cuSeqlens, batchMemory);
    acts.tokens.copyFrom(Arrays.stream(tokens).map(t -> Math.max(t, -1)).toArray());
    acts.positions.copyFrom(positions);
    ops.embeddingForward(acts.layers[0].x1(), acts.tokens, weights.wte);
    prompted = Arrays.stream(tokens).map(t -> Math.max(-1 - t, -1)).toArray();
    if (Arrays.stream(prompted).allMatch(r -> r < 0)) prompted = null;
    if (prompted != null)
      ops.embeddingForward(acts.layers[0].x1(), ints(prompted, batchMemory), prompts);
  }

  private static Tensor ints(int[] values, Memory memory) {
    Tensor t = memory.allocate("tokens", DType.I32, values.length);
    t.copyFrom(values);
    return t;
  }

  /** One layer; afterwards {@link #qkv}, {@link #lse} and {@link #capture} speak of it. */
  public void forwardLayer(int l) {
    stop.poll();
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
    linear(Lora.Site.QKV, l, a.qkv(), acts.y, w.qkv());
    ops.ropeForward(a.qkv(), acts.positions, rope.cos(), rope.sin(), config.heads());
  }

  /**
   * Everything after attention; leaves what the feed-forward adds to the stream in {@code
   * acts.branch}.
   */
  void attentionOutput(int l) {
    feedForwardInput(l);
    ops.swigluForward(acts.h, acts.layers[l].gu());
    linear(Lora.Site.DOWN, l, acts.branch, acts.h, weights.layer(l).down());
  }

  private void feedForwardInput(int l) {
    var a = acts.layers[l];
    var w = weights.layer(l);
    linear(Lora.Site.O, l, acts.branch, a.o(), w.wo());
    ops.rmsnormForward(acts.y, a.x2(), a.rstd2(), a.x1(), acts.branch, w.ln2(), config.eps());
    linear(Lora.Site.GU, l, a.gu(), acts.y, w.gu());
  }

  private void linear(Lora.Site site, int l, Tensor y, Tensor x, Tensor w) {
    ops.linearForward(y, x, w, false);
    if (lora != null) lora.forward(site, l, y, x);
  }

  /** The final norm. */
  public void finish() {
    Tensor x2 = acts.layers[config.L() - 1].x2();
    ops.rmsnormForward(acts.yf, acts.xf, acts.rstdf, x2, acts.branch, weights.lnf, config.eps());
  }

  /** Losses of the batch last run forward, without gradients. */
  public OutputLoss.Result loss(OutputLoss loss) {
    return output.run(loss, acts.yf, weights.head, null, false, null);
  }

  /**
   * What a backward pass yields beside gradients.
   *
   * @param losses of the output layer
   * @param sensitivity [L][S*NH] sums of squares of dL/dA; null unless asked for
   * @param kl [L][R*H] KL of each distilled row and head; null where a layer has none
   */
  public record Tapped(OutputLoss.Result losses, double[][] sensitivity, double[][] kl) {}

  /**
   * Losses and gradients of the batch last run forward. {@code grads} is added to: of all weights,
   * of the adapters, or of soft prompts alone; null computes none, which suffices for {@link
   * AttentionTap#SENSITIVITY}.
   */
  public Tapped backward(OutputLoss loss, AttentionTap tap, Parameters grads) {
    return backward(loss, tap, grads, true);
  }

  /**
   * The same; what grads held is replaced unless {@code add}: nothing need be zeroed that is then
   * only added to.
   */
  public Tapped backward(OutputLoss loss, AttentionTap tap, Parameters grads, boolean add) {
    if (acts.keep == Activations.Keep.NOTHING)
      throw new IllegalStateException("the forward pass kept nothing");
    Weights full = grads instanceof Weights all ? all : null;
    Lora low = grads instanceof Lora adapters ? adapters : null;
    PromptParameters soft = grads instanceof PromptParameters rows ? rows : null;
    this.add = add;
    if (full != null && !add) full.zeroSums(ops);
    else if (grads != null && !add) ops.zero(grads.flat());
    Tensor dhead = full == null ? null : full.head;
    var result = output.run(loss, acts.yf, weights.head, dhead, add, acts.dy);
    ops.zero(acts.dx);
    ops.rmsnormBackward(
        acts.dx, full == null ? null : full.lnf, acts.dy, acts.xf, acts.rstdf, weights.lnf);
    var tapped = new Tapped(result, new double[config.L()][], new double[config.L()][]);
    for (int l = config.L() - 1; l >= 0; l--) {
      stop.poll();
      Weights.Layer g = full == null ? null : full.layer(l);
      backwardLayer(l, tap, tapped, g, low, l > 0 || soft != null);
    }
    if (full != null) ops.embeddingBackward(full.wte, acts.tokens, acts.dx);
    if (soft != null && prompted != null) promptBackward(soft);
    return tap.sensitivity() ? tapped : new Tapped(result, null, tapped.kl);
  }

  /** Of the table's rows, those that are trained. */
  private void promptBackward(PromptParameters grads) {
    long R = grads.rows().dim(0);
    int[] trained =
        Arrays.stream(prompted)
            .map(r -> r < grads.first || r >= grads.first + R ? -1 : r - grads.first)
            .toArray();
    ops.embeddingBackward(grads.rows(), ints(trained, batchMemory), acts.dx);
  }

  /** {@code below}: what lies below this layer's input learns, even if its norm does not. */
  private void backwardLayer(
      int l, AttentionTap tap, Tapped tapped, Weights.Layer g, Lora low, boolean below) {
    var a = acts.layers[l];
    var w = weights.layer(l);
    boolean learns = g != null || low != null;
    if (acts.keep == Activations.Keep.INPUTS) recompute(l);
    Tensor dx = acts.dx, dy = acts.dy, y = acts.y, dh = acts.h;

    // x = x2 + swiglu(gu) Wdown^T
    linearBackwardInput(Lora.Site.DOWN, l, dh, dx, w.down());
    ops.swigluBackward(acts.dgu, dh, a.gu());
    Tensor h = dh;
    linearBackwardWeight(Lora.Site.DOWN, l, g == null ? null : g.down(), low, dx, h);
    // gu = norm(x2) Wgu^T
    linearBackwardInput(Lora.Site.GU, l, dy, acts.dgu, w.gu());
    if (learns) {
      ops.rmsnormForward(y, null, a.rstd2(), a.x2(), null, w.ln2(), config.eps());
      linearBackwardWeight(Lora.Site.GU, l, g == null ? null : g.gu(), low, acts.dgu, y);
    }
    ops.rmsnormBackward(dx, g == null ? null : g.ln2(), dy, a.x2(), a.rstd2(), w.ln2());

    // x2 = x1 + o Wo^T
    linearBackwardInput(Lora.Site.O, l, acts.dout, dx, w.wo());
    linearBackwardWeight(Lora.Site.O, l, g == null ? null : g.wo(), low, dx, a.o());
    attentionBackward(l, tap, tapped);
    ops.ropeBackward(acts.dqkv, acts.positions, rope.cos(), rope.sin(), config.heads());
    // qkv = norm(x1) Wqkv^T
    if (learns) {
      ops.rmsnormForward(y, null, a.rstd1(), a.x1(), null, w.ln1(), config.eps());
      linearBackwardWeight(Lora.Site.QKV, l, g == null ? null : g.qkv(), low, acts.dqkv, y);
    }
    if (g == null && !below) return;
    linearBackwardInput(Lora.Site.QKV, l, dy, acts.dqkv, w.qkv());
    ops.rmsnormBackward(dx, g == null ? null : g.ln1(), dy, a.x1(), a.rstd1(), w.ln1());
  }

  private void linearBackwardInput(Lora.Site site, int l, Tensor dx, Tensor dy, Tensor w) {
    ops.linearBackwardInput(dx, dy, w, false);
    if (lora != null) lora.backwardInput(site, l, dx, dy);
  }

  private void linearBackwardWeight(
      Lora.Site site, int l, Tensor dw, Lora low, Tensor dy, Tensor x) {
    if (dw != null) ops.linearBackwardWeight(dw, dy, x, add);
    if (low != null) lora.backwardWeight(site, l, low, dy, x);
  }

  private void attentionBackward(int l, AttentionTap tap, Tapped tapped) {
    var a = acts.layers[l];
    AttentionRows rows = tap.rows(l);
    try (var step = new Memory("taps")) {
      Tensor sens =
          !tap.sensitivity() ? null : step.allocate("taps", DType.F64, S, config.heads().NH());
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
          tap.eps());
      if (sens != null) tapped.sensitivity[l] = sens.toDoubles();
      if (kl != null) tapped.kl[l] = kl.toDoubles();
    }
  }

  /** Fills layer l's shared buffers again from its kept input. */
  private void recompute(int l) {
    var a = acts.layers[l];
    var w = weights.layer(l);
    ops.rmsnormForward(acts.y, null, a.rstd1(), a.x1(), null, w.ln1(), config.eps());
    linear(Lora.Site.QKV, l, a.qkv(), acts.y, w.qkv());
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
