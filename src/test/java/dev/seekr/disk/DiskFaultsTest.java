package dev.seekr.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.seekr.Failure;
import dev.seekr.disk.Injection.Mode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever fails, and whether or not anything works after it, what is on disk is old or new. */
class DiskFaultsTest {
  @TempDir Path folder;

  private List<String> all() throws IOException {
    try (var walk = Files.walk(folder)) {
      return walk.skip(1).map(p -> folder.relativize(p).toString()).sorted().toList();
    }
  }

  /** Has the n-th operation fail; returns what was said, null: there was no n-th. */
  private Failure fail(String op, Mode mode, int n, Runnable action) {
    try (var injection = new Injection(folder, op, mode, n)) {
      var failure = catchThrowableOfType(Failure.class, action::run);
      assertThat(injection.happened()).as(op + " " + n).isEqualTo(failure != null);
      return failure;
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          OPEN   | 1 | 73 | old | .a.part: cannot be made: injected: OPEN number 1
          WRITE  | 1 | 74 | old | .a.part: cannot be written: injected: WRITE number 1
          WRITE  | 2 | 74 | old | .a.part: cannot be written: injected: WRITE number 2
          FORCE  | 1 | 74 | old | .a.part: cannot be written: injected: FORCE number 1
          RENAME | 1 | 74 | old | a: cannot be written: injected: RENAME number 1
          FORCE  | 2 | 74 | new | a: cannot be written: injected: FORCE number 2
          """)
  void aFileIsOldOrNew(String op, int n, int exit, String content, String message)
      throws IOException {
    Path file = folder.resolve("a");
    Disk.Content twice =
        out -> {
          Disk.Content.of("ne").writeTo(out);
          Disk.Content.of("w").writeTo(out);
        };
    for (Mode mode : Mode.values()) {
      if (mode == Mode.SHORT && !op.equals("WRITE")) continue;
      Disk.write(file, "old");
      var failure = fail(op, mode, n, () -> Disk.write(file, twice));
      assertThat(failure.exit.code).isEqualTo(exit);
      String full = ".a.part: cannot be written: No space left on device";
      assertThat(failure).hasMessage(folder + "/" + (mode == Mode.SHORT ? full : message));
      assertThat(file).hasContent(content);
      if (mode == Mode.ONCE) assertThat(all()).containsExactly("a");
      Disk.sweep(folder);
      assertThat(all()).containsExactly("a");
    }
  }

  @Test
  void noOtherFaultIsPossible() {
    Path file = folder.resolve("a");
    for (String op : Injection.OPS) {
      int most = op.equals("FORCE") ? 2 : List.of("OPEN", "WRITE", "RENAME").contains(op) ? 1 : 0;
      assertThat(fail(op, Mode.ONCE, most + 1, () -> Disk.write(file, "new"))).isNull();
    }
  }

  private void fill(Path tree, String content) {
    Disk.tree(
        tree,
        part -> {
          Disk.put(part.resolve("x"), Disk.Content.of(content));
          Disk.put(part.resolve("y"), Disk.Content.of(content));
        });
  }

  /** Every fault there can be, one after the other. */
  @ParameterizedTest
  @EnumSource
  void aTreeIsOldOrNewOrNotThere(Mode mode) throws IOException {
    Path tree = folder.resolve("tree");
    int faults = 0;
    for (String op : Injection.OPS) {
      if (mode == Mode.SHORT && !op.equals("WRITE")) continue;
      for (int n = 1; ; n++) {
        fill(tree, "old");
        var failure = fail(op, mode, n, () -> fill(tree, "new"));
        if (failure == null) break;
        faults++;
        String what = "%s %d: %s".formatted(op, n, failure.getMessage());
        assertThat(failure.exit.code).as(what).isBetween(73, 74);
        assertThat(failure.getMessage()).startsWith(folder.toString()).hasLineCount(1);
        Disk.sweep(folder);
        if (Files.exists(tree)) {
          assertThat(all()).as(what).containsExactly("tree", "tree/x", "tree/y");
          String content = Files.readString(tree.resolve("x"));
          assertThat(content).as(what).isIn("old", "new");
          assertThat(tree.resolve("y")).as(what).hasContent(content);
        } else {
          assertThat(all()).as(what).isEmpty();
        }
      }
    }
    assertThat(faults).isEqualTo(mode == Mode.SHORT ? 2 : 15);
  }

  /** Under its own name nothing is there in part; what could not be deleted goes the next time. */
  @ParameterizedTest
  @CsvSource({"RENAME, 1, true", "DELETE, 1, false", "DELETE, 2, false", "DELETE, 3, false"})
  void aFolderIsWholeUntilItIsGone(String op, int n, boolean there) throws IOException {
    Path tree = folder.resolve("tree");
    for (Mode mode : List.of(Mode.ONCE, Mode.ALL_AFTER)) {
      fill(tree, "old");
      var failure = fail(op, mode, n, () -> Disk.delete(tree));
      assertThat(failure.exit.code).isEqualTo(74);
      assertThat(failure).hasMessage("%s: cannot be deleted: injected: %s number %d", tree, op, n);
      if (there) assertThat(all()).containsExactly("tree", "tree/x", "tree/y");
      else assertThat(tree).doesNotExist();
      fill(tree, "new");
      Disk.delete(tree);
      assertThat(all()).isEmpty();
    }
  }

  @Test
  void foldersAndLinks() throws IOException {
    Path made = folder.resolve("made"), file = folder.resolve("a"), link = folder.resolve("b");
    Disk.write(file, "1");
    var failure = fail("MAKE", Mode.ONCE, 1, () -> Disk.makeFolder(made));
    assertThat(failure).hasMessage(made + ": the folder cannot be made: injected: MAKE number 1");
    assertThat(failure.exit.code).isEqualTo(73);
    failure = fail("OPEN", Mode.ONCE, 1, () -> Disk.link(file, link));
    assertThat(failure).hasMessage(link + ": cannot be made: injected: OPEN number 1");
    assertThat(failure.exit.code).isEqualTo(73);
    failure = fail("RENAME", Mode.ONCE, 1, () -> Disk.aside(file));
    assertThat(failure)
        .hasMessage(file + ": cannot be renamed to a.aside-1: injected: RENAME number 1");
    assertThat(failure.exit.code).isEqualTo(74);
    assertThat(all()).containsExactly("a");
  }
}
