package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.StringWriter;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program in docs/api.md is the one in examples; it compiles without a warning and runs. */
class EmbeddingTest {
  private static final Path SOURCE = Path.of("examples/embedding/Embedding.java");
  private static final Path PAGE = Path.of("docs/api.md");

  @TempDir Path folder;

  @Test
  void thePageShowsTheProgram() throws Exception {
    assertThat(Files.readString(PAGE)).contains("```java\n" + Files.readString(SOURCE) + "```");
  }

  @Test
  void typesThatThePageNamesExist() throws Exception {
    var rows = Pattern.compile("^\\| (`[^|]*`) \\|", Pattern.MULTILINE);
    var names = new ArrayList<String>();
    rows.matcher(Files.readString(PAGE))
        .results()
        .forEach(r -> names.addAll(List.of(r.group(1).replace("`", "").split(", "))));
    assertThat(names).contains("run.Run", "Stop").hasSizeGreaterThan(9);
    for (String name : names)
      assertThatCode(() -> Class.forName("dev.seekr." + name)).doesNotThrowAnyException();
  }

  @Test
  void itTrainsAndGenerates() throws Exception {
    var said = new StringWriter();
    var options =
        List.of(
            "-Xlint:all,-classfile,-processing",
            "-Werror",
            "-proc:none",
            "-d",
            folder.toString(),
            "-cp",
            System.getProperty("java.class.path"));
    var javac = ToolProvider.getSystemJavaCompiler();
    try (var files = javac.getStandardFileManager(null, null, StandardCharsets.UTF_8)) {
      var task = javac.getTask(said, files, null, options, null, files.getJavaFileObjects(SOURCE));
      assertThat(task.call()).as(said.toString()).isTrue();
    }
    Path config = Files.writeString(folder.resolve("run.yaml"), "train: {epochs: 1}\n");
    var words = new ArrayList<>(List.of(config.toString(), "A film to see twice. Answer:"));
    words.addAll(Tiny.SETTINGS);
    words.removeIf(word -> word.startsWith("run.save_models="));
    words.add("run.out=" + folder.resolve("run"));

    var out = new ByteArrayOutputStream();
    PrintStream before = System.out;
    try (var loader = new URLClassLoader(new URL[] {folder.toUri().toURL()})) {
      System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
      var main = loader.loadClass("Embedding").getMethod("main", String[].class);
      main.setAccessible(true);
      main.invoke(null, (Object) words.toArray(String[]::new));
    } finally {
      System.setOut(before);
    }
    assertThat(out.toString(StandardCharsets.UTF_8).lines().toList())
        .satisfiesExactly(
            line -> assertThat(line).startsWith("before: "),
            line -> assertThat(line).matches("task363 1 \\{task=[0-9.]+}"),
            line -> assertThat(line).matches("task363 2 \\{task=[0-9.]+}"),
            line -> assertThat(line).matches("task1687 1 \\{task=[0-9.]+}"),
            line -> assertThat(line).matches("task1687 2 \\{task=[0-9.]+}"),
            line -> assertThat(line).matches("OP [0-9.]+"),
            line -> assertThat(line).startsWith("after: "));
  }
}
