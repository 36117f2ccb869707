package dev.seekr.ops;

import dev.seekr.ops.Ops.Heads;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Place;
import dev.seekr.tensor.Tensor;

/**
 * What {@link Ops} promises about its arguments, one check an operation, for every library to call
 * before it computes. They cost no more than a look at each index, and return the sizes they found
 * where those are wanted.
 */
final class Checks {
  private final Shapes shapes;

  /** For a library whose E and F32 are {@code element} and {@code wide}. */
  Checks(DType element, DType wide, Place place) {
    shapes = new Shapes(element, wide, place);
  }

  /** Returns K. */
  long matmul(Tensor y, Tensor a, Tensor b, boolean ta, boolean tb) {
    Shapes.matrix("matmul y", y);
    Shapes.matrix("matmul a", a);
    long M = y.dim(0);
    long N = y.dim(1);
    long K = a.dim(ta ? 0 : 1);
    shapes.either("matmul y", y, M, N);
    shapes.elements("matmul a", a, ta ? K : M, ta ? M : K);
    shapes.elements("matmul b", b, tb ? N : K, tb ? K : N);
    return K;
  }

  void embedding(Tensor x, Tensor tokens, Tensor w) {
    Shapes.matrix("embedding w", w);
    shapes.elements("embedding w", w, w.shape());
    embedded("embedding x", x, tokens, w);
  }

  void embeddingBackward(Tensor dw, Tensor tokens, Tensor dx) {
    Shapes.matrix("embedding dw", dw);
    shapes.wide("embedding dw", dw, dw.shape());
    embedded("embedding dx", dx, tokens, dw);
  }

  /** {@code x} [N,C], {@code table} [V,C]; a token may be -1, for none. */
  private void embedded(String what, Tensor x, Tensor tokens, Tensor table) {
    Shapes.ints("embedding tokens", tokens, tokens.size());
    shapes.elements(what, x, tokens.size(), table.dim(1));
    Shapes.indices("embedding tokens", tokens, -1, table.dim(0));
  }

  void rmsnorm(Tensor y, Tensor x, Tensor rstd, Tensor a, Tensor b, Tensor w) {
    long N = rstd.size();
    long C = w.size();
    shapes.elements("rmsnorm w", w, C);
    shapes.wide("rmsnorm rstd", rstd, N);
    shapes.elements("rmsnorm y", y, N, C);
    shapes.elements("rmsnorm a", a, N, C);
    if (b == null) return;
    shapes.elements("rmsnorm b", b, N, C);
    shapes.elements("rmsnorm x", x, N, C);
  }

  void rmsnormBackward(Tensor dx, Tensor dw, Tensor dy, Tensor x, Tensor rstd, Tensor w) {
    long N = rstd.size();
    long C = w.size();
    shapes.elements("rmsnorm w", w, C);
    shapes.wide("rmsnorm rstd", rstd, N);
    shapes.elements("rmsnorm dx", dx, N, C);
    shapes.elements("rmsnorm dy", dy, N, C);
    shapes.elements("rmsnorm x", x, N, C);
    if (dw != null) shapes.wide("rmsnorm dw", dw, C);
  }

  void rope(Tensor qkv, Tensor positions, Tensor cos, Tensor sin, Heads heads) {
    Shapes.heads(heads);
    if (heads.HS() % 2 != 0)
      throw new IllegalArgumentException("rope: odd head size " + heads.HS());
    long P = Shapes.rows("rope cos", cos, heads.HS() / 2);
    shapes.wide("rope cos", cos, P, heads.HS() / 2);
    shapes.wide("rope sin", sin, P, heads.HS() / 2);
    Shapes.ints("rope positions", positions, positions.size());
    Shapes.indices("rope positions", positions, 0, P);
    shapes.elements("rope qkv", qkv, positions.size(), heads.qkvWidth());
  }

  /** Returns S. */
  long attention(Tensor lse, Tensor qkv, Tensor cu, Heads heads) {
    return attention("attention lse", lse, "attention qkv", qkv, cu, heads);
  }

  private long attention(
      String lseName, Tensor lse, String qkvName, Tensor qkv, Tensor cu, Heads heads) {
    Shapes.heads(heads);
    long N = Shapes.rows(qkvName, qkv, heads.qkvWidth());
    shapes.elements(qkvName, qkv, N, heads.qkvWidth());
    shapes.wide(lseName, lse, N, heads.NH());
    return Shapes.starts("attention cu", cu, N);
  }

  void attentionForward(Tensor o, Tensor lse, Tensor qkv, Tensor cu, Heads heads) {
    attention(lse, qkv, cu, heads);
    shapes.elements("attention o", o, cu.getInt(cu.size() - 1), (long) heads.NH() * heads.HS());
  }

  /** Returns S. */
  long attentionBackward(
      Tensor dqkv,
      Tensor sens,
      Tensor kl,
      Tensor dout,
      Tensor qkv,
      Tensor o,
      Tensor lse,
      Tensor cu,
      Heads heads,
      AttentionRows rows) {
    attentionForward(o, lse, qkv, cu, heads);
    long S = cu.size() - 1;
    shapes.elements("attention dqkv", dqkv, qkv.shape());
    shapes.elements("attention dout", dout, o.shape());
    if (sens != null) Shapes.doubles("attention sens", sens, S, heads.NH());
    if (rows != null) {
      shapes.sampled(rows, cu, heads.NH(), true);
      Shapes.doubles("attention kl", kl, rows.R(), rows.H());
    }
    return S;
  }

  /** Returns S. */
  long attentionCapture(AttentionRows rows, Tensor qkv, Tensor lse, Tensor cu, Heads heads) {
    long S = attention(lse, qkv, cu, heads);
    shapes.sampled(rows, cu, heads.NH(), false);
    return S;
  }

  /** Returns S. */
  long attentionDifference(
      Tensor diff,
      Tensor qkv,
      Tensor lse,
      Tensor qkv2,
      Tensor lse2,
      Tensor cu,
      Heads heads,
      AttentionRows rows) {
    long S = attention(lse, qkv, cu, heads);
    attention("attention lse2", lse2, "attention qkv2", qkv2, cu, heads);
    Shapes.doubles("attention diff", diff, S, heads.NH());
    if (rows != null) shapes.sampled(rows, cu, 0, true);
    return S;
  }

  /** Returns T. */
  long attentionDecode(
      Tensor o, Tensor kcache, Tensor vcache, Tensor qkv, Tensor lengths, Heads heads) {
    Shapes.heads(heads);
    if (kcache.shape().length != 4) {
      throw new IllegalArgumentException("decode kcache: " + kcache + ", expected [B,NKV,T,HS]");
    }
    long B = lengths.size();
    long T = kcache.dim(2);
    shapes.elements("decode kcache", kcache, B, heads.NKV(), T, heads.HS());
    shapes.elements("decode vcache", vcache, B, heads.NKV(), T, heads.HS());
    shapes.elements("decode qkv", qkv, B, heads.qkvWidth());
    shapes.elements("decode o", o, B, (long) heads.NH() * heads.HS());
    Shapes.ints("decode lengths", lengths, B);
    Shapes.indices("decode lengths", lengths, 0, T);
    return T;
  }

  void swiglu(Tensor h, Tensor gu) {
    swiglu("swiglu h", h, gu);
  }

  private void swiglu(String what, Tensor h, Tensor gu) {
    Shapes.matrix(what, h);
    shapes.elements(what, h, h.shape());
    shapes.elements("swiglu gu", gu, h.dim(0), 2 * h.dim(1));
  }

  void swigluBackward(Tensor dgu, Tensor dh, Tensor gu) {
    swiglu("swiglu dh", dh, gu);
    shapes.elements("swiglu dgu", dgu, gu.shape());
  }

  void gather(Tensor out, Tensor x, Tensor rows) {
    Shapes.matrix("gather x", x);
    shapes.elements("gather x", x, x.shape());
    Shapes.ints("gather rows", rows, rows.size());
    Shapes.indices("gather rows", rows, 0, x.dim(0));
    shapes.elements("gather out", out, rows.size(), x.dim(1));
  }

  void scatter(Tensor dx, Tensor d, Tensor rows) {
    scattered("scatter", "dx", dx, d, rows);
  }

  void scatterAdd(Tensor x, Tensor d, Tensor rows) {
    scattered("scatterAdd", "x", x, d, rows);
  }

  private void scattered(String operation, String name, Tensor x, Tensor d, Tensor rows) {
    String what = operation + " " + name;
    Shapes.matrix(what, x);
    shapes.elements(what, x, x.shape());
    Shapes.ints(operation + " rows", rows, rows.size());
    Shapes.ascending(operation + " rows", rows, x.dim(0));
    shapes.elements(operation + " d", d, rows.size(), x.dim(1));
  }

  void loss(
      Tensor nll,
      Tensor distill,
      Tensor logits,
      Tensor target,
      Tensor wNll,
      Tensor teacher,
      Tensor teacherRow,
      Tensor wDistill,
      boolean grad) {
    Shapes.matrix("loss logits", logits);
    long R = logits.dim(0);
    long V = logits.dim(1);
    shapes.elements("loss logits", logits, R, V);
    Shapes.doubles("loss nll", nll, R);
    Shapes.ints("loss target", target, R);
    Shapes.indices("loss target", target, -1, V);
    if (grad) shapes.wide("loss wNll", wNll, R);
    if (distill != null || teacher != null) Shapes.doubles("loss distill", distill, R);
    if (teacher == null) return;
    DType stored = teacher.dtype() == DType.F16 ? DType.F16 : DType.F32;
    long rows = Shapes.rows("loss teacher", teacher, V);
    Shapes.expect("loss teacher", teacher, stored, rows, V);
    Shapes.ints("loss teacherRow", teacherRow, R);
    Shapes.indices("loss teacherRow", teacherRow, -1, rows);
    if (grad) shapes.wide("loss wDistill", wDistill, R);
  }

  void adamw(Tensor w, Tensor m, Tensor v, Tensor g, Tensor rounded, long step) {
    shapes.wide("adamw w", w, w.shape());
    shapes.wide("adamw m", m, w.shape());
    shapes.wide("adamw v", v, w.shape());
    shapes.wide("adamw g", g, w.shape());
    if (rounded != null) shapes.elements("adamw rounded", rounded, w.shape());
    if (step < 1) throw new IllegalArgumentException("adamw: steps count from 1, not " + step);
  }

  void addSquares(Tensor f, Tensor g) {
    shapes.wide("addSquares f", f, f.shape());
    shapes.wide("addSquares g", g, f.shape());
  }

  void anchor(Tensor g, Tensor w, Tensor fisher, Tensor anchor) {
    shapes.wide("anchor g", g, g.shape());
    shapes.wide("anchor w", w, g.shape());
    shapes.wide("anchor fisher", fisher, g.shape());
    shapes.wide("anchor anchor", anchor, g.shape());
  }

  void dot(Tensor x, Tensor y) {
    shapes.wide("dot x", x, x.shape());
    shapes.wide("dot y", y, x.shape());
  }

  void addScaled(Tensor y, Tensor x) {
    shapes.wide("addScaled y", y, y.shape());
    shapes.wide("addScaled x", x, y.shape());
  }

  void zero(Tensor x) {
    shapes.either("zero x", x, x.shape());
  }
}
