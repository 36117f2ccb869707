package dev.seekr.ops.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileMeetingTest {
  private static final Duration LONG = Duration.ofMinutes(5), NOT_AT_ALL = Duration.ZERO;

  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void name() {
    file = folder.resolve("id");
  }

  private FileMeeting meeting(int rank, int ranks, String job, Duration patience) {
    return new FileMeeting(file, rank, ranks, job, patience);
  }

  private void meet(int ranks, String what) throws InterruptedException, ExecutionException {
    var expected = new ArrayList<String>();
    try (var threads = Executors.newFixedThreadPool(ranks)) {
      var all = new ArrayList<Future<List<String>>>();
      for (int r = 0; r < ranks; r++) {
        var meeting = meeting(r, ranks, "7", LONG);
        String mine = what + " of " + r;
        expected.add(mine);
        all.add(threads.submit(() -> meeting.gather(mine)));
      }
      for (var said : all) assertThat(said.get()).isEqualTo(expected);
    }
  }

  @Test
  void allHearAll() throws InterruptedException, ExecutionException, IOException {
    for (int ranks : new int[] {1, 2, 5}) meet(ranks, "word");
    try (var left = Files.list(folder)) {
      assertThat(left).containsExactly(file);
    }
  }

  private void nobodyComes(int rank, int ranks, String job, String words) {
    assertThatThrownBy(() -> meeting(rank, ranks, job, NOT_AT_ALL).gather("stale"))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(69))
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(words)
        .hasMessageContaining("all " + ranks + " processes must be started together");
  }

  @Test
  void whoDoesNotComeIsNamed() {
    nobodyComes(0, 3, "7", "rank(s) 1, 2 did not come within 0 s");
    nobodyComes(1, 3, "7", "rank 0, or another that it waits for, did not come");
    nobodyComes(0, 3, "7", "rank(s) 1, 2 did not come"); // 1 has left words, and is gone
  }

  /** What is left of starts that failed, and of one that did not. */
  @Test
  void anEarlierStartIsNotTakenForThisOne() throws InterruptedException, ExecutionException {
    for (int r = 1; r < 3; r++) nobodyComes(r, 3, "7", "rank 0");
    nobodyComes(0, 3, "7", "rank(s) 1, 2");
    assertThat(file).content().contains("stale");
    meet(3, "fresh");
    nobodyComes(1, 3, "7", "rank 0");
    meet(3, "fresher");
  }

  /** A process that was cut off belongs to an earlier attempt. */
  @Test
  void anotherJobIsNotTakenForThisOne() throws InterruptedException, ExecutionException {
    nobodyComes(1, 2, "7 attempt 1", "rank 0");
    nobodyComes(0, 2, "7 attempt 2", "rank(s) 1 (id.1 is of another job or attempt) did not");
    assertThat(file).doesNotExist();
    meet(2, "word");
  }

  @Test
  void aFolderThatIsNotThere() {
    file = folder.resolve("nowhere/id");
    assertThatThrownBy(() -> meeting(1, 2, "7", LONG).gather("word"))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(73))
        .hasMessageContaining("nowhere");
  }
}
