package dev.seekr.model;

import dev.seekr.ops.Ops;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;

/**
 * What a forward pass leaves for the backward pass, and the scratch both use: the byte plan. Room
 * is for a number of tokens and is allocated once; {@link #fit} gives the views for a batch.
 */
final class Activations implements AutoCloseable {
  /** How much of a forward pass is kept. */
  enum Keep {
    /** Nothing: all layers share one set of buffers; no backward pass. */
    NOTHING,
    /** Each layer's input; the rest is computed again in the backward pass. */
    INPUTS,
    /** All but gate and up, which the backward pass computes again. */
    ATTENTION,
    /** Everything the backward pass reads. */
    ALL
  }

  /**
   * Kept of a layer: x1 its input [N,C]; qkv after rotation; o, lse of attention; x2 the residual
   * stream between attention and feed-forward [N,C]; gu [N,2F]; rstd1, rstd2 [N]. Where heads are
   * normalised, q [N NH,HS] and k [N NKV,HS] are what came into their norms, rstdq [N NH] and rstdk
   * [N NKV]; else null.
   */
  record Layer(
      Tensor x1,
      Tensor rstd1,
      Tensor q,
      Tensor rstdq,
      Tensor k,
      Tensor rstdk,
      Tensor qkv,
      Tensor o,
      Tensor lse,
      Tensor x2,
      Tensor rstd2,
      Tensor gu) {
    Layer rows(int N, int NH, int NKV) {
      return new Layer(
          x1.rows(0, N),
          rstd1.rows(0, N),
          q == null ? null : q.rows(0, (long) N * NH),
          q == null ? null : rstdq.rows(0, (long) N * NH),
          q == null ? null : k.rows(0, (long) N * NKV),
          q == null ? null : rstdk.rows(0, (long) N * NKV),
          qkv.rows(0, N),
          o.rows(0, N),
          lse.rows(0, N),
          x2.rows(0, N),
          rstd2.rows(0, N),
          gu.rows(0, N));
    }
  }

  private final Memory memory = new Memory("activations");
  private final Ops ops;
  private final LlamaConfig config;
  final Keep keep;
  final int capacity;
  private final Layer[] full;

  // Views for the batch of the moment (N rows).
  Layer[] layers;
  Tensor tokens; // [N] I32
  Tensor positions; // [N] I32
  Tensor y; // [N,C] output of a norm
  Tensor branch; // [N,C] what a branch adds to the residual stream
  Tensor h; // [N,F]
  Tensor xf, rstdf, yf; // [N,C], [N], [N,C] final norm
  private final Tensor fullTokens,
      fullPositions,
      fullY,
      fullBranch,
      fullH,
      fullXf,
      fullRstdf,
      fullYf;

  // Backward scratch; null when nothing is kept.
  Tensor dx, dy; // [N,C]
  Tensor dqkv; // [N,(NH+2NKV) HS]
  Tensor dout; // [N,NH HS]
  Tensor dgu; // [N,2F]
  private Tensor fullDx, fullDy, fullDqkv, fullDout, fullDgu;

  Activations(LlamaConfig config, Ops ops, Keep keep, int capacity) {
    this.config = config;
    this.ops = ops;
    this.keep = keep;
    this.capacity = capacity;
    int C = config.C(), F = config.F();
    full = new Layer[config.L()];
    for (int l = 0; l < full.length; l++) full[l] = layer(l);
    fullTokens = memory.allocate("tokens", DType.I32, capacity);
    fullPositions = memory.allocate("tokens", DType.I32, capacity);
    fullY = room("norm", C);
    fullBranch = room("branch", C);
    fullH = room("feed-forward", F);
    fullXf = room("final", C);
    fullRstdf = statistics("final", capacity);
    fullYf = room("final", C);
    if (keep != Keep.NOTHING) {
      fullDx = room("gradient", C);
      fullDy = room("gradient", C);
      fullDqkv = room("gradient", config.heads().qkvWidth());
      fullDout = room("gradient", config.heads().NH() * config.heads().HS());
      fullDgu = room("gradient", 2 * F);
    }
  }

  private Tensor room(String tag, int width) {
    return ops.allocate(memory, tag, capacity, width);
  }

  private Tensor headRows(int heads) {
    return ops.allocate(memory, "qkv", (long) capacity * heads, config.heads().HS());
  }

  private Tensor statistics(String tag, long... shape) {
    return ops.allocate(memory, tag, ops.wide(), shape);
  }

  private Layer layer(int l) {
    int C = config.C();
    var heads = config.heads();
    boolean own = l == 0 || keep.compareTo(Keep.ATTENTION) >= 0;
    boolean ownUp = l == 0 || keep == Keep.ALL;
    Layer shared = l == 0 ? null : full[0];
    boolean norms = config.form(l).qkNorm();
    return new Layer(
        l == 0 || keep != Keep.NOTHING ? room("layer input", C) : shared.x1,
        own ? statistics("rstd", capacity) : shared.rstd1,
        !norms ? null : own ? headRows(heads.NH()) : shared.q,
        !norms ? null : own ? statistics("rstd", (long) capacity * heads.NH()) : shared.rstdq,
        !norms ? null : own ? headRows(heads.NKV()) : shared.k,
        !norms ? null : own ? statistics("rstd", (long) capacity * heads.NKV()) : shared.rstdk,
        own ? room("qkv", heads.qkvWidth()) : shared.qkv,
        own ? room("attention", heads.NH() * heads.HS()) : shared.o,
        own ? statistics("attention", capacity, heads.NH()) : shared.lse,
        own ? room("residual", C) : shared.x2,
        own ? statistics("rstd", capacity) : shared.rstd2,
        ownUp ? room("gate and up", 2 * config.F()) : shared.gu);
  }

  /** Sets the views for N tokens, at most the capacity. */
  void fit(int N) {
    layers = new Layer[full.length];
    var heads = config.heads();
    for (int l = 0; l < layers.length; l++) layers[l] = full[l].rows(N, heads.NH(), heads.NKV());
    tokens = fullTokens.rows(0, N);
    positions = fullPositions.rows(0, N);
    y = fullY.rows(0, N);
    branch = fullBranch.rows(0, N);
    h = fullH.rows(0, N);
    xf = fullXf.rows(0, N);
    rstdf = fullRstdf.rows(0, N);
    yf = fullYf.rows(0, N);
    if (keep != Keep.NOTHING) {
      dx = fullDx.rows(0, N);
      dy = fullDy.rows(0, N);
      dqkv = fullDqkv.rows(0, N);
      dout = fullDout.rows(0, N);
      dgu = fullDgu.rows(0, N);
    }
  }

  Memory memory() {
    return memory;
  }

  @Override
  public void close() {
    memory.close();
  }
}
