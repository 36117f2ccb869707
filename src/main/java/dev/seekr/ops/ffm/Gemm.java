package dev.seekr.ops.ffm;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

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

  /** The library it is of, where that is oneDNN and may multiply bfloat16 too; else null. */
  Path onednn();

  /** Name and version, for logs. */
  String description();
}
