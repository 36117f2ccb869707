package dev.seekr.cli;

import dev.seekr.Stop;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.function.IntSupplier;

/** What a command line printed and how it ended. */
record CommandLineRun(int code, String out, String err) {

  static CommandLineRun of(String... args) {
    return of(() -> Main.run(args));
  }

  /** One that is told to stop by {@code stop} alone. */
  static CommandLineRun of(Stop stop, String... args) {
    return of(() -> Main.run(stop, args));
  }

  private static CommandLineRun of(IntSupplier command) {
    var out = new ByteArrayOutputStream();
    var err = new ByteArrayOutputStream();
    PrintStream oldOut = System.out;
    PrintStream oldErr = System.err;
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
    try {
      int code = command.getAsInt();
      return new CommandLineRun(
          code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(oldOut);
      System.setErr(oldErr);
    }
  }
}
