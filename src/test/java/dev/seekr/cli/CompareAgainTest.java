package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.disk.Attempt;
import dev.seekr.disk.Disk;
import dev.seekr.run.SameRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The same comparison once more, with what kills, full disks and other processes leave of it. */
class CompareAgainTest {
  private static final String TITLE = "run 1/1: seqft, seed 1";

  /** A comparison of one run, copied for each test. */
  @TempDir static Path original;

  @TempDir Path folder;
  private Path out, run;

  private static CommandLineRun compare(Path out, String... more) {
    var words = new java.util.ArrayList<Object>(List.of("--methods", "seqft", "--out", out));
    words.addAll(List.of(more));
    return Tiny.run("compare", words.toArray());
  }

  @BeforeAll
  static void makeOne() {
    assertThat(compare(original.resolve("runs")).code()).isZero();
  }

  @BeforeEach
  void copy() throws IOException {
    out = folder.resolve("runs");
    run = out.resolve("seqft-1");
    try (var all = Files.walk(original)) {
      for (Path path : (Iterable<Path>) all::iterator)
        Files.copy(
            path, folder.resolve(original.relativize(path)), StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private List<String> names() throws IOException {
    try (var all = Files.list(out)) {
      return all.map(p -> p.getFileName().toString()).sorted().toList();
    }
  }

  private static void cut(Path file, long bytes) throws IOException {
    Files.write(file, Arrays.copyOf(Files.readAllBytes(file), (int) bytes));
  }

  /** What may be left of a run, and whether it can go on from there. */
  enum Left {
    /** Killed between the settings and the log. */
    NO_LOG(false, "log.jsonl: has 0 bytes, of ") {
      @Override
      void of(Path run) throws IOException {
        Files.delete(run.resolve("log.jsonl"));
      }
    },
    /** A full disk, before files were whole or not there. */
    EMPTY_SETTINGS(false, "config.yaml: is damaged") {
      @Override
      void of(Path run) throws IOException {
        cut(run.resolve("config.yaml"), 0);
      }
    },
    BINARY_SETTINGS(false, "config.yaml: is damaged") {
      @Override
      void of(Path run) throws IOException {
        Files.write(run.resolve("config.yaml"), new byte[] {(byte) 0xff, 0});
      }
    },
    TORN_LOG(false, "log.jsonl: has 700 bytes, of ") {
      @Override
      void of(Path run) throws IOException {
        cut(run.resolve("log.jsonl"), 700);
      }
    },
    /** The end is logged in part: the rest is saved, and the end is told again. */
    TORN_END(true, "") {
      @Override
      void of(Path run) throws IOException {
        cut(run.resolve("log.jsonl"), Files.size(run.resolve("log.jsonl")) - 5);
      }
    },
    /** Deleted in part. */
    NO_SETTINGS(false, "is not empty and holds no run") {
      @Override
      void of(Path run) throws IOException {
        Files.delete(run.resolve("config.yaml"));
        Files.delete(run.resolve("log.jsonl"));
      }
    },
    NO_SCORES(true, "") {
      @Override
      void of(Path run) throws IOException {
        Files.delete(run.resolve("scores.json"));
      }
    },
    TORN_SCORES(true, "") {
      @Override
      void of(Path run) throws IOException {
        cut(run.resolve("scores.json"), 20);
      }
    },
    NO_CHECKPOINT(true, "") {
      @Override
      void of(Path run) throws IOException {
        Disk.delete(run.resolve("checkpoints"));
        Files.delete(run.resolve("scores.json"));
      }
    },
    TORN_CHECKPOINT(false, "no checkpoint is whole") {
      @Override
      void of(Path run) throws IOException {
        try (var all = Files.list(run.resolve("checkpoints"))) {
          cut(all.findFirst().orElseThrow().resolve("weights.safetensors"), 1000);
        }
        Files.delete(run.resolve("scores.json"));
      }
    };

    private final boolean goesOn;
    private final String message;

    Left(boolean goesOn, String message) {
      this.goesOn = goesOn;
      this.message = message;
    }

    abstract void of(Path run) throws IOException;
  }

  /** It goes on or is put aside, never deleted; and the comparison is done. */
  @ParameterizedTest
  @EnumSource
  void whateverIsLeft(Left left) throws IOException {
    left.of(run);
    var again = compare(out);
    assertThat(again.err()).as(again.err()).doesNotContain("seekr: ");
    assertThat(again.code()).isZero();
    assertThat(again.out()).contains(TITLE + "\n").doesNotContain("is finished");
    SameRun.assertSame(original.resolve("runs/seqft-1"), run);
    if (left.goesOn) {
      assertThat(names()).containsExactly("attempt.json", "lock", "seqft-1");
      return;
    }
    assertThat(again.out()).contains(run + " cannot go on (" + run).contains(left.message);
    assertThat(names()).containsExactly("attempt.json", "lock", "seqft-1", "seqft-1.aside-1");
    assertThat(out.resolve("seqft-1.aside-1/scores.csv")).as("it is kept").exists();
    var third = compare(out);
    assertThat(third.code()).isZero();
    assertThat(third.out()).startsWith(TITLE + ", is finished\n");
  }

  /** Somebody else's folder of that name is kept as well. */
  @Test
  void whatIsNoRunIsPutAside() throws IOException {
    Disk.delete(run);
    Files.writeString(Files.createDirectory(run).resolve("notes.txt"), "mine");
    assertThat(compare(out).code()).isZero();
    assertThat(out.resolve("seqft-1.aside-1/notes.txt")).hasContent("mine");
  }

  /** The one that has the folder is named, and nothing of its runs is touched. */
  @Test
  void twoComparisonsOfOneFolder() throws IOException {
    Files.delete(run.resolve("log.jsonl"));
    long pid = ProcessHandle.current().pid();
    for (Path held : List.of(out, run)) {
      try (var attempt = Attempt.take(held, 1)) {
        var second = compare(out);
        assertThat(second.code()).isEqualTo(73);
        assertThat(second.err())
            .startsWith("seekr: %s is in use by process %d on ".formatted(held, pid))
            .endsWith(" (attempt %d); wait for it, or stop it\n".formatted(attempt.number()));
        assertThat(second.out()).isEmpty();
      }
    }
    assertThat(run.resolve("log.jsonl")).doesNotExist();
    assertThat(names()).containsExactly("attempt.json", "lock", "seqft-1");
    assertThat(compare(out).code()).isZero();
  }

  @Test
  void aStoppedComparisonGoesOn() throws IOException {
    Disk.delete(run);
    var stopped = compare(out, "run.time_limit=0.001s");
    assertThat(stopped.code()).isEqualTo(75);
    assertThat(stopped.err().lines().filter(line -> line.startsWith("seekr: ")).toList())
        .singleElement()
        .asString()
        .startsWith(
            "seekr: stopped at "
                + TITLE
                + ", task 1/2 step 0, since its time is nearly over; go on with: seekr compare ")
        .endsWith(" --methods seqft --out " + out + " run.time_limit=0.001s");
    var rest = compare(out);
    assertThat(rest.code()).isZero();
    assertThat(rest.out()).startsWith(TITLE + "\n");
    SameRun.assertSame(original.resolve("runs/seqft-1"), run);
  }

  /** One run is one seed, however often it is named. */
  @Test
  void nothingIsNamedTwice() throws IOException {
    Path none = folder.resolve("none");
    String[][] twice = {
      {"--methods", "seqft,replay,seqft", "[seqft, replay, seqft]"},
      {"--seeds", "1,2,1", "[1, 2, 1]"},
      {"--seeds", "1,01", "[1, 1]"},
    };
    for (String[] t : twice) {
      var words = new java.util.ArrayList<Object>(List.of(t[0], t[1], "--out", none));
      var run = Tiny.run("compare", words.toArray());
      assertThat(run.code()).isEqualTo(64);
      assertThat(run.err())
          .startsWith("seekr: %s names one twice: %s; each makes one run\n".formatted(t[0], t[2]));
    }
    var orders = compare(none, "--order", "task363,task1687", "--order", "task363,task1687");
    assertThat(orders.code()).isEqualTo(64);
    assertThat(orders.err()).startsWith("seekr: --order names one twice: ");
    assertThat(none).doesNotExist();
  }

  /** A folder is named by just what is written, whatever YAML would make of it. */
  @ParameterizedTest
  @ValueSource(
      strings = {"x #1", "a: b", "*a", "[a]", "'", "null", "1e3", "~", "{}", "a, b", " - "})
  void namesThatYamlReadsOtherwise(String name) throws IOException {
    Path odd = folder.resolve(name);
    Files.move(out, odd);
    var again = compare(odd);
    assertThat(again.err()).isEmpty();
    assertThat(again.code()).isZero();
    assertThat(again.out()).startsWith(TITLE + ", is finished\n");
    try (var all = Files.list(folder)) {
      assertThat(all).containsExactly(odd);
    }
  }
}
