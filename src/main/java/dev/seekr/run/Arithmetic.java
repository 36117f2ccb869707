package dev.seekr.run;

import dev.seekr.ops.Ops;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the bits of a run's results depend on beside its settings and data. */
final class Arithmetic {
  private Arithmetic() {}

  /** Kernels, libraries and processor. */
  static String of(Ops ops) {
    return ops.arithmetic() + "; " + processor();
  }

  private static String processor() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/cpuinfo")))
        if (line.startsWith("model name")) return line.substring(line.indexOf(':') + 1).strip();
    } catch (IOException e) {
      // Not on this system.
    }
    return System.getProperty("os.arch");
  }
}
