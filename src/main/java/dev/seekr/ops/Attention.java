package dev.seekr.ops;

import dev.seekr.ops.Ops.Heads;
import dev.seekr.tensor.Tensor;

/**
 * Causal attention of one layer inside each of S packed sequences.
 *
 * @param o [N, NH HS]; may be null where an operation says so
 * @param lse [N, NH] F32 log-sum-exp of each row's scores
 * @param qkv [N, (NH+2NKV) HS]
 * @param cu [S+1] I32, ends with N
 * @param scale what scores are multiplied by
 * @param window how many keys a query sees, itself counted; 0: all before it
 */
public record Attention(
    Tensor o, Tensor lse, Tensor qkv, Tensor cu, Heads heads, double scale, int window)
    implements Arguments {

  /** The same tensors, scaled by 1/sqrt(HS), as LLaMA does, without a window. */
  public Attention(Tensor o, Tensor lse, Tensor qkv, Tensor cu, Heads heads) {
    this(o, lse, qkv, cu, heads, heads.scale(), 0);
  }

  public int N() {
    return (int) (qkv.size() / heads.qkvWidth());
  }

  public int S() {
    return (int) cu.size() - 1;
  }

  /** The first of the keys that the query at {@code t} of a sequence sees. */
  public int first(int t) {
    return window == 0 ? 0 : Math.max(0, t - window + 1);
  }

  @Override
  public void check(Shapes shapes) {
    scores(shapes, "attention lse", lse, "attention qkv", qkv);
    shapes.elements("attention o", o, N(), (long) heads.NH() * heads.HS());
  }

  /** All but o, of these or of another model's qkv and lse. */
  void scores(Shapes shapes, String lseName, Tensor lse, String qkvName, Tensor qkv) {
    Shapes.heads(heads);
    long N = Shapes.rows(qkvName, qkv, heads.qkvWidth());
    shapes.elements(qkvName, qkv, N, heads.qkvWidth());
    shapes.wide(lseName, lse, N, heads.NH());
    Shapes.ints("attention cu", cu, cu.size());
  }

  void scores(Shapes shapes) {
    scores(shapes, "attention lse", lse, "attention qkv", qkv);
  }

  @Override
  public void write(Members to) {
    to.p(o).p(lse).p(qkv).p(cu).l(N()).l(S()).heads(heads).l(window).f((float) scale);
  }
}
