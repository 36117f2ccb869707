package dev.seekr.ops;

/**
 * All arguments of an {@link Op}, checked once and then handed on whole. A component is a member of
 * the struct in {@code native/include/seekr.h}; a test compares the two.
 */
public interface Arguments {
  /**
   * Throws IllegalArgumentException, naming operation and tensor, where a type, a shape or a place
   * is not what the operation takes. Indices are looked at by the kernels themselves.
   */
  void check(Shapes shapes);

  /** Writes the struct, member by member. */
  void write(Members to);
}
