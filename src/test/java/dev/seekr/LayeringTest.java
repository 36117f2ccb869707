package dev.seekr;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The way of the data is the way of the imports: a package knows only those below it. */
class LayeringTest {
  /** Lowest first; the empty name is {@code dev.seekr} itself. */
  private static final List<String> LAYERS =
      List.of(
          "",
          "disk",
          "config",
          "tensor",
          "state",
          "distributed",
          "ops",
          "tokenizer",
          "data",
          "model",
          "method",
          "evaluation",
          "report",
          "trainer",
          "run",
          "bench",
          "verify",
          "cli");

  private static final int MOST_LINES = 500;
  private static final Path MAIN = Path.of("src/main/java/dev/seekr");

  /** A package of ours, in an import or spelt out in the code. */
  private static final Pattern USE =
      Pattern.compile("\\bdev\\.seekr\\.(?:([a-z]\\w*)\\.(?:[a-z]\\w*\\.)*)?[A-Z*]");

  @Test
  void packagesUseOnlyLowerOnes() {
    var wrong = new ArrayList<String>();
    int uses = 0;
    for (Path file : sources()) {
      String from =
          file.getParent().equals(MAIN) ? "" : MAIN.relativize(file).getName(0).toString();
      assertThat(LAYERS).as("the package of " + file).contains(from);
      Matcher use = USE.matcher(read(file));
      while (use.find()) {
        uses++;
        String to = use.group(1) == null ? "" : use.group(1);
        if (!LAYERS.contains(to) || LAYERS.indexOf(to) > LAYERS.indexOf(from)) {
          wrong.add(file + ": " + use.group() + "... is not below '" + from + "'");
        }
      }
    }
    assertThat(wrong).isEmpty();
    assertThat(uses).as("uses seen").isPositive();
  }

  @Test
  void filesAreShortAndPlain() {
    for (Path file : sources()) {
      String text = read(file);
      assertThat(text.lines().count()).as("lines of " + file).isLessThanOrEqualTo(MOST_LINES);
      assertThat(text).as(file.toString()).doesNotContain("\t", "sun.misc.Unsafe", "\r");
      assertThat(text).as(file + " ends with a line break").endsWith("}\n");
    }
  }

  private static List<Path> sources() {
    try (Stream<Path> files = Files.walk(MAIN)) {
      List<Path> sources =
          files.filter(file -> file.toString().endsWith(".java")).sorted().toList();
      assertThat(sources).isNotEmpty();
      return sources;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
