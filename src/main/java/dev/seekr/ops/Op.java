package dev.seekr.ops;

import java.util.Locale;

/** The operations, by their names in {@code native/include/seekr.h}, which has their formulas. */
public enum Op {
  MATMUL,
  EMBEDDING_BWD,
  RMSNORM_FWD,
  RMSNORM_BWD,
  ROPE_FWD,
  ROPE_BWD,
  SWIGLU_FWD,
  SWIGLU_BWD,
  GATHER,
  SCATTER,
  SCATTER_ADD,
  DROPOUT,
  ATTENTION_FWD,
  ATTENTION_BWD,
  ATTENTION_CAPTURE,
  ATTENTION_DIFF,
  ATTENTION_DECODE,
  LOSS,
  ADAMW,
  DOT,
  ADD_SCALED,
  ADD_SQUARES,
  ANCHOR,
  ZERO;

  /** As "rope_fwd"; "sk_" before it is the exported function. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
