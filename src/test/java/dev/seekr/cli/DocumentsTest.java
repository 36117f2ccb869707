package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What documents show of committed runs is what the command above it prints: a block that begins
 * with {@code $ ./seekr summary} goes on with its output.
 */
class DocumentsTest {
  private static final Pattern BLOCK =
      Pattern.compile("^```\\n\\$ \\./seekr (summary .*)\\n([^`]*)^```$", Pattern.MULTILINE);

  /** A command as a document has it, and what the document says it prints. */
  private record Shown(Path document, String command, String output) {
    @Override
    public String toString() {
      return document + ": " + command;
    }
  }

  static List<Shown> shown() throws IOException {
    var shown = new ArrayList<Shown>();
    try (Stream<Path> documents = Files.list(Path.of("docs"))) {
      var all = Stream.concat(Stream.of(Path.of("README.md")), documents.sorted());
      for (Path document : all.filter(p -> p.toString().endsWith(".md")).toList())
        BLOCK
            .matcher(Files.readString(document))
            .results()
            .forEach(m -> shown.add(new Shown(document, m.group(1), m.group(2))));
    }
    return shown;
  }

  @ParameterizedTest
  @MethodSource("shown")
  void isWhatTheCommandPrints(Shown shown) {
    var run = CommandLineRun.of(shown.command.split(" "));
    assertThat(run.err()).isEmpty();
    assertThat(run.out()).isEqualTo(shown.output);
  }

  /** Runs that no table of the results shows would be forgotten. */
  @Test
  void everyCommittedRunIsShown() throws IOException {
    String commands = String.join("\n", shown().stream().map(Shown::command).toList());
    try (Stream<Path> folders = Files.list(Path.of("docs/results"))) {
      for (Path folder : folders.sorted().toList()) assertThat(commands).contains(folder.toString());
    }
  }
}
