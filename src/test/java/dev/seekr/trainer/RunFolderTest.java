package dev.seekr.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunFolderTest {
  @TempDir Path root;

  @Test
  void newAndEmptyFoldersAreTaken() throws IOException {
    assertThat(RunFolder.create(root.resolve("a/b")).path()).isEmptyDirectory();
    Path empty = Files.createDirectory(root.resolve("empty"));
    RunFolder.create(empty).writeConfig("x: 1\n");
    assertThat(empty.resolve("config.yaml")).hasContent("x: 1");
  }

  @Test
  void whatIsThereIsLeftAlone() throws IOException {
    Path file = Files.writeString(root.resolve("file"), "old");
    fails(file, 78, "is a file");
    fails(root, 78, "not empty");
    fails(file.resolve("below"), 73, "cannot be made");
    assertThat(file).hasContent("old");
    assertThat(root).isDirectoryContaining(file::equals);
  }

  @Test
  void stagesSortByTheirNumber() {
    var folder = new RunFolder(root);
    assertThat(folder.model(0, "all tasks")).hasFileName("01-all-tasks");
    assertThat(folder.model(11, "task195")).hasFileName("12-task195");
  }

  private static void fails(Path path, int exit, String message) {
    assertThatThrownBy(() -> RunFolder.create(path))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(exit))
        .hasMessageContaining(message);
  }
}
