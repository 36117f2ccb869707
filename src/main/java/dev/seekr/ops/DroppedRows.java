package dev.seekr.ops;

import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;

/**
 * Inverted dropout of x [N,C] into y [N,C], or added to it. Each row has a key [N] I64; what is
 * kept is a function of key, salt and column alone, the same in every library.
 *
 * @param p at least 0 and below 1: the probability that an element is dropped
 */
public record DroppedRows(Tensor y, Tensor x, Tensor keys, long salt, float p, boolean accumulate)
    implements Arguments {
  @Override
  public void check(Shapes shapes) {
    Shapes.matrix("dropout x", x);
    shapes.elements("dropout x", x, x.shape());
    shapes.elements("dropout y", y, x.shape());
    Shapes.expect("dropout keys", keys, DType.I64, N());
    if (!(p >= 0 && p < 1))
      throw new IllegalArgumentException("dropout p: " + p + ", expected at least 0 and below 1");
  }

  @Override
  public void write(Members to) {
    to.p(y).p(x).p(keys).l(N()).l(C()).l(salt).f(p).i(accumulate);
  }

  public long N() {
    return x.dim(0);
  }

  public long C() {
    return x.dim(1);
  }

  /** Whether x[n,c] is kept. */
  public boolean keeps(long n, long c) {
    long k = Hashes.mix(keys.getLong(n) + salt);
    int drawn = Hashes.mix(Hashes.mix((int) (c + k)) ^ (int) (k >>> 32)) >>> 1;
    return drawn >= (int) (p * 0x1p31f);
  }
}
