package dev.seekr.model;

/** What a block of parameters is, and what follows from it. */
public enum Role {
  /** Rows that stand for tokens. */
  EMBEDDING,
  /** What inputs are multiplied by. */
  MATRIX,
  /** Gains of a norm; they begin at 1. */
  NORM,
  /** What is added to an output; it begins at 0. */
  BIAS;

  /** Whether weight decay applies. */
  public boolean decays() {
    return this == EMBEDDING || this == MATRIX;
  }
}
