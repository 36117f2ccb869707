package dev.seekr.cli;

import dev.seekr.Failure;
import dev.seekr.disk.Reading;
import dev.seekr.disk.RunFolder;
import dev.seekr.run.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.regex.Pattern;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/**
 * Runs that a command line names: their folders, or those of comparisons, for all runs in them.
 *
 * @param all in the order named, each once
 * @param named those that were named themselves
 */
record FoundRuns(List<Path> all, List<Path> named) {
  private static final Pattern NUMBER = Pattern.compile("\\d+");

  /**
   * @throws Failure input (66) where a folder holds none
   * @throws ParameterException where one is named twice
   */
  static FoundRuns in(List<Path> folders, CommandSpec spec) {
    var runs = new ArrayList<Path>();
    for (Path folder : folders) {
      if (isRun(folder)) runs.add(folder);
      else runs.addAll(inside(folder));
    }
    var seen = new HashSet<Path>();
    for (Path run : runs)
      if (!seen.add(real(run)))
        throw new ParameterException(
            spec.commandLine(), run + " is named twice; a run counts once");
    return new FoundRuns(runs, folders.stream().filter(FoundRuns::isRun).toList());
  }

  /** Those of comparisons that are not finished: whoever names one itself wants it. */
  List<Path> unfinished() {
    return all.stream().filter(run -> !named.contains(run) && !Run.finished(run)).toList();
  }

  private static boolean isRun(Path folder) {
    return Files.exists(new RunFolder(folder).log());
  }

  /** The runs of a comparison. */
  private static List<Path> inside(Path folder) {
    var runs =
        Reading.list(folder).stream()
            .filter(run -> isRun(run) && !run.getFileName().toString().contains(".aside-"))
            .sorted(Comparator.comparing(FoundRuns::withLongNumbers))
            .toList();
    if (runs.isEmpty())
      throw Failure.input("%s: expected a run or a comparison, found no log.jsonl", folder);
    return runs;
  }

  /** A name by which run 2 comes before run 10. */
  private static String withLongNumbers(Path run) {
    return NUMBER
        .matcher(run.getFileName().toString())
        .replaceAll(n -> "0".repeat(Math.max(0, 20 - n.group().length())) + n.group());
  }

  private static Path real(Path run) {
    try {
      return run.toRealPath();
    } catch (IOException e) {
      return run.toAbsolutePath().normalize();
    }
  }
}
