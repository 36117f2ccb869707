package dev.seekr;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What Jazzer calls: it makes inputs for the {@link FuzzTarget} that its argument names. */
public final class Fuzzer {
  private static FuzzTarget target;
  private static Path folder;

  private Fuzzer() {}

  /** Comes first, with the name of a target's class. */
  public static void fuzzerInitialize(String[] args)
      throws ReflectiveOperationException, IOException {
    var constructor = Class.forName(args[0]).getDeclaredConstructor();
    constructor.setAccessible(true);
    target = (FuzzTarget) constructor.newInstance();
    folder = Files.createTempDirectory("input");
  }

  /** Whatever this throws is a finding. */
  public static void fuzzerTestOneInput(byte[] input) throws IOException {
    target.reads(folder, input);
  }
}
