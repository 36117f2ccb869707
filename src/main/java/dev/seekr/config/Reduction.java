package dev.seekr.config;

/** How losses of a step's micro-batches become one. */
public enum Reduction {
  /**
   * New and replayed data are each a mean over their own target tokens or samples, times the share
   * of the step's samples that they are; how they are cut into micro-batches makes no difference.
   */
  by_kind,
  /** The mean over micro-batches of each one's own mean, as the authors' training code has it. */
  authors
}
