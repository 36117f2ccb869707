package dev.seekr.ops;

import dev.seekr.ops.ffm.FfmOps;
import dev.seekr.ops.ffm.NativeLibrary;
import dev.seekr.ops.ffm.OneDnn;
import dev.seekr.tensor.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/** The kernel library under test. */
final class Kernels {
  private Kernels() {}

  static FfmOps open(int threads, String isa) {
    return open(DType.F32, "auto", threads, isa);
  }

  static FfmOps open(DType element, String multiplier, int threads, String isa) {
    return new FfmOps(NativeLibrary.cpu(), OneDnn.load(), element, multiplier, threads, isa);
  }

  /**
   * Instruction sets that this processor has by the kernel's account, not the library's: none may
   * be left out.
   */
  static List<String> isas() {
    Set<String> flags = processor();
    List<String> isas = new ArrayList<>();
    if (flags.containsAll(Set.of("avx512f", "avx512vl", "avx512bw", "avx512dq", "fma")))
      isas.add("avx512");
    if (flags.containsAll(Set.of("avx2", "fma"))) isas.add("avx2");
    isas.add("scalar");
    return isas;
  }

  /** Whether it multiplies bfloat16, by the same account. */
  static boolean multipliesBf16() {
    return isas().contains("avx512") && processor().contains("avx512_bf16");
  }

  /** Who can multiply bfloat16 on it. */
  static List<String> multipliers(String isa) {
    if (!isa.equals("avx512") || !multipliesBf16()) return List.of("sgemm");
    return processor().containsAll(Set.of("amx_tile", "amx_bf16"))
        ? List.of("amx", "vdpbf16", "sgemm")
        : List.of("vdpbf16", "sgemm");
  }

  private static Set<String> processor() {
    try (var lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      String line = lines.filter(l -> l.startsWith("flags")).findFirst().orElseThrow();
      return Set.copyOf(Arrays.asList(line.substring(line.indexOf(':') + 1).strip().split(" ")));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
