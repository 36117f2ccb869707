package dev.seekr.ops.ffm;

import java.lang.foreign.MemorySegment;

/**
 * Where matrix multiplication comes from. Kernel libraries split the work over their own threads
 * and call this for each part.
 */
public interface Gemm {
  /**
   * Address of a row-major {@code sgemm}, as {@code native/include/seekr.h} declares it, that runs
   * on the calling thread alone and may be called by several at once. NULL: the kernel library's
   * own products, of operands rounded to bfloat16.
   */
  MemorySegment sgemm();

  /** Name, version and processor kernel, for logs. */
  String description();

  /** The kernel library's own products in bfloat16, summed in float32. */
  Gemm BF16 =
      new Gemm() {
        @Override
        public MemorySegment sgemm() {
          return MemorySegment.NULL;
        }

        @Override
        public String description() {
          return "bf16 (AVX512-BF16)";
        }
      };
}
