package dev.seekr.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.seekr.Failure;
import dev.seekr.disk.Injection.Mode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AppenderTest {
  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void name() {
    file = folder.resolve("log");
  }

  private static void fails(int exit, String message, ThrowingCallable action) {
    var failure = catchThrowableOfType(Failure.class, action);
    assertThat(failure).hasMessage(message);
    assertThat(failure.exit.code).isEqualTo(exit);
  }

  @Test
  void linesCanBeReadAtOnceAndStay() throws IOException {
    try (var log = new Appender(file)) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
          .isEqualTo("rw-------");
      assertThat(log.force()).isZero();
      log.line("é");
      assertThat(file).hasContent("é\n");
      log.line("");
      assertThat(log.force()).isEqualTo(4);
    }
    try (var log = new Appender(file)) {
      log.line("b");
    }
    assertThat(Files.readString(file)).isEqualTo("é\n\nb\n");
  }

  @Test
  void whatIsCutIsGoneAndTheNextLineFollows() throws IOException {
    try (var log = new Appender(file)) {
      log.line("first");
      long bytes = log.force();
      log.line("second");
      log.cut(bytes);
      assertThat(file).hasContent("first\n");
      log.cut(bytes);
      log.line("third");
      assertThat(Files.readString(file)).isEqualTo("first\nthird\n");
      String shorter = "has 12 bytes, of 13 when the run was saved; it was cut or replaced since";
      fails(65, file + ": " + shorter, () -> log.cut(13));
      assertThat(Files.readString(file)).isEqualTo("first\nthird\n");
      log.cut(0);
      assertThat(file).isEmptyFile();
    }
  }

  /** Half a line is taken away again, and the next one is whole. */
  @Test
  void aLineIsThereWholeOrNotAtAll() throws IOException {
    try (var log = new Appender(file)) {
      log.line("one");
      try (var _ = new Injection(folder, "WRITE", Mode.SHORT, 1)) {
        String full = file + ": cannot be written: No space left on device";
        fails(74, full, () -> log.line("a longer line"));
      }
      assertThat(Files.readString(file)).isEqualTo("one\n");
      try (var _ = new Injection(folder, "WRITE", Mode.ONCE, 1)) {
        fails(74, file + ": cannot be written: injected: WRITE number 1", () -> log.line("two"));
        log.line("three");
      }
    }
    assertThat(Files.readString(file)).isEqualTo("one\nthree\n");
  }

  @Test
  void faultsOfTheDiskAreSaid() {
    try (var _ = new Injection(folder, "OPEN", Mode.ONCE, 1)) {
      fails(73, file + ": cannot be opened: injected: OPEN number 1", () -> new Appender(file));
    }
    var log = new Appender(file);
    log.line("one");
    try (var _ = new Injection(folder, "FORCE", Mode.ALL_AFTER, 1)) {
      fails(74, file + ": cannot be written: injected: FORCE number 1", log::force);
      fails(74, file + ": cannot be closed: injected: nothing works any more", log::close);
    }
    log.close(); // it is closed already
    fails(
        74,
        file + ": cannot be written: java.nio.channels.ClosedChannelException",
        () -> log.line("x"));
    assertThat(file).hasContent("one\n");
  }

  @Test
  void whereThereCanBeNone() {
    fails(73, folder + ": cannot be opened: Is a directory", () -> new Appender(folder));
    Path none = folder.resolve("none/log");
    fails(73, none + ": cannot be opened: no such file or folder", () -> new Appender(none));
  }
}
