package dev.seekr.report;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;

/** Whether a person watches stderr. */
final class Terminal {
  private static final int STDERR = 2;

  private Terminal() {}

  /** True when stderr is a terminal that can rewrite a line. */
  static boolean live() {
    return !"dumb".equals(System.getenv("TERM")) && isatty(STDERR);
  }

  /**
   * Asks the C library. {@link java.io.Console#isTerminal} is about stdin and stdout: it would draw
   * into {@code 2> file} and keep quiet under {@code > file}.
   */
  private static boolean isatty(int descriptor) {
    Linker linker = Linker.nativeLinker();
    try {
      var isatty =
          linker.downcallHandle(
              linker.defaultLookup().findOrThrow("isatty"),
              FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
      return (int) isatty.invokeExact(descriptor) == 1;
    } catch (Throwable e) {
      throw new IllegalStateException("isatty cannot be called", e);
    }
  }
}
