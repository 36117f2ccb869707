package dev.seekr.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.Failure;
import dev.seekr.disk.Injection.Mode;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who has a folder, within this process. */
class AttemptTest {
  private static final long ME = ProcessHandle.current().pid();

  @TempDir Path temporary;
  private Path folder, file;
  private String host;

  @BeforeEach
  void make() throws IOException {
    folder = Files.createDirectory(temporary.resolve("run"));
    file = folder.resolve("attempt.json");
    host = InetAddress.getLocalHost().getHostName();
  }

  private JsonNode json() throws IOException {
    return new ObjectMapper().readTree(file.toFile());
  }

  /** As another process would have written it, some time ago. */
  private void holder(int number, long pid, String host, String job, Duration ago)
      throws IOException {
    Files.writeString(
        file,
        """
        {"attempt": %d, "pid": %d, "host": "%s", "job": "%s", "folder": "/elsewhere"}
        """
            .formatted(number, pid, host, job));
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().minus(ago)));
  }

  private static void fails(int exit, String message, ThrowingCallable action) {
    var failure = catchThrowableOfType(Failure.class, action);
    assertThat(failure).hasMessage(message);
    assertThat(failure.exit.code).isEqualTo(exit);
  }

  private void inUse(Path path, String by) {
    String message = path + " is in use by " + by + "; wait for it, or stop it";
    fails(73, message, () -> Attempt.take(path, 1));
  }

  @Test
  void theFirstOneSaysWhoItIs() throws IOException {
    try (var attempt = Attempt.take(folder, 1)) {
      assertThat(attempt.number()).isEqualTo(1);
      assertThat(attempt.workingFolder()).isEqualTo(Path.of("").toAbsolutePath());
      assertThat(json().path("attempt").intValue()).isEqualTo(1);
      assertThat(json().path("pid").longValue()).isEqualTo(ME);
      assertThat(json().path("host").textValue()).isEqualTo(host);
      assertThat(folder.resolve("lock")).isEmptyFile();
    }
    assertThat(json().path("pid").longValue()).as("nobody any more").isZero();
    assertThat(json().path("attempt").intValue()).isEqualTo(1);
  }

  @Test
  void numbersRise() {
    Attempt.take(folder, 1).close();
    try (var attempt = Attempt.take(folder, 1)) {
      assertThat(attempt.number()).isEqualTo(2);
    }
    try (var attempt = Attempt.take(folder, 7)) {
      assertThat(attempt.number()).as("at least what checkpoints have").isEqualTo(7);
    }
    try (var attempt = Attempt.take(folder, 3)) {
      assertThat(attempt.number()).isEqualTo(8);
    }
  }

  /** By whatever name the folder goes. */
  @Test
  void onlyOneInThisProcess() throws IOException {
    Path link = Files.createSymbolicLink(temporary.resolve("link"), folder);
    String me = "process %d on %s (attempt 1)".formatted(ME, host);
    Path detour = temporary.resolve("run/../run/.");
    try (var first = Attempt.take(folder, 1)) {
      for (Path name : new Path[] {folder, detour, link}) inUse(name, me);
      Disk.write(folder.resolve("x"), "the first one still has it");
      assertThat(first.number()).isEqualTo(1);
    }
    for (Path name : new Path[] {folder, detour, link}) Attempt.take(name, 1).close();
    assertThat(json().path("attempt").intValue()).isEqualTo(4);
  }

  /** What a stopped one gives back late is not what another has by then. */
  @Test
  void givenBackOnce() {
    var first = Attempt.take(folder, 1);
    first.close();
    try (var second = Attempt.take(folder, 1)) {
      first.close();
      inUse(folder, "process %d on %s (attempt 2)".formatted(ME, host));
      Disk.write(folder.resolve("x"), "the second still writes");
      assertThat(second.number()).isEqualTo(2);
    }
  }

  /** Where locks do not reach, the heartbeat tells. */
  @ParameterizedTest
  @CsvSource({"0, true", "30, true", "61, false", "100000, false", "-3600, true"})
  void aHolderOnAnotherMachine(int secondsAgo, boolean lives) throws IOException {
    holder(4, 1, "elsewhere", "", Duration.ofSeconds(secondsAgo));
    if (lives) {
      inUse(folder, "process 1 on elsewhere (attempt 4)");
      assertThat(json().path("attempt").intValue()).isEqualTo(4);
      return;
    }
    try (var attempt = Attempt.take(folder, 1)) {
      assertThat(attempt.number()).isEqualTo(5);
      assertThat(attempt.workingFolder()).as("that of the first").isEqualTo(Path.of("/elsewhere"));
    }
  }

  /** A holder shows that it lives, and never that another does. */
  @Test
  void theHeartbeat() throws IOException {
    var old = FileTime.from(Instant.now().minus(Duration.ofDays(1)));
    try (var attempt = Attempt.take(folder, 1)) {
      Files.setLastModifiedTime(file, old);
      attempt.pulse();
      assertThat(Files.getLastModifiedTime(file)).isGreaterThan(old);
      holder(2, 9, "elsewhere", "", Duration.ofDays(1));
      old = Files.getLastModifiedTime(file);
      attempt.pulse();
      assertThat(Files.getLastModifiedTime(file)).isEqualTo(old);
      Files.delete(file);
      attempt.pulse();
      assertThat(file).doesNotExist();
    }
  }

  @Test
  void holdersThatAreGone() throws IOException {
    holder(4, 0, "elsewhere", "", Duration.ZERO); // given back
    Attempt.take(folder, 1).close();
    assertThat(json().path("attempt").intValue()).isEqualTo(5);
    holder(7, 1, host, "", Duration.ZERO); // of this machine, and without the lock
    Attempt.take(folder, 1).close();
    assertThat(json().path("attempt").intValue()).isEqualTo(8);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "[]",
        "{\"attempt\": 5}",
        "{\"attempt\": 5.0, \"pid\": 1, \"host\": \"a\", \"job\": \"\", \"folder\": \"b\"}",
        "{\"attempt\": -5, \"pid\": 1, \"host\": \"a\", \"job\": \"\", \"folder\": \"b\"}",
        "{\"attempt\": 5, \"pid\": \"1\", \"host\": \"a\", \"job\": \"\", \"folder\": \"b\"}",
        "{\"attempt\": 5, \"pid\": 1, \"host\": null, \"job\": \"\", \"folder\": \"b\"}",
        "\u0000\u0000\u0000"
      })
  void aTornFileIsNobodys(String text) throws IOException {
    Files.writeString(file, text);
    try (var attempt = Attempt.take(folder, 3)) {
      assertThat(attempt.number()).isEqualTo(3);
      assertThat(attempt.workingFolder()).isEqualTo(Path.of("").toAbsolutePath());
      assertThat(json().path("attempt").intValue()).isEqualTo(3);
    }
  }

  /** Whoever is no longer the newest fails before it changes anything. */
  @Test
  void aNewerAttemptEndsTheOlder() throws IOException {
    Path old = folder.resolve("old"), log = folder.resolve("log"), outside = temporary.resolve("x");
    try (var attempt = Attempt.take(folder, 1);
        var appender = new Appender(log)) {
      Disk.write(old, "1");
      appender.line("1");
      holder(attempt.number() + 1, 9, "elsewhere", "", Duration.ZERO);
      String message =
          folder
              + ": process 9 on elsewhere (attempt 2) has taken over; this process (attempt 1) writes no more";
      Path b = folder.resolve("b");
      ThrowingCallable[] changes = {
        () -> Disk.write(old, "2"),
        () -> Disk.publish(old, "2"),
        () -> Disk.put(b, Disk.Content.of("2")),
        () -> Disk.tree(b, part -> Disk.put(part.resolve("c"), Disk.Content.of("2"))),
        () -> Disk.makeFolder(b),
        () -> Disk.rename(old, b),
        () -> Disk.aside(old),
        () -> Disk.delete(old),
        () -> Disk.link(old, b),
        () -> appender.line("2"),
        () -> appender.cut(0),
        () -> new Appender(log),
      };
      for (ThrowingCallable change : changes) fails(73, message, change);
      Disk.write(outside, "what is not in the folder is not its concern");
    }
    assertThat(old).hasContent("1");
    assertThat(log).hasContent("1\n");
    try (var all = Files.list(folder)) {
      assertThat(all).hasSize(4);
    }
    assertThat(json().path("pid").longValue()).as("the newer one's").isEqualTo(9);
  }

  @Test
  void aFileThatIsGoneOrTornEndsItToo() throws IOException {
    Path x = folder.resolve("x");
    String message = folder + ": its attempt.json is gone; this process (attempt 1) writes no more";
    try (var attempt = Attempt.take(folder, 1)) {
      assertThat(attempt.number()).isEqualTo(1);
      Files.delete(file);
      fails(73, message, () -> Disk.write(x, ""));
      Files.writeString(file, "{");
      fails(73, message, () -> Disk.write(x, ""));
    }
    assertThat(file).hasContent("{");
    assertThat(x).doesNotExist();
  }

  /** A comparison's folder, and a run in it. */
  @Test
  void folderInFolder() throws IOException {
    Path inner = Files.createDirectory(folder.resolve("inner"));
    try (var outside = Attempt.take(folder, 1);
        var inside = Attempt.take(inner, 1)) {
      assertThat(outside.number()).isEqualTo(inside.number());
      Disk.write(inner.resolve("x"), "");
      holder(2, 9, "elsewhere", "", Duration.ZERO);
      var failure = catchThrowableOfType(Failure.class, () -> Disk.write(inner.resolve("y"), ""));
      assertThat(failure).hasMessageStartingWith(folder + ": process 9 on elsewhere (attempt 2)");
    }
    assertThat(inner.resolve("y")).doesNotExist();
  }

  /** What does not come about holds nothing. */
  @ParameterizedTest
  @CsvSource({
    "OPEN, 1, 73, lock: cannot be made: injected: OPEN number 1",
    "OPEN, 2, 73, .attempt.json.part: cannot be made: injected: OPEN number 2",
    "WRITE, 1, 74, .attempt.json.part: cannot be written: injected: WRITE number 1",
    "RENAME, 1, 74, attempt.json: cannot be written: injected: RENAME number 1"
  })
  void aFailedAttemptIsNone(String op, int n, int exit, String message) {
    try (var _ = new Injection(folder, op, Mode.ALL_AFTER, n)) {
      fails(exit, folder + "/" + message, () -> Attempt.take(folder, 1));
    }
    try (var attempt = Attempt.take(folder, 1)) {
      assertThat(attempt.number()).isEqualTo(1);
    }
  }

  @Test
  void placesThatNobodyCanHave() throws IOException {
    Path none = temporary.resolve("none");
    fails(
        73,
        none.resolve("lock") + ": cannot be made: no such file or folder",
        () -> Attempt.take(none, 1));
    Files.createDirectory(file);
    fails(74, file + ": cannot be read: Is a directory", () -> Attempt.take(folder, 1));
  }

  /** One that came and went while this one waited for the lock counts as well. */
  @Test
  void theNumberIsThatOfTheLastHolder() throws IOException {
    holder(1, 0, host, "", Duration.ZERO);
    try (var _ = new Meanwhile("OPEN", "lock", 1, _ -> holder(5, 0, host, "", Duration.ZERO));
        var attempt = Attempt.take(folder, 1)) {
      assertThat(attempt.number()).isEqualTo(6);
    }
  }
}
