package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What documents show of committed runs is what the command above it prints: a block that begins
 * with {@code $ ./seekr summary} goes on with its output. With -Ddocuments=write it is written.
 */
class DocumentsTest {
  private static final Pattern BLOCK =
      Pattern.compile(
          "(?<=^```\\n)\\$ \\./seekr (summary .*)\\n(?:[^`\\n]*\\n)*(?=```$)", Pattern.MULTILINE);

  static List<Path> documents() throws IOException {
    try (Stream<Path> docs = Files.list(Path.of("docs"))) {
      return Stream.concat(Stream.of(Path.of("README.md")), docs.sorted())
          .filter(p -> p.toString().endsWith(".md"))
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("documents")
  void showWhatTheCommandsPrint(Path document) throws IOException {
    String text = Files.readString(document);
    String now = BLOCK.matcher(text).replaceAll(DocumentsTest::block);
    if ("write".equals(System.getProperty("documents"))) Files.writeString(document, now);
    else assertThat(text).isEqualTo(now);
  }

  private static String block(MatchResult block) {
    var run = CommandLineRun.of(block.group(1).split(" "));
    assertThat(run.err()).isEmpty();
    return Matcher.quoteReplacement("$ ./seekr " + block.group(1) + "\n" + run.out());
  }

  /** Runs that no table shows would be forgotten. */
  @Test
  void everyCommittedRunIsShown() throws IOException {
    var words =
        BLOCK
            .matcher(Files.readString(Path.of("docs/results.md")))
            .results()
            .flatMap(block -> Stream.of(block.group(1).split(" ")))
            .toList();
    try (Stream<Path> files = Files.walk(Path.of("docs"), 2)) {
      var folders = files.filter(p -> p.startsWith("docs/results") && p.getNameCount() == 3);
      assertThat(words).containsAll(folders.map(Path::toString).toList());
    }
  }

  /** Settings of committed runs name no folder of the machine that made them. */
  @Test
  void committedRunsCanBeRepeatedAnywhere() throws IOException {
    try (Stream<Path> files = Files.walk(Path.of("docs/results"))) {
      for (Path file : files.filter(p -> p.endsWith("config.yaml")).toList())
        assertThat(Files.readString(file)).as("%s", file).doesNotContainPattern(": [/~]");
    }
  }
}
