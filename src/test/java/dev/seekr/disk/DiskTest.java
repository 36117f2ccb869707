package dev.seekr.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.seekr.Failure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.SplittableRandom;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiskTest {
  private static final String FILE = "rw-------", FOLDER = "rwx------";

  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void nameAFile() {
    file = folder.resolve("a.txt");
  }

  private static String permissions(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  /** Everything below the folder, by name. */
  private List<String> all() throws IOException {
    try (var walk = Files.walk(folder)) {
      return walk.skip(1).map(p -> folder.relativize(p).toString()).sorted().toList();
    }
  }

  private static void fails(int exit, String message, ThrowingCallable action) {
    var failure = catchThrowableOfType(Failure.class, action);
    assertThat(failure).hasMessage(message);
    assertThat(failure.exit.code).isEqualTo(exit);
  }

  @Test
  void aFileIsForItsOwnerAlone() throws IOException {
    Files.writeString(file, "a longer text that was there before");
    assertThat(permissions(file)).as("what a plain file has here").isNotEqualTo(FILE);
    Disk.write(file, "é\n");
    assertThat(file).hasContent("é\n");
    assertThat(permissions(file)).isEqualTo(FILE);
    assertThat(all()).containsExactly("a.txt");
  }

  @Test
  void whatIsPublishedIsForAllThatMayReadAPlainFile() throws IOException {
    Path plain = Files.createFile(folder.resolve("plain"));
    Disk.write(file, "old");
    Disk.publish(file, "new");
    assertThat(file).hasContent("new");
    assertThat(permissions(file)).isEqualTo(permissions(plain));
    assertThat(all()).containsExactly("a.txt", "plain");
  }

  @Test
  void manyPiecesAreOneFile() throws IOException {
    byte[] bytes = new byte[100_003];
    new SplittableRandom(1).nextBytes(bytes);
    var written =
        Disk.write(
            file,
            (Disk.Content)
                out -> {
                  for (int i = 0; i < bytes.length; i += 1000) {
                    int n = Math.min(1000, bytes.length - i);
                    assertThat(out.write(ByteBuffer.wrap(bytes, i, n))).isEqualTo(n);
                  }
                });
    assertThat(Files.readAllBytes(file)).isEqualTo(bytes);
    assertThat(written).isEqualTo(Fingerprint.of(ByteBuffer.wrap(bytes)));
  }

  /** A name without a folder is one in the current folder. */
  @Test
  void relativePaths() throws IOException {
    Path relative = Path.of("").toAbsolutePath().relativize(file.toAbsolutePath());
    Disk.write(relative, "x");
    assertThat(file).hasContent("x");
    Disk.delete(relative);
    assertThat(all()).isEmpty();
  }

  /** What a killed writer left lends the new file neither its permissions nor its place. */
  @Test
  void leftPartsAreNotWrittenInto() throws IOException {
    Path part = folder.resolve(".a.txt.part"), other = folder.resolve("other");
    Files.writeString(part, "half of something");
    Disk.write(file, "1");
    assertThat(permissions(file)).isEqualTo(FILE);

    Files.writeString(other, "another's");
    Files.createSymbolicLink(part, other);
    Disk.write(file, "2");
    assertThat(other).hasContent("another's");
    assertThat(file).hasContent("2").isRegularFile();
    assertThat(Files.isSymbolicLink(file)).isFalse();

    Files.createDirectories(part.resolve("x/y"));
    Disk.write(file, "3");
    assertThat(file).hasContent("3");
    assertThat(all()).containsExactly("a.txt", "other");
  }

  @Test
  void aWriterThatBreaksOffLeavesTheOldFile() throws IOException {
    Disk.write(file, "old");
    assertThatThrownBy(
            () ->
                Disk.write(
                    file,
                    (Disk.Content)
                        out -> {
                          out.write(ByteBuffer.allocate(5));
                          throw new IllegalStateException("odd");
                        }))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("odd");
    assertThat(file).hasContent("old");
    assertThat(all()).containsExactly("a.txt");
  }

  @Test
  void placesWhereNoFileCanBe() throws IOException {
    Path none = folder.resolve("none/a.txt");
    fails(
        73,
        folder.resolve("none/.a.txt.part") + ": cannot be made: no such file or folder",
        () -> Disk.write(none, "x"));
    assertThat(none.getParent()).doesNotExist();
    Files.writeString(file, "a file");
    fails(
        73,
        file.resolve(".b.part") + ": cannot be made: Not a directory",
        () -> Disk.write(file.resolve("b"), "x"));
    Path taken = Files.createDirectories(folder.resolve("taken/full")).getParent();
    fails(74, taken + ": cannot be written: Is a directory", () -> Disk.write(taken, "x"));
    assertThat(all()).containsExactly("a.txt", "taken", "taken/full");
  }

  @Test
  void aTreeTakesThePlaceOfTheOldOne() throws IOException {
    Path tree = folder.resolve("tree");
    Disk.tree(tree, part -> Disk.put(part.resolve("old"), Disk.Content.of("1")));
    Disk.tree(
        tree,
        part -> {
          assertThat(part).isEmptyDirectory();
          Disk.makeFolder(part.resolve("in"));
          Disk.put(part.resolve("in/new"), Disk.Content.of("2"));
          Disk.put(part.resolve("empty"), Disk.Content.of(""));
        });
    assertThat(all()).containsExactly("tree", "tree/empty", "tree/in", "tree/in/new");
    assertThat(tree.resolve("in/new")).hasContent("2");
    assertThat(permissions(tree)).isEqualTo(FOLDER);
    assertThat(permissions(tree.resolve("in"))).isEqualTo(FOLDER);
    assertThat(permissions(tree.resolve("in/new"))).isEqualTo(FILE);
  }

  @Test
  void aTreeThatIsBrokenOffLeavesTheOldOne() throws IOException {
    Path tree = folder.resolve("tree");
    Disk.tree(tree, part -> Disk.put(part.resolve("old"), Disk.Content.of("1")));
    assertThatThrownBy(
            () ->
                Disk.tree(
                    tree,
                    part -> {
                      Disk.put(part.resolve("new"), Disk.Content.of("2"));
                      throw new OutOfMemoryError("odd");
                    }))
        .isInstanceOf(OutOfMemoryError.class);
    assertThat(all()).containsExactly("tree", "tree/old");
  }

  /** A tree's file is written once; what a killed process left of a tree is not taken over. */
  @Test
  void treesBeginEmpty() throws IOException {
    Path tree = folder.resolve("tree"), left = folder.resolve(".tree.part");
    Files.createDirectories(left.resolve("x"));
    Files.writeString(Files.createDirectory(folder.resolve(".tree.deleted")).resolve("y"), "");
    Files.writeString(tree, "a file of that name");
    Disk.tree(tree, part -> Disk.put(part.resolve("a"), Disk.Content.of("1")));
    Disk.tree(tree, part -> Disk.put(part.resolve("a"), Disk.Content.of("2")));
    assertThat(tree.resolve("a")).hasContent("2");
    assertThat(all()).containsExactly("tree", "tree/a");
    fails(
        73,
        left.resolve("a") + ": cannot be made: something of that name is there already",
        () ->
            Disk.tree(
                tree,
                part -> {
                  Disk.put(part.resolve("a"), Disk.Content.of("3"));
                  Disk.put(part.resolve("a"), Disk.Content.of("4"));
                }));
    assertThat(tree.resolve("a")).hasContent("2");
    assertThat(all()).containsExactly("tree", "tree/a");
  }

  @Test
  void foldersAreForTheirOwnerAlone() throws IOException {
    Path deep = folder.resolve("a/b/c");
    Disk.makeFolder(deep);
    for (String made : List.of("a", "a/b", "a/b/c"))
      assertThat(permissions(folder.resolve(made))).as(made).isEqualTo(FOLDER);
    Disk.makeFolder(deep);
    Disk.write(file, "");
    fails(
        73,
        file + ": the folder cannot be made: something of that name is there already",
        () -> Disk.makeFolder(file));
    fails(
        73,
        file.resolve("x") + ": the folder cannot be made: Not a directory",
        () -> Disk.makeFolder(file.resolve("x")));
  }

  @Test
  void nothingIsRenamedOverSomething() throws IOException {
    Disk.write(file, "a");
    Path b = folder.resolve("b.txt");
    Disk.rename(file, b);
    assertThat(b).hasContent("a");
    Disk.write(file, "new");
    fails(
        74,
        file + ": cannot be renamed to b.txt: something of that name is there already",
        () -> Disk.rename(file, b));
    assertThat(file).hasContent("new");
    assertThat(b).hasContent("a");
    Path none = folder.resolve("none");
    fails(
        74,
        none + ": cannot be renamed to c: no such file or folder",
        () -> Disk.rename(none, folder.resolve("c")));
  }

  @Test
  void asideIsTheFirstNumberThatIsFree() throws IOException {
    for (String content : List.of("1", "2", "3")) {
      Path run = Files.createDirectory(folder.resolve("run"));
      Files.writeString(run.resolve("x"), content);
      if (content.equals("2")) Files.writeString(folder.resolve("run.aside-2"), "taken");
      String number = content.equals("1") ? "1" : content.equals("2") ? "3" : "4";
      Path aside = Disk.aside(run);
      assertThat(aside).isEqualTo(folder.resolve("run.aside-" + number));
      assertThat(aside.resolve("x")).hasContent(content);
      assertThat(run).doesNotExist();
    }
    assertThat(folder.resolve("run.aside-2")).hasContent("taken");
  }

  /** Links are deleted and not followed. */
  @Test
  void whatIsDeletedIsGoneWithAllInIt() throws IOException {
    Path outside = Files.createDirectory(folder.resolve("outside"));
    Files.writeString(outside.resolve("x"), "kept");
    Path tree = Files.createDirectories(folder.resolve("tree/a/b"));
    Files.createSymbolicLink(tree.resolve("link"), outside);
    Files.createSymbolicLink(tree.resolve("dangling"), folder.resolve("nowhere"));
    Path link = Files.createSymbolicLink(folder.resolve("link"), outside);
    Path dangling = Files.createSymbolicLink(folder.resolve("dangling"), folder.resolve("nowhere"));
    Disk.write(file, "");
    for (Path path : List.of(folder.resolve("tree"), link, dangling, file, folder.resolve("none")))
      Disk.delete(path);
    assertThat(all()).containsExactly("outside", "outside/x");
  }

  @Test
  void onlyWhatWritersLeftIsSwept() throws IOException {
    for (String name : List.of(".a.part", "in/.b.part", "in/.c.deleted/d/e", ".f.part/.g.part/h")) {
      Path path = folder.resolve(name);
      Files.createDirectories(path.getParent());
      Files.writeString(path, "");
    }
    var kept = List.of(".hidden", "a.part", "b.deleted", "in", "in/.part.x", "in/x.part");
    for (String name : kept) if (!name.equals("in")) Files.writeString(folder.resolve(name), name);
    Disk.sweep(folder);
    assertThat(all()).isEqualTo(kept);
    Path none = folder.resolve("none");
    fails(
        74,
        none + ": cannot be cleaned of unfinished files: no such file or folder",
        () -> Disk.sweep(none));
  }

  @Test
  void aLinkIsTheSameFile() throws IOException {
    Disk.write(file, "a");
    Path b = folder.resolve("b");
    Disk.link(file, b);
    assertThat(Files.isSameFile(file, b)).isTrue();
    assertThat(Files.isSymbolicLink(b)).isFalse();
    Disk.write(file, "another");
    assertThat(b).as("a file that is written anew is another one").hasContent("a");
    fails(
        73,
        b + ": cannot be made: something of that name is there already",
        () -> Disk.link(file, b));
    Path none = folder.resolve("none"), c = folder.resolve("c");
    fails(73, c + ": cannot be made: no such file or folder", () -> Disk.link(none, c));
    assertThat(all()).containsExactly("a.txt", "b");
  }
}
