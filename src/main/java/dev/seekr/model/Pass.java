package dev.seekr.model;

import dev.seekr.ops.Attention;
import dev.seekr.ops.AttentionGradient;
import dev.seekr.ops.AttentionRows;
import dev.seekr.ops.Ops;
import dev.seekr.ops.Ops.Heads;
import dev.seekr.ops.Queries;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;

/**
 * A pass of packed sequences through a LLaMA; it reads in the order in which it runs. Layer by
 * layer, with x the residual stream [N,C]; shapes as in {@link Weights} and {@link Activations}:
 *
 * <pre>
 *   x1 = x                          qkv = rope(norm(x1) Wqkv^T)      o = attention(qkv)
 *   x2 = x1 + o Wo^T                gu = norm(x2) Wgu^T              x  = x2 + swiglu(gu) Wdown^T
 * </pre>
 *
 * <p>What is defined here, in order:
 *
 * <pre>
 *   embed                                          tokens and soft prompts become x
 *   layer: attentionInput, attentionOutput         one layer forward
 *   attention, capture                             what it attended to
 *   finish, loss, logits                           the final norm and the output layer
 *   backward: backwardLayer, recompute             all of it in reverse, with taps
 *   linear, headNorms                              what layers are made of, forward beside backward
 * </pre>
 */
public final class Pass {
  private final LlamaModel model;
  private final LlamaConfig config;
  private final Weights weights;
  private final Ops ops;
  private final Adapters adapters;
  private final Activations acts;
  private final Rope.Table rope;
  private final Memory memory; // as long as the pass
  private final Tensor cu; // [S+1] I32
  private final int[] prompted; // [N] row of the soft prompts at each place, -1: a token; or null
  private final Dropout.Masks masks; // of what the trained adapters read
  private final HeadRows headRows; // null where no layer normalises heads
  private final Grafted grafted; // null: attention is the model's own
  private int at = -1; // the layer last projected
  private final Tensor zeros; // [N] I32, which is where biases are taken from; null: there are none

  /** {@code other}: pass of the model whose attention is grafted, over the same tokens; or null. */
  Pass(
      LlamaModel model,
      Activations acts,
      Rope.Table rope,
      int[] tokens,
      Tensor cu,
      Memory memory,
      Pass other) {
    this.model = model;
    this.config = model.config;
    this.weights = model.weights;
    this.ops = model.ops();
    this.adapters = model.adapters;
    this.acts = acts;
    this.rope = rope;
    this.memory = memory;
    this.cu = cu;
    int[] rows = Arrays.stream(tokens).map(t -> Math.max(-1 - t, -1)).toArray();
    prompted = Arrays.stream(rows).allMatch(r -> r < 0) ? null : rows;
    boolean norms = config.forms().stream().anyMatch(LayerForm::qkNorm);
    boolean biases = config.forms().stream().anyMatch(LayerForm::qkvBias);
    masks = adapters.dropout().masks(ops, tokens, cu.toInts(), memory);
    headRows = norms ? new HeadRows(tokens.length) : null;
    zeros = biases ? ints(new int[tokens.length]) : null;
    grafted =
        other == null ? null : new Grafted(model.graft(), other, model, tokens.length, memory);
    embed(tokens);
  }

  private Tensor ints(int[] values) {
    Tensor t = memory.allocate("tokens", DType.I32, values.length);
    t.copyFrom(values);
    return t;
  }

  private void embed(int[] tokens) {
    acts.tokens.copyFrom(Arrays.stream(tokens).map(t -> Math.max(t, -1)).toArray());
    ops.gather(acts.layers[0].x1(), weights.wte, acts.tokens);
    if (prompted != null) ops.gather(acts.layers[0].x1(), adapters.prompts(), ints(prompted));
  }

  /** All layers and the final norm. */
  public Pass all() {
    for (int l = 0; l < config.L(); l++) layer(l);
    finish();
    return this;
  }

  /** One layer, in order; afterwards {@link #attention} and {@link #capture} speak of it. */
  public void layer(int l) {
    if (grafted != null) grafted.other.layer(l);
    attentionInput(l);
    ops.attentionForward(attention(l));
    attentionOutput(l);
  }

  /**
   * Everything before attention: norm, projection, rotation. The residual stream of layers after
   * the first gains its branch. A pass whose attention is grafted has run the layer before.
   */
  void attentionInput(int l) {
    model.check(this);
    if (grafted != null && grafted.other.at != l)
      throw new IllegalStateException("the grafted model has not run layer " + l);
    var a = acts.layers[l];
    Tensor stream = l == 0 ? a.x1() : acts.layers[l - 1].x2();
    Tensor branch = l == 0 ? null : acts.branch;
    Tensor ln1 = weights.layer(l).ln1();
    ops.rmsnormForward(acts.y, a.x1(), a.rstd1(), stream, branch, ln1, config.eps());
    projections(l);
    at = l;
    if (grafted != null) grafted.put(l, acts.layers[l].qkv());
  }

  /** Rows of layer l as this model projects them, whatever is grafted. */
  Tensor projected(int l) {
    return acts.layers[l].qkv();
  }

  /** The pass of the model whose attention is grafted; null: none is. */
  Pass other() {
    return grafted == null ? null : grafted.other;
  }

  /** Queries, keys and values of the norm's output, ready for attention. */
  private void projections(int l) {
    var a = acts.layers[l];
    var w = weights.layer(l);
    var form = config.form(l);
    linear(Lora.Site.QKV, l, a.qkv(), acts.y, w.qkv(), w.bias());
    if (form.qkNorm()) headNorms(a, w);
    if (form.rope())
      ops.ropeForward(a.qkv(), acts.positions, rope.cos(), rope.sin(), config.heads());
  }

  /** Everything after attention; leaves what the feed-forward adds to the stream in acts.branch. */
  void attentionOutput(int l) {
    feedForwardInput(l);
    ops.swigluForward(acts.h, acts.layers[l].gu());
    linear(Lora.Site.DOWN, l, acts.branch, acts.h, weights.layer(l).down(), null);
  }

  private void feedForwardInput(int l) {
    var a = acts.layers[l];
    var w = weights.layer(l);
    linear(Lora.Site.O, l, acts.branch, a.o(), w.wo(), null);
    ops.rmsnormForward(acts.y, a.x2(), a.rstd2(), a.x1(), acts.branch, w.ln2(), config.eps());
    linear(Lora.Site.GU, l, a.gu(), acts.y, w.gu(), null);
  }

  /**
   * Attention of layer l, queries and keys rotated; its tensors are valid until the next layer
   * runs, unless all are kept.
   */
  public Attention attention(int l) {
    var a = acts.layers[l];
    Heads heads = model.heads();
    Tensor qkv = grafted == null ? a.qkv() : grafted.qkv();
    return new Attention(a.o(), a.lse(), qkv, cu, heads, heads.scale(), config.form(l).window());
  }

  /** Writes the attention rows of layer l, the one last run forward, into queries.p(). */
  public void capture(int l, Queries queries) {
    ops.attentionCapture(new AttentionRows(attention(l), queries));
  }

  /** The final norm, after the last layer. */
  public void finish() {
    model.check(this);
    Tensor x2 = acts.layers[config.L() - 1].x2();
    ops.rmsnormForward(acts.yf, acts.xf, acts.rstdf, x2, acts.branch, weights.lnf, config.eps());
  }

  /** Losses, without gradients. */
  public OutputLoss.Result loss(OutputLoss loss) {
    model.check(this);
    return model.output().run(loss, acts.yf, weights.head, null, false, null);
  }

  /** How likely the model holds a target [R] to be after each of some packed rows. */
  public Targets targets(int[] rows, int[] targets) {
    model.check(this);
    return model.output().targets(rows, targets, acts.yf, weights.head);
  }

  /** Logits of packed rows, converted into out [R,V]. */
  public void logits(Tensor out, int... rows) {
    model.check(this);
    model.output().logits(out, rows, acts.yf, weights.head);
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
   * Losses and gradients.
   *
   * @param grads of all weights, of the adapters, or of soft prompts alone; null computes none,
   *     which suffices for {@link AttentionTap#SENSITIVITY}
   * @param add whether gradients are added to what grads hold, which else is replaced: nothing need
   *     be zeroed that is then only added to
   */
  public Tapped backward(OutputLoss loss, AttentionTap tap, Parameters grads, boolean add) {
    model.check(this);
    if (acts.keep == Activations.Keep.NOTHING)
      throw new IllegalStateException("the forward pass kept nothing");
    WeightGradients full = grads instanceof WeightGradients all ? all : null;
    PromptParameters soft = grads instanceof PromptParameters rows ? rows : null;
    if (full != null) add = full.begin(ops, add);
    else if (grads != null && !add) ops.zero(grads.flat());
    Tensor dhead = full == null ? null : full.head(), dlnf = full == null ? null : full.lnf();
    var losses = model.output().run(loss, acts.yf, weights.head, dhead, add, acts.dy);
    ops.zero(acts.dx);
    ops.rmsnormBackward(acts.dx, dlnf, acts.dy, acts.xf, acts.rstdf, weights.lnf);
    var tapped = new Tapped(losses, new double[config.L()][], new double[config.L()][]);
    for (int l = config.L() - 1; l >= 0; l--) {
      model.check(this);
      backwardLayer(l, tap, tapped, grads, add);
      if (full != null) full.done(l);
    }
    if (full != null) {
      ops.embeddingBackward(full.wte(), acts.tokens, acts.dx);
      full.done();
    }
    if (soft != null && prompted != null) promptBackward(soft);
    return tap.sensitivity() ? tapped : new Tapped(losses, null, tapped.kl);
  }

  /** Of the table's rows, those that are trained. */
  private void promptBackward(PromptParameters grads) {
    long R = grads.rows().dim(0);
    IntUnaryOperator trained = r -> r < grads.first || r >= grads.first + R ? -1 : r - grads.first;
    Tensor rows = ints(Arrays.stream(prompted).map(trained).toArray());
    ops.embeddingBackward(grads.rows(), rows, acts.dx);
  }

  private void backwardLayer(
      int l, AttentionTap tap, Tapped tapped, Parameters grads, boolean add) {
    var a = acts.layers[l];
    var w = weights.layer(l);
    Weights.Layer g = grads instanceof WeightGradients all ? all.layer(l) : null;
    var low = grads instanceof Lora lora ? lora : null;
    boolean learns = g != null || low != null;
    recompute(l);
    Tensor dx = acts.dx, dy = acts.dy, y = acts.y, dh = acts.h;

    // x = x2 + swiglu(gu) Wdown^T
    linearBackwardInput(Lora.Site.DOWN, l, dh, dx, w.down());
    ops.swigluBackward(acts.dgu, dh, a.gu());
    Tensor h = dh;
    linearBackwardWeight(Lora.Site.DOWN, l, g == null ? null : g.down(), low, dx, h, add);
    // gu = norm(x2) Wgu^T
    linearBackwardInput(Lora.Site.GU, l, dy, acts.dgu, w.gu());
    if (learns) {
      ops.rmsnormForward(y, null, a.rstd2(), a.x2(), null, w.ln2(), config.eps());
      linearBackwardWeight(Lora.Site.GU, l, g == null ? null : g.gu(), low, acts.dgu, y, add);
    }
    ops.rmsnormBackward(dx, g == null ? null : g.ln2(), dy, a.x2(), a.rstd2(), w.ln2());

    // x2 = x1 + o Wo^T
    linearBackwardInput(Lora.Site.O, l, acts.dout, dx, w.wo());
    linearBackwardWeight(Lora.Site.O, l, g == null ? null : g.wo(), low, dx, a.o(), add);
    attentionBackward(l, tap, tapped);
    if (config.form(l).rope())
      ops.ropeBackward(acts.dqkv, acts.positions, rope.cos(), rope.sin(), config.heads());
    if (config.form(l).qkNorm()) headNormsBackward(a, w, g);
    // qkv = norm(x1) Wqkv^T
    if (g != null && w.bias() != null)
      ops.embeddingBackward(row(g.bias()), zeros, acts.dqkv); // the sum over tokens
    if (learns) {
      ops.rmsnormForward(y, null, a.rstd1(), a.x1(), null, w.ln1(), config.eps());
      linearBackwardWeight(Lora.Site.QKV, l, g == null ? null : g.qkv(), low, acts.dqkv, y, add);
    }
    // What lies below the first layer learns only where embeddings or soft prompts do.
    if (l == 0 && !(g != null || grads instanceof PromptParameters)) return;
    linearBackwardInput(Lora.Site.QKV, l, dy, acts.dqkv, w.qkv());
    ops.rmsnormBackward(dx, g == null ? null : g.ln1(), dy, a.x1(), a.rstd1(), w.ln1());
  }

  private void attentionBackward(int l, AttentionTap tap, Tapped tapped) {
    Queries queries = tap.queries(l);
    try (var step = new Memory("taps")) {
      Tensor sens = null, kl = null;
      long S = cu.size() - 1;
      if (tap.sensitivity()) sens = step.allocate("taps", DType.F64, S, config.heads().NH());
      if (queries != null) kl = step.allocate("taps", DType.F64, queries.R(), queries.H());
      ops.attentionBackward(
          new AttentionGradient(attention(l), acts.dqkv, acts.dout, sens, kl, queries, tap.eps()));
      if (sens != null) tapped.sensitivity[l] = sens.toDoubles();
      if (kl != null) tapped.kl[l] = kl.toDoubles();
    }
  }

  /** Fills what layer l shares with others again, from what was kept of it. */
  private void recompute(int l) {
    var a = acts.layers[l];
    if (acts.keep == Activations.Keep.ATTENTION) gateAndUp(l);
    if (acts.keep != Activations.Keep.INPUTS) return;
    Tensor ln1 = weights.layer(l).ln1();
    ops.rmsnormForward(acts.y, null, a.rstd1(), a.x1(), null, ln1, config.eps());
    projections(l);
    ops.attentionForward(attention(l));
    feedForwardInput(l);
  }

  /** From the residual stream between attention and feed-forward. */
  private void gateAndUp(int l) {
    var a = acts.layers[l];
    var w = weights.layer(l);
    ops.rmsnormForward(acts.y, null, a.rstd2(), a.x2(), null, w.ln2(), config.eps());
    linear(Lora.Site.GU, l, a.gu(), acts.y, w.gu(), null);
  }

  /** y = x W^T + bias (null: none), and what adapters add. */
  private void linear(Lora.Site site, int l, Tensor y, Tensor x, Tensor w, Tensor bias) {
    if (bias != null) ops.gather(y, row(bias), zeros);
    ops.linearForward(y, x, w, bias != null);
    for (Lora low : adapters.low()) low.forward(site, l, y, x, masks(low));
  }

  private Dropout.Masks masks(Lora low) {
    return low == adapters.lora() ? masks : Dropout.Masks.NONE;
  }

  private static Tensor row(Tensor bias) {
    return bias.view(0, 1, bias.size());
  }

  private void linearBackwardInput(Lora.Site site, int l, Tensor dx, Tensor dy, Tensor w) {
    ops.linearBackwardInput(dx, dy, w, false);
    for (Lora low : adapters.low()) low.backwardInput(site, l, dx, dy, masks(low));
  }

  private void linearBackwardWeight(
      Lora.Site site, int l, Tensor dw, Lora low, Tensor dy, Tensor x, boolean add) {
    if (dw != null) ops.linearBackwardWeight(dw, dy, x, add);
    if (low != null) adapters.lora().backwardWeight(site, l, low, dy, x, masks);
  }

  /** Where heads lie among the rows of qkv seen as [N (NH+2NKV), HS]. */
  private final class HeadRows {
    /** [N NH], [N NKV] rows of qkv. */
    final Tensor q, k;

    /** [N (NH+2NKV)] rows of queries or of keys, -1 where another head lies. */
    final Tensor toQ, toK;

    HeadRows(int N) {
      int NH = config.heads().NH(), NKV = config.heads().NKV(), all = NH + 2 * NKV;
      q = rows(N * NH, i -> i / NH * all + i % NH);
      k = rows(N * NKV, i -> i / NKV * all + NH + i % NKV);
      toQ = rows(N * all, i -> i % all < NH ? i / all * NH + i % all : -1);
      toK =
          rows(
              N * all,
              i -> i % all < NH || i % all >= NH + NKV ? -1 : i / all * NKV + i % all - NH);
    }

    private Tensor rows(int n, IntUnaryOperator row) {
      int[] rows = new int[n];
      Arrays.setAll(rows, row);
      return ints(rows);
    }
  }

  private Tensor byHead(Tensor qkv) {
    int HS = config.heads().HS();
    return qkv.view(0, qkv.size() / HS, HS);
  }

  /** Normalises queries and keys of each head in place; what they were is kept. */
  private void headNorms(Activations.Layer a, Weights.Layer w) {
    headNorm(a.qkv(), a.q(), a.rstdq(), w.qNorm(), headRows.q, headRows.toQ);
    headNorm(a.qkv(), a.k(), a.rstdk(), w.kNorm(), headRows.k, headRows.toK);
  }

  private void headNorm(Tensor qkv, Tensor kept, Tensor rstd, Tensor w, Tensor rows, Tensor back) {
    try (var step = new Memory("head norms")) {
      Tensor y = ops.allocate(step, "head norms", kept.shape());
      ops.gather(kept, byHead(qkv), rows);
      ops.rmsnormForward(y, null, rstd, kept, null, w, config.eps());
      ops.gather(byHead(qkv), y, back);
    }
  }

  private void headNormsBackward(Activations.Layer a, Weights.Layer w, Weights.Layer g) {
    Tensor dq = g == null ? null : g.qNorm(), dk = g == null ? null : g.kNorm();
    headNormBackward(dq, a.q(), a.rstdq(), w.qNorm(), headRows.q, headRows.toQ);
    headNormBackward(dk, a.k(), a.rstdk(), w.kNorm(), headRows.k, headRows.toK);
  }

  private void headNormBackward(
      Tensor dw, Tensor kept, Tensor rstd, Tensor w, Tensor rows, Tensor back) {
    try (var step = new Memory("head norms")) {
      Tensor dy = ops.allocate(step, "head norms", kept.shape());
      Tensor dx = ops.allocate(step, "head norms", kept.shape()); // zeros
      ops.gather(dy, byHead(acts.dqkv), rows);
      ops.rmsnormBackward(dx, dw, dy, kept, rstd, w);
      ops.gather(byHead(acts.dqkv), dx, back);
    }
  }
}
