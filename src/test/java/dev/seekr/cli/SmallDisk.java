package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.seekr.disk.Disk;
import dev.seekr.disk.Meanwhile;
import dev.seekr.report.RunLog;
import dev.seekr.run.SameRun;
import dev.seekr.safetensors.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Runs on a real file system that is full or read-only: {@code scripts/disk-test} mounts one of a
 * few MiB, for this test alone, and names it by the property {@code seekr.test.disk}. Whatever
 * happens, a run ends with one line that names a file, leaves nothing torn, and comes to the bits
 * of a run that nothing happened to when it is begun again and there is room.
 */
class SmallDisk {
  private static final Path DISK = Path.of(System.getProperty("seekr.test.disk"));
  private static final int ENOUGH = 64 << 10; // KiB

  @TempDir static Path elsewhere;
  private static Path model, expected;
  private final Path out = DISK.resolve("run");

  /** A model of a few hundred KiB, and a run of it on another disk. */
  @BeforeAll
  static void makeOne() throws IOException {
    model = Files.createDirectory(elsewhere.resolve("model"));
    Files.copy(Path.of("examples/nano/tokenizer.json"), model.resolve("tokenizer.json"));
    var json =
        (ObjectNode) new ObjectMapper().readTree(Path.of("examples/nano/config.json").toFile());
    json.put("hidden_size", 16).put("intermediate_size", 24).put("num_hidden_layers", 2);
    json.put("num_attention_heads", 4).put("num_key_value_heads", 2).put("head_dim", 4);
    Files.writeString(model.resolve("config.json"), json.toString());
    expected = elsewhere.resolve("run");
    assertThat(train(expected).code()).isZero();
  }

  private static CommandLineRun train(Path out) {
    return Tiny.run(
        "train",
        "model.path=" + model,
        "model.init=random",
        "method.name=seekr",
        "method.replay_samples=2",
        "method.seekr.queries=5",
        "run.checkpoint.steps=1",
        "run.save_models=true",
        "run.out=" + out);
  }

  @BeforeEach
  void room() throws IOException {
    mount("-o", "remount,size=" + ENOUGH + "k", DISK);
  }

  @AfterEach
  void clean() {
    for (String name : List.of("run", "ballast", "aside")) Disk.delete(DISK.resolve(name));
  }

  private static void mount(Object... words) throws IOException {
    command("mount", words);
  }

  private static void command(String name, Object... words) throws IOException {
    var command = new ArrayList<>(List.of(name));
    for (Object word : words) command.add(word.toString());
    try {
      assertThat(new ProcessBuilder(command).inheritIO().start().waitFor())
          .as(String.join(" ", command))
          .isZero();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Takes all room but some KiB. */
  private static void fill(long left) throws IOException {
    long bytes = Files.getFileStore(DISK).getUsableSpace() - (left << 10);
    Files.write(DISK.resolve("ballast"), new byte[(int) bytes]);
  }

  /**
   * Returns its message where it fails, on one line and with a file of this disk; "" at its end.
   */
  private String train() {
    var run = train(out);
    var lines = run.err().lines().filter(line -> line.startsWith("seekr: ")).toList();
    if (run.code() == 0) {
      assertThat(lines).isEmpty();
      return "";
    }
    assertThat(run.code()).as(run.err()).isIn(73, 74);
    assertThat(lines).singleElement().asString().startsWith("seekr: " + DISK);
    return lines.getFirst();
  }

  /** Every file that has its name is whole, whatever its kind. */
  private void nothingIsTorn() throws IOException {
    if (!Files.exists(out)) return;
    try (var all = Files.walk(out)) {
      for (Path file : (Iterable<Path>) all.filter(Files::isRegularFile)::iterator) {
        String name = out.relativize(file).toString();
        if (name.matches("(.*/)?\\.[^/]*\\.(part|deleted)(/.*)?")) continue; // not finished
        if (name.endsWith(".safetensors")) Safetensors.open(file).close();
        if (name.endsWith(".json")) new ObjectMapper().readTree(file.toFile());
        if (name.endsWith("log.jsonl")) assertThat(Files.readString(file)).matches("(?s)(.*\n)?");
        if (name.endsWith("log.jsonl")) RunLog.read(file);
      }
    }
  }

  /** The same command, where there is room, comes to the same bits. */
  private void goesOn() throws IOException {
    Disk.delete(DISK.resolve("ballast"));
    mount("-o", "remount,size=" + ENOUGH + "k", DISK);
    assertThat(train()).isEmpty();
    SameRun.assertSame(expected, out);
  }

  /** From a disk that holds nothing to one that holds all: what cannot end is not begun. */
  @Test
  void disksOfEverySize() throws IOException {
    int refused = 0;
    for (int size = 16; ; size += 100) {
      clean();
      mount("-o", "remount,size=" + size + "k", DISK);
      String message = train();
      nothingIsTorn();
      if (message.isEmpty()) break;
      assertThat(message).contains(": the run needs ");
      refused++;
      goesOn();
    }
    assertThat(refused).isPositive();
    SameRun.assertSame(expected, out);
  }

  /**
   * Others fill the disk while the run is saved for the n-th time, but for some KiB: of 300 a model
   * takes more, and a checkpoint as well.
   */
  @ParameterizedTest
  @CsvSource({"0, 1", "0, 2", "0, 3", "4, 1", "4, 2", "300, 1"})
  void aDiskThatFillsMeanwhile(int left, int n) throws IOException {
    try (var _ = new Meanwhile("OPEN", "state.json", n, _ -> fill(left))) {
      assertThat(train()).endsWith("No space left on device");
    }
    nothingIsTorn();
    assertThat(train()).as("it is full still").isNotEmpty();
    nothingIsTorn();
    goesOn();
  }

  @Test
  void aDiskThatCannotBeWritten() throws IOException {
    mount("-o", "remount,ro", DISK);
    try {
      assertThat(train())
          .isEqualTo("seekr: " + out + ": the folder cannot be made: Read-only file system");
    } finally {
      mount("-o", "remount,rw", DISK);
    }
    assertThat(out).doesNotExist();
    goesOn();
  }

  /** What is open goes on, and all else fails, as after an error of the file system. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void aDiskThatIsReadOnlyFromSomeMomentOn(int n) throws IOException {
    try (var readOnly = new ReadOnly();
        var _ = new Meanwhile("MAKE", ".%06d.part".formatted(n), 1, _ -> readOnly.now())) {
      assertThat(train()).contains(": Read-only file system");
      assertThat(train()).as("it is still").contains(": Read-only file system");
    }
    nothingIsTorn();
    goesOn();
  }

  /**
   * The run's folder is mounted once more, over itself, to be read alone: first aside, where nobody
   * has a file open that would forbid it, and then in its place in one step.
   */
  private final class ReadOnly implements AutoCloseable {
    private final Path aside = DISK.resolve("aside");
    private final List<Path> mounted = new ArrayList<>();

    void now() throws IOException {
      Files.createDirectories(aside);
      bind(out, aside);
      mount("-o", "remount,bind,ro", aside);
      bind(aside, out);
    }

    private void bind(Path from, Path to) throws IOException {
      mount("--bind", from, to);
      mounted.addFirst(to);
    }

    @Override
    public void close() throws IOException {
      for (Path folder : mounted) command("umount", folder);
    }
  }
}
