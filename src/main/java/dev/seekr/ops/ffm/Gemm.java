package dev.seekr.ops.ffm;

import java.lang.foreign.MemorySegment;

/**
 * Where matrix multiplication comes from. Kernel libraries split the work over their own threads
 * and call this for each part.
 */
public interface Gemm {
  /**
   * Address of a row-major {@code sgemm}, as {@code native/include/seekr.h} declares it, that runs
   * on the calling thread alone and may be called by several at once.
   */
  MemorySegment sgemm();

  /** Name and version, for logs. */
  String description();
}
