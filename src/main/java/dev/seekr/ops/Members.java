package dev.seekr.ops;

import dev.seekr.ops.Ops.Heads;
import dev.seekr.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/** Takes the members of a struct in their order; C's rules of alignment are the taker's. */
public interface Members {
  /** A pointer to the tensor's data; null: NULL. */
  Members p(Tensor t);

  /** A pointer to what is no tensor. */
  Members p(MemorySegment address);

  /** An int64_t. */
  Members l(long value);

  /** An int32_t. */
  Members i(int value);

  default Members i(boolean flag) {
    return i(flag ? 1 : 0);
  }

  /** A float. */
  Members f(float value);

  /** A struct inside. */
  Members struct(Arguments part);

  /** NH, NKV, HS. */
  default Members heads(Heads heads) {
    return l(heads.NH()).l(heads.NKV()).l(heads.HS());
  }
}
