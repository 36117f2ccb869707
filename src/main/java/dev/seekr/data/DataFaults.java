package dev.seekr.data;

import dev.seekr.Failure;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What is wrong with the data of all tasks, so that the first twenty faults are told at once. */
final class DataFaults {
  private static final Logger LOG = LoggerFactory.getLogger(DataFaults.class);
  private static final int MOST = 20;

  private final boolean skip;
  private final List<String> records = new ArrayList<>(), files = new ArrayList<>();
  private int found;

  /**
   * @param skip whether records that are no examples are left out; files must be whole all the same
   */
  DataFaults(boolean skip) {
    this.skip = skip;
  }

  void record(Failure bad) {
    if (++found > MOST) return;
    if (skip) LOG.warn("{}; left out", bad.getMessage());
    else records.add(bad.getMessage());
  }

  void file(Failure bad) {
    if (bad.exit != Failure.Exit.DATA) throw bad;
    files.add(bad.getMessage());
  }

  /** Of a split all of whose records are left out there is nothing. */
  void none(Path file) {
    if (skip) file(Failure.data("%s: expected at least one good record, found none", file));
  }

  /** Throws Failure (65) with all that was found. */
  void done() {
    if (skip && found > MOST) LOG.warn("{} records left out in all", found);
    var lines = new ArrayList<>(files);
    lines.addAll(records);
    if (lines.isEmpty()) return;
    if (!records.isEmpty()) {
      String first = found > MOST ? "; these are the first %d of %d".formatted(MOST, found) : "";
      lines.addLast(lines.removeLast() + "; data.bad_records=skip leaves such records out" + first);
    }
    throw new Failure(Failure.Exit.DATA, String.join("\n", lines));
  }
}
