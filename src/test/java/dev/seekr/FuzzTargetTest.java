package dev.seekr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.Failure.Exit;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a fuzz target takes for a finding, and what it does not. */
class FuzzTargetTest {
  @TempDir Path folder;

  /** Does what the input says. */
  private static final class Obedient extends FuzzTarget {
    private int reads;
    private byte[] memory;

    Obedient() {
      super("x", Exit.DATA);
    }

    @Override
    protected Object read(Path file) throws IOException {
      String said = Files.readString(file);
      return switch (said) {
        case "read" -> said;
        case "refuse" -> throw Failure.data("%s: is refused", file);
        case "exit" -> throw Failure.config("%s: is refused", file);
        case "lines" -> throw new Failure(Exit.DATA, file + ": is refused\nand more");
        case "name" -> throw Failure.data("x: is refused");
        case "control" -> throw new Failure(Exit.DATA, file + ": is refused\u001b[2J");
        case "long" -> throw new Failure(Exit.DATA, file + ": " + "x".repeat(5000));
        case "throw" -> throw new IllegalStateException("thrown");
        case "unsound" -> {
          sound(reads < 0, "of no use");
          yield said;
        }
        case "change" -> ++reads;
        case "memory" -> {
          memory = new byte[20 << 20];
          yield said;
        }
        default -> throw new IllegalArgumentException(said);
      };
    }
  }

  private boolean reads(String input) throws IOException {
    return new Obedient().reads(folder, input.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void whatIsReadAndWhatIsRefused() throws IOException {
    assertThat(reads("read")).isTrue();
    assertThat(reads("refuse")).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "exit, exit CONFIG",
    "lines, several lines",
    "name, names no file: x: is refused",
    "control, control characters",
    "long, a long line",
    "throw, thrown",
    "unsound, not sound: of no use",
    "change, 'read as 1, and again as 2'",
    "memory, 6 bytes took 2"
  })
  void findings(String input, String message) {
    assertThatThrownBy(() -> reads(input)).hasMessageContaining(message);
  }
}
