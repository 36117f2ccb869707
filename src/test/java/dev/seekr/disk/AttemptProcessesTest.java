package dev.seekr.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.seekr.Child;
import dev.seekr.Failure;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who has a folder, among several processes. */
class AttemptProcessesTest {
  @TempDir Path folder;

  private static String host() throws IOException {
    return InetAddress.getLocalHost().getHostName();
  }

  @Test
  void anotherProcessIsNamedUntilItEnds() throws IOException {
    try (var child = new Child(Holder.class, folder.toString())) {
      assertThat(child.out()).isEqualTo("has it, attempt 1");
      var failure = catchThrowableOfType(Failure.class, () -> Attempt.take(folder, 1));
      assertThat(failure.exit.code).isEqualTo(73);
      assertThat(failure)
          .hasMessage(
              "%s is in use by process %d on %s (attempt 1); wait for it, or stop it",
              folder, child.pid(), host());
      child.say("still");
      assertThat(child.out()).isEqualTo("written");
      assertThat(folder.resolve("x")).hasContent("still");
    } // killed: nothing is given back but the lock
    try (var attempt = Attempt.take(folder, 1)) {
      assertThat(attempt.number()).isEqualTo(2);
    }
  }

  /** However they come, one of them has it, and all others know who. */
  @Test
  void manyAtOnce() {
    var children = new ArrayList<Child>();
    try {
      for (int i = 0; i < 4; i++) children.add(new Child(Holder.class, folder.toString()));
      var lines = children.stream().map(Child::out).toList();
      assertThat(lines).filteredOn(line -> line.equals("has it, attempt 1")).hasSize(1);
      assertThat(lines)
          .filteredOn(line -> line.startsWith("73 " + folder + " is in use by "))
          .hasSize(3);
    } finally {
      children.forEach(Child::close);
    }
  }

  /** As a process that was cut off, and whose machine's locks were given up, finds the folder. */
  @Test
  void aProcessThatWasReplacedWritesNoMore() throws IOException {
    try (var child = new Child(Holder.class, folder.toString())) {
      assertThat(child.out()).isEqualTo("has it, attempt 1");
      child.say("first");
      assertThat(child.out()).isEqualTo("written");
      Files.delete(folder.resolve("lock"));
      try (var attempt = Attempt.take(folder, 1)) {
        assertThat(attempt.number()).isEqualTo(2);
        child.say("second");
        assertThat(child.out())
            .isEqualTo(
                "73 %s: process %d on %s (attempt 2) has taken over; this process (attempt 1) writes no more"
                    .formatted(folder, ProcessHandle.current().pid(), host()));
        assertThat(child.exit()).isZero();
        assertThat(folder.resolve("x")).hasContent("first");
        Disk.write(folder.resolve("x"), "third");
      }
    }
  }

  /** A job that is requeued has its number still: who had the folder in its name is gone. */
  @ParameterizedTest
  @CsvSource({
    "SLURM_JOB_ID, 77, SLURM_JOB_ID=77, true",
    "PBS_JOBID, 5.server, PBS_JOBID=5.server, true",
    "SLURM_JOB_ID, 78, SLURM_JOB_ID=77, false",
    "PBS_JOBID, 77, SLURM_JOB_ID=77, false",
    "SLURM_JOB_ID, 77, '', false"
  })
  void theSameJobOnAnotherMachine(String name, String number, String before, boolean same)
      throws IOException {
    Files.writeString(
        folder.resolve("attempt.json"),
        """
        {"attempt": 4, "pid": 1, "host": "elsewhere", "job": "%s", "folder": "/"}
        """
            .formatted(before));
    String other = name.equals("PBS_JOBID") ? "SLURM_JOB_ID" : "PBS_JOBID";
    var environment = Map.of(name, number, other, "");
    try (var child = new Child(environment, List.of(), Holder.class, folder.toString())) {
      assertThat(child.out())
          .isEqualTo(
              same
                  ? "has it, attempt 5"
                  : "73 %s is in use by process 1 on elsewhere (attempt 4); wait for it, or stop it"
                      .formatted(folder));
    }
  }
}
