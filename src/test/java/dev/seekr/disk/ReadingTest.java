package dev.seekr.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.SplittableRandom;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReadingTest {
  @TempDir Path folder;

  private static void fails(int exit, String message, ThrowingCallable action) {
    var failure = catchThrowableOfType(Failure.class, action);
    assertThat(failure).hasMessage(message);
    assertThat(failure.exit.code).isEqualTo(exit);
  }

  @Test
  void whatIsThere() throws IOException {
    Path file = Files.writeString(folder.resolve("a"), "\ufeffé\r\n\0");
    assertThat(Reading.text(file)).isEqualTo("\ufeffé\r\n\0");
    assertThat(Reading.bytes(file)).isEqualTo(Files.readAllBytes(file)).hasSize(8);
    assertThat(Reading.text(Files.createFile(folder.resolve("empty")))).isEmpty();
  }

  @Test
  void whatIsMissingOrIsNoFile() {
    Path none = folder.resolve("none");
    String message = none + ": cannot be read: no such file or folder";
    fails(66, message, () -> Reading.bytes(none));
    fails(66, message, () -> Reading.text(none));
    fails(74, message, () -> Reading.bytes(none, Exit.IO));
    fails(74, message, () -> Reading.fingerprint(none));
    fails(66, message, () -> Reading.list(none));
    fails(66, folder + ": cannot be read: Is a directory", () -> Reading.text(folder));
    fails(74, folder + ": cannot be read: Is a directory", () -> Reading.fingerprint(folder));
  }

  /** As the system says it, and one that fails while it is read. */
  @Test
  void whatCannotBeRead() throws IOException {
    Path file = Files.writeString(folder.resolve("a"), "abc");
    try (var _ = new Injection(folder, "READ", Injection.Mode.ALL_AFTER, 1)) {
      fails(66, file + ": cannot be read: injected: READ number 1", () -> Reading.bytes(file));
      String later = file + ": cannot be read: injected: nothing works any more";
      fails(66, later, () -> Reading.text(file));
      fails(74, later, () -> Reading.fingerprint(file));
    }
    assertThat(Reading.text(file)).isEqualTo("abc");
  }

  @Test
  void textIsUtf8() throws IOException {
    byte[][] none = {
      {'a', (byte) 0xff}, // no beginning of any character
      {(byte) 0xc3}, // half of one
      {(byte) 0xed, (byte) 0xa0, (byte) 0x80}, // half of a pair
      {(byte) 0xc0, (byte) 0x80}, // 0, too long
    };
    Path file = folder.resolve("a");
    for (byte[] bytes : none) {
      Files.write(file, bytes);
      fails(
          65, file + ": expected UTF-8 text, found bytes that are none", () -> Reading.text(file));
      assertThat(Reading.bytes(file)).isEqualTo(bytes);
    }
  }

  @Test
  void linesThatHaveTheirEnd() throws IOException {
    Path file = folder.resolve("a");
    for (String end : new String[] {"", "x", "é"}) {
      Files.writeString(file, "é\n\n" + end);
      assertThat(Reading.lines(file)).isEqualTo("é\n\n");
    }
    Files.write(file, new byte[] {'a', '\n', (byte) 0xc3});
    assertThat(Reading.lines(file)).isEqualTo("a\n");
    Files.writeString(file, "a");
    assertThat(Reading.lines(file)).isEmpty();
  }

  @Test
  void foldersAreListedByName() throws IOException {
    for (String name : new String[] {"b", "a", "10", "9", ".hidden"})
      Files.createFile(folder.resolve(name));
    Files.createDirectory(folder.resolve("c"));
    assertThat(Reading.list(folder))
        .extracting(p -> p.getFileName().toString())
        .containsExactly("10", "9", "a", "b", "c");
  }

  @Test
  void sizesAddUp() throws IOException {
    assertThat(Reading.size(folder.resolve("none"))).isZero();
    Path in = Files.createDirectories(folder.resolve("a/b"));
    Files.write(in.resolve("x"), new byte[1000]);
    Files.write(in.resolve(".y"), new byte[24]);
    Files.createSymbolicLink(in.resolve("dangling"), folder.resolve("nowhere"));
    assertThat(Reading.size(folder)).isEqualTo(1024);
    assertThat(Reading.size(in.resolve("x"))).isEqualTo(1000);
  }

  /** Where nothing is yet, what counts is the folder that it would be made in. */
  @Test
  void freeIsToldOfWhatIsNotMadeYet() throws IOException {
    assertThat(Reading.free(folder)).isPositive();
    assertThat(Reading.free(folder.resolve("a/b/c"))).isPositive();
    assertThat(Reading.free(Path.of("/proc/none"))).isZero();
    assertThat(Reading.free(Path.of("none/such"))).isPositive();
  }

  @Test
  void anyPieceOfAFile() throws IOException {
    byte[] bytes = new byte[(1 << 22) + 77]; // more than is read at once
    new SplittableRandom(3).nextBytes(bytes);
    Path file = Files.write(folder.resolve("a"), bytes);
    try (var channel = Reading.open(file);
        var arena = Arena.ofConfined()) {
      var into = arena.allocate(bytes.length - 3);
      Reading.fully(channel, 3, into);
      assertThat(into.mismatch(MemorySegment.ofArray(bytes).asSlice(3))).isEqualTo(-1);
      Reading.fully(channel, bytes.length, arena.allocate(1).asSlice(0, 0));
    }
  }

  @Test
  void aFileThatIsCutWhileItIsRead() throws IOException {
    Path file = Files.write(folder.resolve("a"), new byte[100]);
    try (var channel = Reading.open(file)) {
      var into = MemorySegment.ofArray(new byte[60]);
      Reading.fully(channel, 40, into);
      try (var other = FileChannel.open(file, StandardOpenOption.WRITE)) {
        other.truncate(99);
      }
      assertThatThrownBy(() -> Reading.fully(channel, 40, into))
          .isInstanceOf(EOFException.class)
          .hasMessage("it has become shorter than it was");
      Reading.fully(channel, 39, into);
    }
  }

  @Test
  void reasonsAreWords() {
    assertThat(Reading.reason(new NoSuchFileException("/a"))).isEqualTo("no such file or folder");
    assertThat(Reading.reason(new AccessDeniedException("/a"))).isEqualTo("permission denied");
    assertThat(Reading.reason(new FileAlreadyExistsException("/a")))
        .isEqualTo("something of that name is there already");
    assertThat(Reading.reason(new FileSystemException("/a", null, "Disk quota exceeded")))
        .isEqualTo("Disk quota exceeded");
    assertThat(Reading.reason(new FileSystemException("/a"))).isEqualTo("/a");
    assertThat(Reading.reason(new IOException("odd"))).isEqualTo("odd");
    assertThat(Reading.reason(new IOException())).isEqualTo("java.io.IOException");
  }
}
