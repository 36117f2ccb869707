package dev.seekr.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.seekr.Failure;
import dev.seekr.disk.Disk;
import dev.seekr.disk.Injection;
import dev.seekr.disk.Injection.Mode;
import dev.seekr.disk.Meanwhile;
import dev.seekr.disk.RunFolder;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointsTest {
  private static final List<String> FILES =
      List.of("manifest.json", "method.safetensors", "state.json", "weights.safetensors");

  @TempDir Path path;
  private RunFolder run;
  private Checkpoints checkpoints;
  private Path reference;

  @BeforeEach
  void make() throws IOException {
    run = new RunFolder(path);
    checkpoints = new Checkpoints(run, 3, "a CPU");
    reference = Files.createDirectories(run.buffer(0)).resolve("x");
    Files.writeString(reference, "abc");
  }

  /** Weights that change seldom, something that does, and a file that goes on being read. */
  private StateWriter state(float weight, float other) {
    var state = new StateWriter();
    state.put("step", (int) other);
    var weights = state.section("weights");
    weights.seldomChanges();
    weights.tensor("flat", Tensor.of(new float[] {weight, 2}, 2));
    state.section("method").tensor("m", Tensor.of(new float[] {other}, 1));
    state.file(reference);
    return state;
  }

  private void write(float other, int keep) {
    checkpoints.write(state(1, other), 0, keep);
  }

  private Path checkpoint(int number) {
    return run.checkpoints().resolve("%06d".formatted(number));
  }

  private List<String> names() throws IOException {
    try (var all = Files.list(run.checkpoints())) {
      return all.map(p -> p.getFileName().toString()).sorted().toList();
    }
  }

  private static int step(Checkpoints.Found found) {
    try (var from = StateReader.open(found.path())) {
      return from.get("step", Integer.class);
    }
  }

  @Test
  void none() throws IOException {
    assertThat(Checkpoints.newest(run)).isEmpty();
    assertThat(Checkpoints.attempts(run)).isZero();
    Files.createDirectories(run.checkpoints().resolve(".000001.part"));
    for (String name : List.of("1", "0000001", "00000a", "000001.aside-1"))
      Files.createDirectories(run.checkpoints().resolve(name));
    assertThat(Checkpoints.newest(run)).isEmpty();
  }

  @Test
  void whatIsSavedIsFound() throws IOException {
    write(7, 2);
    var found = Checkpoints.newest(run).orElseThrow();
    assertThat(found.path()).isEqualTo(checkpoint(1));
    assertThat(found.damaged()).isEmpty();
    assertThat(step(found)).isEqualTo(7);
    assertThat(found.manifest().attempt()).isEqualTo(3);
    assertThat(found.manifest().stage()).isZero();
    assertThat(found.manifest().arithmetic()).isEqualTo("a CPU");
    assertThat(found.manifest().files().keySet())
        .containsExactlyInAnyOrder("method.safetensors", "state.json", "weights.safetensors");
    assertThat(found.manifest().references().keySet()).containsExactly("buffer/01/x");
    try (var all = Files.list(found.path())) {
      assertThat(all.map(p -> p.getFileName().toString()))
          .containsExactlyInAnyOrderElementsOf(FILES);
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 000005", "2, 000004 000005", "3, 000003 000004 000005"})
  void theNewestStay(int keep, String names) throws IOException {
    for (int i = 1; i <= 5; i++) write(i, keep);
    assertThat(names()).containsExactly(names.split(" "));
    assertThat(step(Checkpoints.newest(run).orElseThrow())).isEqualTo(5);
    checkpoints.keep(1);
    assertThat(names()).containsExactly("000005");
    checkpoints.keep(0);
    assertThat(names()).isEmpty();
  }

  /** A disk that does not give back what it took costs no older checkpoint. */
  @Test
  void anOlderOneStaysUntilTheNewOneWasReadBack() throws IOException {
    write(1, 1);
    for (String file : List.of("method.safetensors", "state.json", "weights.safetensors")) {
      try (var _ = new Meanwhile("READ", file, 0, CheckpointsTest::flip)) {
        var failure =
            catchThrowableOfType(Failure.class, () -> checkpoints.write(state(2, 2), 0, 1));
        assertThat(failure.exit.code).isEqualTo(65);
        assertThat(failure)
            .hasMessage(checkpoint(2).resolve(file) + ": holds other bytes than were written");
      }
      var found = Checkpoints.newest(run).orElseThrow();
      assertThat(step(found)).isEqualTo(1);
      Disk.delete(checkpoint(2));
    }
    try (var meanwhile = new Meanwhile("READ", "state.json", 1, CheckpointsTest::flip)) {
      write(3, 1);
      assertThat(meanwhile.count()).as("written anew, and read back again").isEqualTo(2);
    }
    assertThat(step(Checkpoints.newest(run).orElseThrow())).isEqualTo(3);
    assertThat(names()).containsExactly("000002");
  }

  private static void flip(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 1;
    Files.write(file, bytes);
  }

  /** What may happen to a file. */
  enum Damage {
    FLIPPED {
      @Override
      void to(Path file) throws IOException {
        flip(file);
      }
    },
    CUT {
      @Override
      void to(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        Files.write(file, java.util.Arrays.copyOf(bytes, bytes.length - 2));
      }
    },
    EMPTY {
      @Override
      void to(Path file) throws IOException {
        Files.write(file, new byte[0]);
      }
    },
    LONGER {
      @Override
      void to(Path file) throws IOException {
        Files.writeString(file, "}", java.nio.file.StandardOpenOption.APPEND);
      }
    },
    MISSING {
      @Override
      void to(Path file) throws IOException {
        Files.delete(file);
      }
    },
    A_FOLDER {
      @Override
      void to(Path file) throws IOException {
        Files.delete(file);
        Files.createDirectory(file);
      }
    };

    abstract void to(Path file) throws IOException;
  }

  @ParameterizedTest
  @org.junit.jupiter.params.provider.EnumSource
  void aDamagedOneIsLeftOut(Damage damage) throws IOException {
    for (String file : FILES) {
      write(1, 2);
      checkpoints.write(state(2, 2), 0, 2); // it shares no file
      Path newest = checkpoint(Integer.parseInt(names().getLast()));
      damage.to(newest.resolve(file));
      if (damage == Damage.FLIPPED && file.equals("manifest.json")) continue; // see below
      var found = Checkpoints.newest(run).orElseThrow();
      assertThat(step(found)).as(file).isEqualTo(1);
      assertThat(found.damaged())
          .singleElement()
          .asString()
          .startsWith(newest.resolve(file) + (file.equals("manifest.json") ? ":" : ": "))
          .hasLineCount(1);
      Disk.delete(newest);
    }
  }

  /** A file that two share is damaged in both. */
  @Test
  void aDamagedFileThatIsShared() throws IOException {
    write(1, 2);
    write(2, 2);
    flip(checkpoint(2).resolve("weights.safetensors"));
    var failure = catchThrowableOfType(Damaged.class, () -> Checkpoints.newest(run));
    assertThat(failure).hasMessageContaining("no checkpoint is whole");
    write(3, 2);
    assertThat(step(Checkpoints.newest(run).orElseThrow())).isEqualTo(3);
  }

  @Test
  void aDamagedReferenceIsDamageToo() throws IOException {
    write(1, 2);
    Files.writeString(reference, "abd");
    var failure = catchThrowableOfType(Damaged.class, () -> Checkpoints.newest(run));
    assertThat(failure)
        .hasMessage(
            "%s: no checkpoint is whole (%s: holds other bytes than were written); begin anew with train --fresh",
            path, reference);
    assertThat(failure.exit.code).isEqualTo(65);
  }

  @Test
  void noneIsWhole() throws IOException {
    write(1, 2);
    write(2, 2);
    for (int i : new int[] {1, 2}) Files.delete(checkpoint(i).resolve("state.json"));
    var failure = catchThrowableOfType(Damaged.class, () -> Checkpoints.newest(run));
    assertThat(failure)
        .hasMessage(
            "%s: no checkpoint is whole (%s: is missing); begin anew with train --fresh",
            path, checkpoint(2).resolve("state.json"));
    assertThat(names()).as("nothing is deleted").containsExactly("000001", "000002");
  }

  /** More files than are named do no harm. */
  @Test
  void moreFiles() throws IOException {
    write(1, 2);
    Files.writeString(checkpoint(1).resolve("notes.txt"), "mine");
    assertThat(Checkpoints.newest(run).orElseThrow().damaged()).isEmpty();
  }

  /** Any bit of a manifest: what it says then is true or refused, and nothing is thrown. */
  @Test
  void bitsOfAManifest() throws IOException {
    write(1, 2);
    write(2, 2);
    Path manifest = checkpoint(2).resolve("manifest.json");
    byte[] bytes = Files.readAllBytes(manifest);
    int refused = 0, tried = 150;
    for (int bit : new SplittableRandom(6).ints(tried, 0, 8 * bytes.length).toArray()) {
      bytes[bit / 8] ^= (byte) (1 << bit % 8);
      Files.write(manifest, bytes);
      var found = Checkpoints.newest(run).orElseThrow();
      int step = step(found);
      if (step == 1) {
        refused++;
        assertThat(found.damaged().getFirst()).hasLineCount(1);
      }
      bytes[bit / 8] ^= (byte) (1 << bit % 8);
    }
    // Spaces between words, and digits and letters that say where it came from, are not told.
    assertThat(refused).isGreaterThan(tried / 2);
  }

  @Test
  void attemptsAreThoseOfAll() throws IOException {
    write(1, 3);
    new Checkpoints(run, 9, "").write(state(1, 2), 0, 3);
    new Checkpoints(run, 4, "").write(state(1, 3), 0, 3);
    assertThat(Checkpoints.attempts(run)).isEqualTo(9);
    Files.writeString(checkpoint(2).resolve("manifest.json"), "torn");
    assertThat(Checkpoints.attempts(run)).isEqualTo(4);
  }

  private static boolean same(Path a, Path b, String file) throws IOException {
    return Files.isSameFile(a.resolve(file), b.resolve(file));
  }

  /** What has not changed is not written again, where it said that it seldom does. */
  @Test
  void unchangedFilesAreLinks() throws IOException {
    write(1, 3);
    write(1, 3);
    checkpoints.write(state(5, 1), 0, 3);
    assertThat(same(checkpoint(1), checkpoint(2), "weights.safetensors")).isTrue();
    assertThat(same(checkpoint(1), checkpoint(2), "method.safetensors")).isFalse();
    assertThat(same(checkpoint(1), checkpoint(2), "state.json")).isFalse();
    assertThat(same(checkpoint(2), checkpoint(3), "weights.safetensors")).isFalse();
    Disk.delete(checkpoint(1));
    Disk.delete(checkpoint(3));
    assertThat(Checkpoints.newest(run).orElseThrow().path()).isEqualTo(checkpoint(2));
  }

  /** A file that would be linked and is damaged by now is written anew: memory has it whole. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void damagedFilesAreNotLinked(boolean first) throws IOException {
    write(1, 2);
    if (!first) write(2, 2);
    Path last = checkpoint(first ? 1 : 2).resolve("weights.safetensors");
    byte[] bytes = Files.readAllBytes(last);
    Files.delete(last); // the link, so that an older one is whole
    bytes[bytes.length - 1] ^= 1;
    Files.write(last, bytes);
    write(3, 2);
    var found = Checkpoints.newest(run).orElseThrow();
    assertThat(found.damaged()).isEmpty();
    assertThat(step(found)).isEqualTo(3);
    assertThat(names()).hasSize(2).last().isEqualTo(first ? "000002" : "000003");
  }

  /** Numbers go on behind one that is damaged, and past six digits. */
  @Test
  void numbersGoOn() throws IOException {
    Files.createDirectories(checkpoint(999_998));
    write(1, 1);
    assertThat(names()).containsExactly("999999");
    write(2, 2);
    assertThat(Checkpoints.newest(run).orElseThrow().path()).isEqualTo(checkpoint(1_000_000));
    write(3, 2);
    assertThat(step(Checkpoints.newest(run).orElseThrow())).isEqualTo(3);
    assertThat(names()).containsExactly("1000000", "1000001");
  }

  /** What methods kept for a stage goes when the stage is over and no checkpoint reads it. */
  @Test
  void temporaryFilesOfStages() throws IOException {
    for (int stage : new int[] {0, 1, 2}) {
      Disk.makeFolder(run.recorded(stage));
      Disk.makeFolder(run.previous(stage).getParent());
      Files.writeString(run.previous(stage), "weights");
      Files.writeString(run.recorded(stage).resolve("x"), "said");
    }
    var reading = state(1, 1);
    reading.file(run.recorded(0).resolve("x"));
    checkpoints.write(reading, 1, 2);
    assertThat(run.recorded(0)).as("it is read").exists();
    assertThat(run.previous(0)).doesNotExist();
    assertThat(run.previous(1)).as("of the stage under way").exists();
    checkpoints.write(state(1, 2), 2, 2);
    assertThat(run.recorded(0)).as("an older checkpoint reads it").exists();
    assertThat(run.recorded(1)).doesNotExist();
    assertThat(run.previous(1)).doesNotExist();
    try (var _ = new Meanwhile("READ", "manifest.json", 3, CheckpointsTest::cannotBeRead)) {
      checkpoints.write(state(1, 3), 2, 3);
    }
    assertThat(run.recorded(0)).as("who reads it could not be told").exists();
    checkpoints.write(state(1, 4), 2, 2);
    assertThat(run.recorded(0)).doesNotExist();
    assertThat(run.recorded(2)).exists();
    assertThat(run.previous(2)).exists();
    checkpoints.write(state(1, 5), 3, 1);
    assertThat(run.recorded(2).getParent()).as("the next stage may write there").isEmptyDirectory();
    assertThat(run.previous(2).getParent()).isEmptyDirectory();
    checkpoints.finish(1);
    assertThat(run.recorded(2).getParent()).as("nothing is left in it").doesNotExist();
    assertThat(run.previous(2).getParent()).doesNotExist();
  }

  /** Of a stage under way, epochs older than all that are read; newer ones may be next. */
  @Test
  void epochsThatWereBestOnce() throws IOException {
    for (int stage : new int[] {0, 1}) {
      Disk.makeFolder(run.best(stage).getParent());
      Disk.makeFolder(run.best(stage));
      for (int epoch = 1; epoch <= 4; epoch++) Files.writeString(run.best(stage, epoch), "weights");
    }
    Path part = run.best(1).resolve(".000005.safetensors.part");
    Files.writeString(part, "wei");
    var older = state(1, 1);
    older.file(run.best(1, 2));
    checkpoints.write(older, 1, 2);
    assertThat(run.best(0)).doesNotExist();
    assertThat(run.best(1, 1)).doesNotExist();
    var newer = state(1, 2);
    newer.file(run.best(1, 3));
    checkpoints.write(newer, 1, 2);
    assertThat(run.best(1, 2)).as("an older checkpoint reads it").exists();
    checkpoints.write(newer, 1, 1);
    assertThat(run.best(1, 2)).doesNotExist();
    for (Path kept : List.of(run.best(1, 3), run.best(1, 4), part)) assertThat(kept).exists();
    checkpoints.write(state(1, 4), 2, 1);
    assertThat(run.best(1)).doesNotExist();
    checkpoints.finish(1);
    assertThat(run.best(0).getParent()).doesNotExist();
  }

  private static void cannotBeRead(Path file) throws IOException {
    throw new IOException("injected");
  }

  /** Whatever fails while one is written, the one before it or the new one is whole. */
  @Test
  void everyFault() throws IOException {
    int faults = 0;
    for (String op : Injection.OPS) {
      for (Mode mode : List.of(Mode.ALL_AFTER, Mode.SHORT)) {
        if (mode == Mode.SHORT && !op.equals("WRITE")) continue;
        for (int n = 1; ; n++) {
          Disk.delete(run.checkpoints());
          checkpoints = new Checkpoints(run, 3, "a CPU");
          write(1, 1);
          try (var injection = new Injection(path, op, mode, n)) {
            var failure = catchThrowableOfType(Failure.class, () -> write(2, 1));
            if (!injection.happened()) break;
            faults++;
            if (op.equals("READ") && failure == null) continue; // it can be done without
            assertThat(failure.getMessage()).startsWith(path.toString()).hasLineCount(1);
            assertThat(failure.exit.code).isIn(66, 73, 74);
          }
          Disk.sweep(path);
          var found = Checkpoints.newest(run).orElseThrow();
          assertThat(found.damaged()).isEmpty();
          assertThat(step(found)).isIn(1, 2);
          write(3, 1);
          assertThat(step(Checkpoints.newest(run).orElseThrow())).isEqualTo(3);
        }
      }
    }
    assertThat(faults).isGreaterThan(25);
  }
}
