package dev.seekr.ops;

/** What runs operations: all of {@link Ops} comes to this. */
interface Dispatch {
  /**
   * Checks the arguments, which are the operation's own record, and computes. Throws
   * IllegalArgumentException where they do not fit, {@link dev.seekr.Failure} (exit 70) where the
   * kernel reports an error.
   */
  void run(Op op, Arguments arguments);
}
