package dev.seekr.ops.cuda;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import dev.seekr.disk.Disk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/**
 * Processes that meet by files in a folder which all of them see. Process r writes {@code FILE.r},
 * process 0 answers all in {@code FILE}. What an earlier start has left there is never taken for
 * this one's: everybody draws a number, and an answer counts that has one's own in it; process 0
 * has its own back from everybody before it calls the answer final.
 *
 * <p>Of processes that a batch system has cut off and started anew elsewhere, some may live on for
 * a while: the number of the job and of its attempt stands in every file too.
 */
final class FileMeeting implements Meeting {
  private static final Duration PATIENCE = Duration.ofMinutes(5), PAUSE = Duration.ofMillis(20);
  private static final String NONE = "-", FINAL = "final", ASKING = "asking";

  private final Path file;
  private final int rank, ranks;
  private final String job;
  private final Duration patience;
  private final String number = number();

  FileMeeting(Path file, int rank, int ranks) {
    this(file, rank, ranks, job(), PATIENCE);
  }

  FileMeeting(Path file, int rank, int ranks, String job, Duration patience) {
    this.file = file;
    this.rank = rank;
    this.ranks = ranks;
    this.job = job;
    this.patience = patience;
  }

  private static String number() {
    var bytes = new byte[16];
    new SecureRandom().nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  /** Of a batch system. */
  private static String job() {
    var parts = new ArrayList<String>();
    for (String name : List.of("SLURM_JOB_ID", "SLURM_RESTART_COUNT", "PBS_JOBID")) {
      String value = System.getenv(name);
      parts.add(value == null || value.isBlank() ? NONE : value.strip());
    }
    return String.join(" ", parts);
  }

  /**
   * What process {@code rank} says.
   *
   * @param number its own
   * @param seen the number of the answer it has read, {@link #NONE}: not one that is for it
   */
  private record Said(String number, String seen, String line) {}

  /**
   * What process 0 answers.
   *
   * @param state {@link #FINAL}, or {@link #ASKING} whether all have seen it
   * @param number drawn anew for every answer
   * @param numbers of all processes but 0
   * @param lines of all
   */
  private record Answer(String state, String number, List<String> numbers, List<String> lines) {}

  @Override
  public List<String> gather(String mine) {
    if (ranks == 1) return List.of(mine);
    return rank == 0 ? host(mine) : attend(mine);
  }

  private List<String> host(String mine) {
    long begin = System.nanoTime();
    Answer answer = null;
    while (true) {
      var said = IntStream.range(1, ranks).mapToObj(this::said).toList();
      if (!said.contains(null)) {
        var numbers = said.stream().map(Said::number).toList();
        if (answer == null || !numbers.equals(answer.numbers)) {
          var lines = new ArrayList<>(List.of(mine));
          said.forEach(s -> lines.add(s.line));
          answer = new Answer(ASKING, number(), numbers, lines);
          write(answer);
        }
        String asked = answer.number;
        if (said.stream().allMatch(s -> s.seen.equals(asked))) {
          write(new Answer(FINAL, asked, numbers, answer.lines));
          return answer.lines;
        }
      }
      Answer now = answer;
      pause(begin, () -> "rank(s) " + missing(now));
    }
  }

  /** Those that have not come, or not seen the answer. */
  private String missing(Answer answer) {
    var missing = new ArrayList<String>();
    for (int r = 1; r < ranks; r++) {
      Said said = said(r);
      if (said == null && Files.exists(of(r)))
        missing.add("%d (%s is of another job or attempt)".formatted(r, of(r).getFileName()));
      else if (said == null || answer == null || !said.seen.equals(answer.number))
        missing.add("" + r);
    }
    return String.join(", ", missing);
  }

  private List<String> attend(String mine) {
    long begin = System.nanoTime();
    write(new Said(number, NONE, mine));
    String seen = NONE;
    while (true) {
      Answer answer = answer();
      if (answer != null && answer.numbers.get(rank - 1).equals(number)) {
        if (answer.state.equals(FINAL)) {
          Disk.delete(of(rank));
          return answer.lines;
        }
        if (!seen.equals(answer.number)) {
          seen = answer.number;
          write(new Said(number, seen, mine));
        }
      }
      pause(begin, () -> "rank 0, or another that it waits for,");
    }
  }

  private interface Who {
    String name();
  }

  private void pause(long begin, Who who) {
    if (System.nanoTime() - begin > patience.toNanos())
      throw new Failure(
          Exit.BACKEND,
          "%s: %s did not come within %d s; all %d processes must be started together and see this file's folder"
              .formatted(file, who.name(), patience.toSeconds(), ranks));
    LockSupport.parkNanos(PAUSE.toNanos());
  }

  private Path of(int r) {
    return file.resolveSibling(file.getFileName() + "." + r);
  }

  private void write(Said said) {
    Disk.write(of(rank), String.join("\n", job, said.number, said.seen, said.line, ""));
  }

  private void write(Answer answer) {
    var text = new StringBuilder();
    for (String line : List.of(job, answer.state, answer.number)) text.append(line).append('\n');
    for (String number : answer.numbers) text.append(number).append('\n');
    for (String line : answer.lines) text.append(line).append('\n');
    Disk.write(file, text.toString());
  }

  /** What a process of this job has said; null: nothing yet. */
  private Said said(int r) {
    var lines = read(of(r));
    return lines.size() == 3 ? new Said(lines.get(0), lines.get(1), lines.get(2)) : null;
  }

  private Answer answer() {
    var lines = read(file);
    if (lines.size() != 2 + (ranks - 1) + ranks) return null;
    return new Answer(
        lines.get(0),
        lines.get(1),
        lines.subList(2, ranks + 1),
        lines.subList(ranks + 1, lines.size()));
  }

  /** What follows the job's line; nothing where there is no such file of this job. */
  private List<String> read(Path file) {
    try {
      var lines = Files.readString(file).lines().toList();
      boolean ours = !lines.isEmpty() && lines.getFirst().equals(job);
      return ours ? lines.subList(1, lines.size()) : Collections.emptyList();
    } catch (IOException e) {
      return Collections.emptyList(); // not there, or replaced at this moment
    }
  }
}
