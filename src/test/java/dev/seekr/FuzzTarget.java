package dev.seekr;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.seekr.Failure.Exit;
import dev.seekr.disk.Reading;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * A kind of file that Seekr reads, and what holds whatever bytes are in it: reading it succeeds and
 * what was read is sound, or it ends in a Failure that is one line and begins with the file's path.
 * It does so again when it is read again, and takes memory in proportion to the file.
 *
 * <p>The test replays the inputs that are kept: those in {@code read} must be read, those in {@code
 * refused} refused. They lie in a folder of the class's name without "FuzzTest". {@link Fuzzer}
 * makes new ones.
 */
public abstract class FuzzTarget {
  private static final Path KEPT = Path.of("src/test/resources/fuzz");

  /** Bytes on the heap that an input may take for each of its own bytes. */
  private static final long EACH = 1000;

  private static final int LONGEST_LINE = 4000, READS = 3;
  private static final Pattern BREAKS = Pattern.compile("[\\p{Cc}\\p{Zl}\\p{Zp}]");
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final String file;
  private final Set<Exit> refusals;

  /** What refuses an input, as a user sees it. */
  private record Refusal(Exit exit, String message) {}

  /**
   * @param file what the file is called that inputs are written to
   * @param refusals what a Failure may exit with
   */
  protected FuzzTarget(String file, Exit... refusals) {
    this.file = file;
    this.refusals = Set.of(refusals);
  }

  /**
   * Reads the file and asserts that what it read is sound. Returns all of it, or something of it
   * that is the same when it is read again.
   */
  protected abstract Object read(Path file) throws IOException;

  /** Makes an input the file that is to be read; what else it needs may lie there from before. */
  protected Path write(Path folder, byte[] input) throws IOException {
    return Files.write(folder.resolve(file), input);
  }

  /** Bytes on the heap that any input may take, however short. */
  protected long always() {
    return 16 << 20;
  }

  /** How many lines a message may have, each with a place of its own. */
  protected int lines() {
    return 1;
  }

  /** Throws AssertionError saying what is not sound. */
  protected static void sound(boolean condition, String what) {
    if (!condition) throw new AssertionError("not sound: " + what);
  }

  /** Whether the input was read, and not refused; throws whatever must not be thrown. */
  final boolean reads(Path folder, byte[] input) throws IOException {
    Path file = write(folder, input);
    Object first = outcome(file);
    long most = always() + EACH * input.length, taken = most + 1;
    // Again and again, since the JVM loads and generates classes on the way.
    for (int i = 0; i < READS && taken > most; i++) {
      long before = THREADS.getCurrentThreadAllocatedBytes();
      Object again = outcome(file);
      taken = THREADS.getCurrentThreadAllocatedBytes() - before;
      if (!first.equals(again))
        throw new AssertionError("read as %s, and again as %s".formatted(first, again));
    }
    if (taken > most) throw new AssertionError("%d bytes took %d".formatted(input.length, taken));
    return !(first instanceof Refusal);
  }

  private Object outcome(Path file) throws IOException {
    try {
      return read(file);
    } catch (Failure failure) {
      String message = failure.getMessage();
      if (!refusals.contains(failure.exit))
        throw new AssertionError("exit " + failure.exit, failure);
      List<String> lines = List.of(message.split("\n", -1));
      if (lines.size() > lines()) throw new AssertionError("several lines", failure);
      for (String line : lines) {
        if (!line.startsWith(file.getParent().toString()))
          throw new AssertionError("names no file: " + line, failure);
        if (BREAKS.matcher(line).find()) throw new AssertionError("control characters", failure);
        if (line.length() > LONGEST_LINE) throw new AssertionError("a long line", failure);
      }
      return new Refusal(failure.exit, message);
    }
  }

  @TestFactory
  Stream<DynamicTest> keptInputs(@TempDir Path folder) {
    return Stream.of("read", "refused")
        .flatMap(how -> inputs(how).stream())
        .map(input -> DynamicTest.dynamicTest(input.toString(), () -> replay(folder, input)));
  }

  private void replay(Path folder, Path input) throws IOException {
    boolean read;
    try {
      read = reads(folder, Files.readAllBytes(input));
    } catch (RuntimeException | AssertionError e) {
      throw new AssertionError(input.toString(), e);
    }
    assertThat(read).as(input.toString()).isEqualTo(input.getParent().endsWith("read"));
  }

  @Test
  void inputsOfBothKindsAreKept() {
    assertThat(inputs("read")).isNotEmpty();
    assertThat(inputs("refused")).isNotEmpty();
  }

  private List<Path> inputs(String how) {
    String name = getClass().getSimpleName().replace("FuzzTest", "");
    return Reading.list(KEPT.resolve(name).resolve(how));
  }
}
