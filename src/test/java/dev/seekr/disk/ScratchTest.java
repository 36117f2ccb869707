package dev.seekr.disk;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.Child;
import dev.seekr.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScratchTest {
  @TempDir Path temporary;

  @Test
  void itGoesWithAllInIt() throws IOException {
    Path first;
    try (var one = Scratch.create();
        var two = Scratch.create()) {
      first = one.folder();
      assertThat(two.folder()).isNotEqualTo(first);
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(first)))
          .isEqualTo("rwx------");
      Disk.makeFolder(first.resolve("a/b"));
      Disk.write(first.resolve("a/b/c"), "x");
    }
    assertThat(first).doesNotExist();
  }

  @Test
  void itMayBeGoneAlready() {
    try (var scratch = Scratch.create()) {
      Disk.delete(scratch.folder());
      assertThat(scratch.folder()).doesNotExist();
    }
  }

  /** Makes one and says what came of it. */
  static final class Making {
    public static void main(String[] args) {
      try (var scratch = Scratch.create()) {
        System.out.println(scratch.folder().getParent());
      } catch (Failure e) {
        System.out.println(e.exit.code + " " + e.getMessage());
      }
    }
  }

  private static String made(Path in) {
    try (var child = new Child(Map.of(), List.of("-Djava.io.tmpdir=" + in), Making.class)) {
      String line = child.out();
      assertThat(child.exit()).isZero();
      return line;
    }
  }

  @Test
  void whereNoneCanBeMade() throws IOException {
    assertThat(made(temporary)).isEqualTo(temporary.toString());
    assertThat(temporary).isEmptyDirectory();
    assertThat(made(temporary.resolve("none")))
        .isEqualTo("73 no folder for temporary files: no such file or folder");
  }
}
